import { hash } from "@node-rs/bcrypt";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import { authEvent, gatewayKey } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { clock } from "../../src/platform/node.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { call, gatewayOf, json, OWNER_KEY } from "./harness.js";

const open: Gateway[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })))));
async function started(...options: Parameters<typeof gatewayOf>): Promise<Gateway> {
  const gateway = await gatewayOf(...options);
  open.push(gateway);
  return gateway;
}
const statusOf = async (gateway: Gateway, key: string, path = "/v1/models") => (await call(gateway, path, { key })).status;
const within = () => ({ deadlineMs: Date.now() + 5_000 });
const system = { system: "test" };

describe("a gateway key", () => {
  it("is made over REST as the contract says, shown once, and found by nothing that is stored (T10)", async () => {
    const store = memoryStore({ clock });
    const gateway = await started({ storage: { open: () => Promise.resolve(store) } as never });
    const response = await call(gateway, "/api/v1/add/gateway-api-key", { body: { name: "ci", scopes: ["models:*"], rate_limit: 60 } });
    expect(response.status).toBe(201);
    const made = await json(response);
    expect(made).toMatchObject({ name: "ci", scopes: ["models:*"], project_id: "default", rate_limit: { requests_per_minute: 60 } });
    expect(made.key).toMatch(/^spk_live_[a-z0-9]{24}_[0-9A-Za-z]{49}$/);
    expect(await statusOf(gateway, made.key)).toBe(200);
    const secret = made.key.slice(-49);
    for (const path of ["/api/v1/list/gateway-api-keys", `/api/v1/keys/${made.id}`, "/api/v1/list/auth-events"])
      expect(await (await call(gateway, path)).text()).not.toContain(secret);
    const row = await store.get(gatewayKey, made.id, system, within());
    expect(JSON.stringify(row)).not.toContain(secret);
    // What is stored, presented as a credential, is nobody's (T10).
    for (const digest of [row!.digest, `spk_live_${made.id.slice(4)}_${row!.digest}`]) expect(await statusOf(gateway, digest)).toBe(401);
  });

  it.each<[string, (key: string) => string]>([
    ["another last character", (key) => key.slice(0, -1) + (key.endsWith("0") ? "1" : "0")],
    ["another environment", (key) => key.replace("spk_live_", "spk_test_")],
    ["a character of the secret changed", (key) => key.slice(0, 40) + (key[40] === "a" ? "b" : "a") + key.slice(41)],
    ["cut short", (key) => key.slice(0, -7)],
    ["something after it", (key) => `${key}x`],
    ["upper case", (key) => key.toUpperCase()],
    ["its prefix alone", (key) => key.slice(0, 34)],
    ["text of another language", () => "' OR 1=1 --"],
    ["an array's text", (key) => `["${key}"]`],
  ])("is refused with %s (T03, T07)", async (_what, change) => {
    const gateway = await started();
    const { key } = await gateway.keys.create({ name: "k" });
    expect(await statusOf(gateway, key)).toBe(200);
    expect(await statusOf(gateway, change(key))).toBe(401);
  });

  it("of garbage beside a good one is refused: nothing falls through (T07)", async () => {
    const gateway = await started();
    const { key } = await gateway.keys.create({ name: "k" });
    const both = await call(gateway, "/v1/models", { key: "garbage", headers: { "x-api-key": key } });
    expect(both.status).toBe(401);
    const cookie = await call(gateway, "/v1/models", { key: "garbage", headers: { cookie: `sallyport_session=${"a".repeat(43)}` } });
    expect(cookie.status).toBe(401);
  });

  it("made without scopes uses the gateway and administers nothing", async () => {
    const gateway = await started();
    const { key, scopes } = await gateway.keys.create({ name: "k" });
    expect(scopes).toContain("models:*");
    expect(await statusOf(gateway, key)).toBe(200);
    for (const path of ["/api/v1/list/gateway-api-keys", "/api/v1/list/users", "/api/v1/list/auth-events"])
      expect(await statusOf(gateway, key, path)).toBe(403);
    expect((await call(gateway, "/api/v1/add/gateway-api-key", { key, body: { name: "x" } })).status).toBe(403);
  });

  it("is refused unknown fields: nothing is assigned by the way (T05, T43)", async () => {
    const gateway = await started();
    for (const extra of [
      { kind: "owner" },
      { parent_id: null },
      { created_by: "owner" },
      { digest: "0".repeat(64) },
      { projectId: "p2" },
      { role: "owner" },
    ])
      expect((await call(gateway, "/api/v1/add/gateway-api-key", { body: { name: "x", ...extra } })).status).toBe(400);
    for (const body of ['{"name":"x","__proto__":{"scopes":["*"]}}', '{"name":"x","constructor":{"prototype":{"kind":"owner"}}}'])
      expect((await call(gateway, "/api/v1/add/gateway-api-key", { body })).status).toBe(400);
    expect(({} as Record<string, unknown>)["kind"]).toBeUndefined();
  });

  it("never gives more than its maker has, and says what was too much (T05)", async () => {
    const gateway = await started();
    const maker = await gateway.keys.create({
      name: "maker",
      scopes: ["models:openai/*", "keys:write", "keys:read"],
      rateLimit: { requestsPerMinute: 10 },
      expiresAtMs: Date.now() + 60_000,
      userId: "u1",
    });
    const tries: [Record<string, unknown>, string][] = [
      [{ scopes: ["*"] }, "*"],
      [{ scopes: ["models:*"] }, "models:*"],
      [{ scopes: ["models:openai/*", "users:write"] }, "users:write"],
      [{ scopes: ["models:openai/*"], project_id: "p2" }, "project_id"],
      [{ scopes: ["project:p2"] }, "project:p2"],
      [{ scopes: ["project:*"] }, "project:*"],
      [{ scopes: ["models:openai/*"], rate_limit: 11 }, "rate_limit"],
      [{ scopes: ["models:openai/*"], expires_at: Date.now() + 120_000 }, "expires_at"],
      [{ scopes: ["models:openai/*"], user_id: "u2" }, "user_id"],
    ];
    for (const [body, excess] of tries) {
      const response = await call(gateway, "/api/v1/add/gateway-api-key", { key: maker.key, body: { name: "child", ...body } });
      expect([response.status, (await json(response)).error.details]).toEqual([403, { excess }]);
    }
    const child = await json(
      await call(gateway, "/api/v1/add/gateway-api-key", { key: maker.key, body: { name: "child", scopes: ["models:openai/gpt*"] } }),
    );
    expect(child).toMatchObject({ parent_id: maker.id, user_id: "u1" });
  });

  it("narrows with its maker, and ends with it at once (T05)", async () => {
    const gateway = await started();
    const maker = await gateway.keys.create({ name: "maker", scopes: ["models:*", "runs:read", "keys:write"] });
    const child = await json(
      await call(gateway, "/api/v1/add/gateway-api-key", {
        key: maker.key,
        body: { name: "c", scopes: ["models:*", "runs:read", "keys:write"] },
      }),
    );
    const grandchild = await json(
      await call(gateway, "/api/v1/add/gateway-api-key", { key: child.key, body: { name: "g", scopes: ["runs:read"] } }),
    );
    expect(await statusOf(gateway, grandchild.key, "/api/v1/runs")).toBe(200);
    await gateway.keys.update(maker.id, { scopes: ["models:*"] });
    expect(await statusOf(gateway, grandchild.key, "/api/v1/runs")).toBe(403);
    expect(await statusOf(gateway, child.key, "/api/v1/runs")).toBe(403);
    await gateway.keys.update(maker.id, { scopes: ["models:*", "runs:read"] });
    expect(await statusOf(gateway, grandchild.key, "/api/v1/runs")).toBe(200);
    await gateway.keys.revoke(maker.id);
    for (const { key } of [maker, child, grandchild]) expect(await statusOf(gateway, key)).toBe(401);
    expect((await call(gateway, `/api/v1/update/gateway-api-key/${maker.id}`, { method: "PATCH", body: { enabled: true } })).status).toBe(
      409,
    );
  });

  it("is neither changed nor renewed by what was made from it, nor by itself, nor by who has less (T05)", async () => {
    const gateway = await started();
    const scopes = ["models:*", "keys:write", "keys:read"];
    const maker = await gateway.keys.create({ name: "maker", scopes });
    const child = await json(await call(gateway, "/api/v1/add/gateway-api-key", { key: maker.key, body: { name: "c", scopes } }));
    const strong = await gateway.keys.create({ name: "strong", scopes: ["*"] });
    const asChild = (path: string, body: unknown = {}) => call(gateway, path, { key: child.key, body });
    expect((await asChild(`/api/v1/keys/${maker.id}/rotate`)).status).toBe(403);
    expect((await asChild(`/api/v1/keys/${strong.id}/rotate`)).status).toBe(403);
    expect((await call(gateway, `/api/v1/keys/${child.id}`, { key: child.key, method: "PATCH", body: { name: "me" } })).status).toBe(403);
    expect(
      (await call(gateway, `/api/v1/keys/${strong.id}`, { key: child.key, method: "PATCH", body: { scopes: ["models:*"] } })).status,
    ).toBe(403);
    const owners = (await gateway.keys.list()).keys.find(({ kind }) => kind === "owner")!;
    for (const verb of ["rotate", "revoke"])
      expect((await call(gateway, `/api/v1/keys/${owners.id}/${verb}`, { body: {} })).status).toBe(403);
    expect(await statusOf(gateway, OWNER_KEY)).toBe(200);
  });

  it("is rotated with an overlap, after which only the new one is valid", async () => {
    const fake = new FakeClock();
    const gateway = await started({ clock: fake });
    const made = await gateway.keys.create({ name: "k" });
    const renewed = await gateway.keys.rotate(made.id, { overlapMs: 60_000 });
    expect(renewed).toMatchObject({ id: made.id, name: "k" });
    expect(renewed.key).not.toBe(made.key);
    expect([await statusOf(gateway, made.key), await statusOf(gateway, renewed.key)]).toEqual([200, 200]);
    await fake.advance(60_001);
    expect([await statusOf(gateway, made.key), await statusOf(gateway, renewed.key)]).toEqual([401, 200]);
    const third = await json(await call(gateway, `/api/v1/keys/${made.id}/rotate`, { body: {} }));
    expect([await statusOf(gateway, renewed.key), await statusOf(gateway, third.key)]).toEqual([401, 200]);
    expect(await gateway.keys.verify(third.key)).toMatchObject({ id: made.id });
    expect(await gateway.keys.verify(renewed.key)).toBeNull();
  });

  it("is revoked by DELETE, its row stays, and the ledger says who did what", async () => {
    const store = memoryStore({ clock });
    const gateway = await started({ storage: { open: () => Promise.resolve(store) } as never });
    const made = await gateway.keys.create({ name: "k" });
    expect((await call(gateway, `/api/v1/del/gateway-api-key/${made.id}`, { method: "DELETE" })).status).toBe(200);
    expect(await statusOf(gateway, made.key)).toBe(401);
    expect(await gateway.keys.get(made.id)).toMatchObject({ enabled: false, revokedAtMs: expect.any(Number) as number });
    const { rows } = await store.find(authEvent, { where: { targetId: made.id }, orderBy: "atMs", limit: 10 }, system, within());
    expect(rows.map(({ kind, callerId }) => [kind, callerId])).toEqual([
      ["key.created", "owner"],
      ["key.revoked", "key_owner"],
    ]);
  });
});

