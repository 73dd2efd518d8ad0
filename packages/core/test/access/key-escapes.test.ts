import { afterEach, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import { call, gatewayOf, json } from "./harness.js";

const open: Gateway[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })))));
async function started(): Promise<Gateway> {
  const gateway = await gatewayOf();
  open.push(gateway);
  return gateway;
}

it("a key changes and rotates only keys that were made from it, so that none escapes its maker's expiry and limits (T05)", async () => {
  const gateway = await started();
  const scopes = ["models:*", "keys:write", "keys:read"];
  const maker = await gateway.keys.create({ name: "a", scopes, rateLimit: { requestsPerMinute: 10 }, expiresAtMs: Date.now() + 3_600_000 });
  const siblings = [
    await gateway.keys.create({ name: "b", scopes: ["models:*"], rateLimit: { requestsPerMinute: 5 }, expiresAtMs: Date.now() + 60_000 }),
    await gateway.keys.create({ name: "c", scopes: ["models:*"] }),
  ];
  const as = (key: string, path: string, method: string, body: object) => call(gateway, `/api/v1/keys/${path}`, { method, key, body });
  for (const { id } of siblings) {
    for (const [path, method, body] of [
      [`${id}/rotate`, "POST", {}],
      [id, "PATCH", { expires_at_ms: null, rate_limit: null }],
      [id, "PATCH", { name: "mine" }],
    ] as const) {
      const refused = await as(maker.key, path, method, body);
      expect([refused.status, (await json(refused)).error.details]).toEqual([403, { excess: "id" }]);
    }
  }
  const child = await json(await call(gateway, "/api/v1/keys", { key: maker.key, body: { name: "child", scopes } }));
  const grandchild = await json(await call(gateway, "/api/v1/keys", { key: child.key, body: { name: "grandchild" } }));
  expect((await as(maker.key, grandchild.id, "PATCH", { rate_limit: null })).status).toBe(200);
  expect((await as(maker.key, grandchild.id, "PATCH", { enabled: false })).status).toBe(200);
  expect((await as(maker.key, grandchild.id, "PATCH", { enabled: true })).status).toBe(200);
  expect((await as(maker.key, `${grandchild.id as string}/rotate`, "POST", {})).status).toBe(200);
  // Upwards and by itself: it renews itself, and changes nobody above.
  expect((await as(child.key, maker.id, "PATCH", { rate_limit: null })).status).toBe(403);
  expect((await as(child.key, `${maker.id}/rotate`, "POST", {})).status).toBe(403);
  expect((await as(child.key, `${child.id as string}/rotate`, "POST", {})).status).toBe(200);
});
