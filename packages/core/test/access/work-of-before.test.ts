import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import type { Gateway } from "../../src/gateway.js";
import { closeAll, gatewayTo, KEY, sendJson, stubVendor } from "../media/stub-vendor.js";
import { call, gatewayOf, json } from "./harness.js";

const open: Gateway[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })));
  await closeAll();
});
async function started(): Promise<Gateway> {
  const gateway = await gatewayOf();
  open.push(gateway);
  return gateway;
}

const OWNER = "media-owner-key-4c1d8f0b7a2e9635-xyz";
const endpoint = "/v1/chat/completions";

it("a batch makes no call more once the key that it was made with is revoked (T04)", async () => {
  const waiting: (() => void)[] = [];
  const { base, got } = await stubVendor((_got, answer) => {
    waiting.push(() =>
      sendJson(answer, {
        ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
        choices: [{ index: 0, message: { role: "assistant", content: "fine" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  });
  const guardrails = { words: { kind: "words" as const, settings: { words: ["tangerine"] } } };
  const gateway = gatewayTo({ lab: { vendor: "openai", baseUrl: `${base}/v1`, apiKey: KEY } }, { guardrails });
  await gateway.start();
  const { id, key } = await gateway.keys.create({ name: "k", scopes: ["models:*", "operations:*"] });
  const lines = Array.from({ length: 12 }, (_, i) =>
    JSON.stringify({
      custom_id: `a${i}`,
      method: "POST",
      url: endpoint,
      body: { model: "lab/m", messages: [{ role: "user", content: "hi" }] },
    }),
  );
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new File([lines.join("\n")], "in.jsonl"));
  const headers = { authorization: `Bearer ${key}` };
  const file = await json(await gateway.fetch(new Request("http://localhost/v1/files", { method: "POST", body: form, headers })));
  const begun = await json(
    await call(gateway, "/v1/batches", { key, body: { input_file_id: file.id, endpoint, completion_window: "24h" } }),
  );
  await expect.poll(() => waiting.length).toBe(4);
  await gateway.keys.revoke(id);
  for (const answer of waiting.splice(0)) answer();
  const read = async () => json(await call(gateway, `/v1/batches/${begun.id as string}`, { key: OWNER }));
  await expect.poll(async () => (await read()).status, { timeout: 30_000 }).toBe("completed");
  expect((await read()).request_counts).toEqual({ total: 12, completed: 4, failed: 8 });
  expect(got).toHaveLength(4);
});

describe("a run acts for whom it was started, as that may act today (T04)", () => {
  const body = { model: "demo/echo", input: "again" };
  const codeOf = (gateway: Gateway, caller: Caller): Promise<unknown> =>
    gateway
      .as(caller)
      .run(body)
      .then(
        () => "done",
        (error: unknown) => (error as { code?: unknown }).code,
      );

  it("of a key: until it expires, is disabled, or narrowed, and no longer than those that it was made from", async () => {
    const gateway = await started();
    const maker = await gateway.keys.create({ name: "maker", scopes: ["models:*", "keys:write"] });
    const child = await json(await call(gateway, "/api/v1/keys", { key: maker.key, body: { name: "c", scopes: ["models:*"] } }));
    const id = child.id as string;
    const caller: Caller = { kind: "key", id, name: "c", projects: ["default"], grants: ["models:*"], keyId: id };
    expect(await codeOf(gateway, caller)).toBe("done");
    await gateway.keys.update(maker.id, { scopes: ["models:other/*", "keys:write"] });
    expect(await codeOf(gateway, caller)).toBe("forbidden");
    await gateway.keys.update(maker.id, { scopes: ["models:*", "keys:write"] });
    await gateway.keys.update(id, { expiresAtMs: Date.now() - 1 });
    expect(await codeOf(gateway, caller)).toBe("unauthenticated");
    await gateway.keys.update(id, { expiresAtMs: null });
    expect(await codeOf(gateway, caller)).toBe("done");
    await gateway.keys.update(maker.id, { enabled: false });
    expect(await codeOf(gateway, caller)).toBe("unauthenticated");
  });

  it("of a user: with the roles that it has, until it is disabled or removed", async () => {
    const gateway = await started();
    const { id } = await gateway.users.create({ username: "eve", password: "correct horse battery", role: "developer" });
    const caller: Caller = { kind: "user", id, name: "eve", projects: ["default"], grants: ["models:*"], userId: id };
    expect(await codeOf(gateway, caller)).toBe("done");
    const { data } = await json(await call(gateway, "/api/v1/role-bindings"));
    await call(gateway, `/api/v1/role-bindings/${data[0].id as string}`, { method: "DELETE" });
    expect(await codeOf(gateway, caller)).toBe("forbidden");
    await call(gateway, `/api/v1/users/${id}`, { method: "PATCH", body: { enabled: false } });
    expect(await codeOf(gateway, caller)).toBe("unauthenticated");
    await gateway.users.remove(id);
    expect(await codeOf(gateway, caller)).toBe("unauthenticated");
  });

  it("of somebody whom only the host application knows: as it was said", async () => {
    const gateway = await started();
    expect(await codeOf(gateway, { kind: "user", id: "user_7", name: "u", projects: ["p9"], grants: ["models:*"], userId: "user_7" })).toBe(
      "done",
    );
  });
});