describe("a call under way", () => {
  it.each(["/v1/chat/completions", "/v1/messages"])("of a key that is revoked ends with its dialect's error: %s", async (path) => {
    const gateway = await started();
    const { id, key } = await gateway.keys.create({ name: "k" });
    const body = { model: "demo/echo", stream: true, max_tokens: 4_000, messages: [{ role: "user", content: "word ".repeat(3_000) }] };
    const response = await call(gateway, path, {
      key,
      body,
      headers: path === "/v1/messages" ? { "anthropic-version": "2023-06-01" } : {},
    });
    expect(response.status).toBe(200);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? "";
    await gateway.keys.revoke(id);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
    }
    expect(text).toContain("revoked");
    expect(text).toMatch(/authentication|unauthenticated|invalid_api_key/);
    expect(text).not.toContain("[DONE]");
  });
});

describe("a key brought from elsewhere", () => {
  const foreign = "gwo_prod_0123456789abcdef0123456789abcdef";

  it("is checked by its bcrypt hash once, and found by a digest of ours from then on", async () => {
    const store = memoryStore({ clock });
    const gateway = await started({ storage: { open: () => Promise.resolve(store) } as never });
    const imported = await gateway.keys.import({ name: "old", hash: await hash(foreign, { cost: 4 }), prefix: "gwo_prod_0123" });
    const answers = await Promise.all(Array.from({ length: 8 }, () => statusOf(gateway, foreign)));
    expect(new Set(answers)).toEqual(new Set([200]));
    const row = await store.get(gatewayKey, imported.id, system, within());
    expect(row).toMatchObject({ legacyHash: null, legacyScheme: null });
    expect(await statusOf(gateway, `${foreign}x`)).toBe(401);
    await gateway.keys.revoke(imported.id);
    expect(await statusOf(gateway, foreign)).toBe(401);
  });

  it("does not make unknown keys costly: another prefix asks no verifier, the rest is limited (T40)", async () => {
    let asked = 0;
    const slow = { scheme: "slow", verify: () => (asked++, false) };
    const gateway = await started({ keyVerifiers: [slow] });
    await gateway.keys.import({ name: "old", hash: "h", scheme: "slow", prefix: "gwo_" });
    for (let i = 0; i < 50; i++) expect(await statusOf(gateway, `other_${i}_0123456789abcdef`)).toBe(401);
    expect(asked).toBe(0);
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) statuses.push(await statusOf(gateway, `gwo_${i}_0123456789abcdef`));
    expect(asked).toBe(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
    expect(await statusOf(gateway, "gwo_0_0123456789abcdef")).toBe(401); // remembered: not asked again
    expect(asked).toBe(20);
  });

  it("is found among any number that could be it, a few hashes at once; a wrong one pays for what it costs (T40)", async () => {
    let asked = 0;
    let now = 0;
    let most = 0;
    const verify = async (presented: string, stored: string): Promise<boolean> => {
      asked++;
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return `hash of ${presented}` === stored;
    };
    const gateway = await started({ keyVerifiers: [{ scheme: "slow", verify }] });
    const keyOf = (i: number): string => `old-key-number-${i}-0123456789`;
    for (let i = 0; i < 40; i++) await gateway.keys.import({ name: `k${i}`, hash: `hash of ${keyOf(i)}`, scheme: "slow" });
    const statuses = await Promise.all([39, 20, 4, 0].map((i) => statusOf(gateway, keyOf(i))));
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(most).toBeLessThanOrEqual(2);
    asked = 0;
    expect([await statusOf(gateway, keyOf(50)), asked]).toEqual([401, 36]);
    expect([await statusOf(gateway, keyOf(50)), asked]).toEqual([401, 36]); // remembered
    expect([await statusOf(gateway, keyOf(51)), asked]).toEqual([401, 72]);
    expect([await statusOf(gateway, keyOf(52)), asked]).toEqual([401, 108]);
    expect([await statusOf(gateway, keyOf(53)), asked]).toEqual([429, 108]); // 9 tries each, of 20 a minute
  });

  it("asks a verifier of the host, and counts what it throws as no", async () => {
    const mine = { scheme: "mine", verify: (presented: string, stored: string) => Promise.resolve(presented === stored.slice(5)) };
    const broken = { scheme: "broken", verify: () => Promise.reject(new Error("down")) };
    const gateway = await started({ keyVerifiers: [mine, broken] });
    await gateway.keys.import({ name: "b", hash: "hash:abcd-1234", scheme: "broken" });
    await gateway.keys.import({ name: "a", hash: "hash:abcd-1234", scheme: "mine" });
    expect(await statusOf(gateway, "abcd-1234")).toBe(200);
    await expect(gateway.keys.import({ name: "c", hash: "h", scheme: "none" })).rejects.toMatchObject({ code: "validation_failed" });
    await expect(gateway.keys.import({ name: "c", hash: "not shown" })).rejects.toMatchObject({ code: "validation_failed" });
  });
});

