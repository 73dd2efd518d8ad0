import { afterEach, describe, expect, it } from "vitest";
import { Gateway } from "../../src/gateway.js";
import type { GatewayOptions } from "../../src/gateway-options.js";

const OWNER_KEY = "owner-key-of-the-key-tests-5e2c91aa";
const open: Gateway[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })))));

async function started(options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = new Gateway({ ownerKey: OWNER_KEY, env: {}, log: () => undefined, mcpServers: {}, ...options });
  open.push(gateway);
  await gateway.start();
  return gateway;
}
function call(gateway: Gateway, path: string, o: { method?: string; key?: string; body?: unknown } = {}): Promise<Response> {
  const { method = o.body === undefined ? "GET" : "POST", key = OWNER_KEY, body } = o;
  return gateway.fetch(
    new Request(`http://localhost:4747${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}

describe("a gateway key", () => {
  it("is made, used, shown once", async () => {
    const gateway = await started();
    const made = await gateway.keys.create({ name: "ci" });
    expect(made.key).toMatch(/^spk_live_[a-z0-9]{24}_[0-9A-Za-z]{49}$/);
    expect((await call(gateway, "/v1/models", { key: made.key })).status).toBe(200);
    const listed = await call(gateway, "/api/v1/list/gateway-api-keys");
    const text = await listed.text();
    expect(text).toContain(made.id);
    expect(text).not.toContain(made.key.slice(-20));
    const again = await call(gateway, "/api/v1/add/gateway-api-key", { body: { name: "x", scopes: ["models:*"] } });
    console.log(again.status, await again.text());
  });
});