describe("silos of projects (T16)", () => {
  let gateway: Gateway;
  const tenants = ["p1", "p2", "p3"] as const;
  const keys = new Map<string, { id: string; key: string }>();
  // One that is tried again finds nothing of its first time.
  beforeEach(async () => {
    gateway = await gatewayOf();
    for (const id of tenants) {
      expect((await call(gateway, "/api/v1/add/project", { body: { id, name: id } })).status).toBe(201);
      keys.set(id, await gateway.keys.create({ name: `admin of ${id}`, projectId: id, scopes: ["models:*", "admin:read", "admin:write"] }));
    }
  });
  afterEach(() => gateway.close({ graceMs: 0 }));

  it("nobody sees, changes or takes rows of another project, whatever is asked for", async () => {
    const rows = new Map<string, { type: string; path: string; id: string }[]>();
    for (const tenant of tenants) {
      const { key } = keys.get(tenant)!;
      const add = async (type: string, path: string, body: unknown) => {
        const response = await call(gateway, `/api/v1/add/${type}`, { key, body });
        expect([type, response.status]).toEqual([type, 201]);
        rows.set(tenant, [...(rows.get(tenant) ?? []), { type, path, id: (await json(response)).id as string }]);
      };
      await add("gateway-api-key", "keys", { name: `canary-${tenant}`, scopes: ["models:*"] });
      await add("user", "users", { username: `canary-${tenant}` });
      await add("team", "teams", { name: `canary-${tenant}` });
      await add("role", "roles", { name: `canary-${tenant}`, scopes: ["models:*"] });
    }
    const cases = fc.record({
      who: fc.constantFrom(...tenants),
      whose: fc.constantFrom(...tenants),
      which: fc.nat(3),
      how: fc.constantFrom("get", "patch", "list"),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ who, whose, which, how }) => {
        const { key } = keys.get(who)!;
        const target = rows.get(whose)![which]!;
        const path = `/api/v1/${target.path}`;
        const response =
          how === "list"
            ? await call(gateway, path, { key })
            : await call(gateway, `${path}/${target.id}`, {
                key,
                ...(how === "patch" ? { method: "PATCH", body: { if_version: 99 } } : {}),
              });
        const text = await response.text();
        if (who !== whose && how !== "list") expect([response.status, text.includes("canary")]).toEqual([404, false]);
        for (const other of tenants) if (other !== who) expect(text).not.toContain(`canary-${other}`);
      }),
      { numRuns: 150 },
    );
    for (const type of ["gateway-api-key", "user", "team", "role"]) {
      const target = rows.get("p2")!.find((row) => row.type === type)!;
      expect((await call(gateway, `/api/v1/del/${type}/${target.id}`, { key: keys.get("p1")!.key, method: "DELETE" })).status).toBe(404);
    }
    for (const type of ["gateway-api-key", "team", "role"]) {
      const body = { name: "x", scopes: ["models:*"], project_id: "p2", ...(type === "team" ? { scopes: undefined } : {}) };
      expect((await call(gateway, `/api/v1/add/${type}`, { key: keys.get("p1")!.key, body })).status).toBe(403);
    }
  });

  it("a project of its own is made by the owner alone, and seen by its own", async () => {
    const { key } = keys.get("p1")!;
    expect((await call(gateway, "/api/v1/add/project", { key, body: { name: "more" } })).status).toBe(403);
    expect((await json(await call(gateway, "/api/v1/projects", { key }))).data.map(({ id }: { id: string }) => id)).toEqual(["p1"]);
    expect((await json(await call(gateway, "/api/v1/projects"))).data).toHaveLength(3);
  });

  it("a key of several projects sees those that its scopes name, its own first", async () => {
    const made = await gateway.keys.create({ name: "two", projectId: "p1", scopes: ["admin:read", "project:p1", "project:p2"] });
    const me = await json(await call(gateway, "/api/v1/me", { key: made.key }));
    expect(me).toMatchObject({ projects: ["p1", "p2"], key_id: made.id, csrf_token: null });
    expect((await json(await call(gateway, "/api/v1/projects", { key: made.key }))).data).toHaveLength(2);
  });
});

describe("the limits of a key", () => {
  it("hold for all that was made from it together: two children have no more than their maker (T05)", async () => {
    const gateway = await started();
    const maker = await gateway.keys.create({ name: "maker", scopes: ["models:*", "keys:write"], rateLimit: { requestsPerMinute: 3 } });
    const make = async () => json(await call(gateway, "/api/v1/keys", { key: maker.key, body: { name: "c", scopes: ["models:*"] } }));
    const [a, b] = [await make(), await make()];
    const body = { model: "demo/echo", messages: [{ role: "user", content: "hi" }] };
    const statuses: number[] = [];
    for (const { key } of [a, b, a, b, maker])
      statuses.push((await call(gateway, "/v1/chat/completions", { key: key as string, body })).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });
});

describe("a run", () => {
  it("goes no step further when the key that started it is revoked", async () => {
    const gateway = await started();
    const { id, key } = await gateway.keys.create({ name: "k" });
    const run = await json(await call(gateway, "/api/v1/runs", { key, body: { model: "demo/echo", input: "hi" } }));
    const statusOf = async (): Promise<string> => (await json(await call(gateway, `/api/v1/runs/${run.id as string}`))).status as string;
    await expect.poll(statusOf).toBe("succeeded");
    await gateway.keys.revoke(id);
    const caller = { kind: "key" as const, id, name: "k", projects: ["default"] as [string], grants: ["*"], keyId: id };
    await expect(gateway.as(caller).run({ model: "demo/echo", input: "again" })).rejects.toMatchObject({ code: "unauthenticated" });
  });
});
