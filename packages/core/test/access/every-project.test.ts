import { afterEach, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import { Browser, call, gatewayOf, json } from "./harness.js";

const open: Gateway[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })))));
async function started(): Promise<Gateway> {
  const gateway = await gatewayOf();
  open.push(gateway);
  return gateway;
}

/** Rows that belong to no project, each as it is made. */
const rows = [
  ["rate-limits", { subject: "global", requests_per_minute: 1 }],
  ["rate-limits", { subject: "project", subject_id: "p2", requests_per_minute: 1 }],
  ["guardrails", { name: "zz", kind: "words", settings: { words: ["a", "e", "i"] } }],
  ["tool-permissions", { subject: "project", subject_id: "p2", server: "*", tool: "*" }],
  ["tool-classifications", { server: "*", tool: "*", class: "safe", requires_approval: false }],
  ["providers", { name: "stolen", vendor: "openai", api_key: "sk-aaaaaaaaaaaaaaaaaaaaaaaa" }],
  ["models", { provider: "demo", code: "echo", context_tokens: 7 }],
  ["routes", { name: "mine", targets: [{ model: "demo/echo" }] }],
  ["alert-rules", { name: "r", metric: "request_rate", condition: "gt", threshold: 1 }],
  ["alert-channels", { name: "c", kind: "webhook", settings: { url: "https://example.com/hook" } }],
  ["config", { key: "server.docs", value: false }],
  ["budgets", { name: "x", scope: "global", amount_usd: "0", period: "day", hard: true }],
] as const;
const readElsewhere = [
  "rate-limits",
  "tool-permissions",
  "providers",
  "provider-keys",
  "alert-rules",
  "alert-channels",
  "alerts",
  "config",
  "config/server.docs/explain",
];

type Send = (path: string, o?: { readonly method?: string; readonly body?: unknown }) => Promise<Response>;
type Made = readonly [who: string, make: (gateway: Gateway) => Promise<Send>];

const byKey =
  (o: { readonly scopes: readonly string[]; readonly projectId?: string }) =>
  async (gateway: Gateway): Promise<Send> => {
    const { key } = await gateway.keys.create({ name: "k", ...o });
    return (path, init) => call(gateway, path, { key, ...init });
  };
const byUser =
  (o: { readonly projectId?: string; readonly role?: string; readonly everywhere?: string }) =>
  async (gateway: Gateway): Promise<Send> => {
    const { everywhere, ...user } = o;
    const { id } = await gateway.users.create({ username: "u", password: "correct horse battery", ...user });
    if (everywhere !== undefined)
      await call(gateway, "/api/v1/role-bindings", { body: { user_id: id, role: everywhere, scope: "global" } });
    const browser = new Browser(gateway);
    await browser.login("u");
    return (path, init) => browser.send(path, init);
  };

describe("what belongs to no project (T04)", () => {
  const some: readonly Made[] = [
    ["a key of one project with admin:*", byKey({ scopes: ["admin:*", "models:*"], projectId: "p1" })],
    ["a key of one project with *", byKey({ scopes: ["*"], projectId: "p1" })],
    ["a key of the default project with *, where there are others", byKey({ scopes: ["*"] })],
    ["an admin of one project", byUser({ projectId: "p1", role: "admin" })],
    ["an owner of one project", byUser({ projectId: "p1", role: "owner" })],
  ];
  it.each(some)("is not written, and what names others not read, by %s", async (_who, make) => {
    const gateway = await started();
    await gateway.keys.create({ name: "seed", projectId: "p2" });
    const send = await make(gateway);
    for (const [path, body] of rows) {
      const owned = await call(gateway, `/api/v1/${path}`, { body });
      expect([path, owned.status]).toEqual([path, 201]);
      const { id } = await json(owned);
      const tries: [string, string, unknown][] = [
        [`/api/v1/${path}`, "POST", body],
        [`/api/v1/${path}/${id as string}`, "PATCH", { name: "other", enabled: false }],
        [`/api/v1/${path}/${id as string}`, "DELETE", undefined],
      ];
      for (const [at, method, sent] of tries) {
        const { status } = await send(at, { method, body: sent });
        // A budget is of a project; of another than the caller's it is not to be seen. A body is checked first.
        expect([method, at, [403, 404, 400, 422].includes(status)]).toEqual([method, at, true]);
      }
      expect((await send(`/api/v1/${path}`, { method: "POST", body })).status).toBe(403);
      expect((await call(gateway, `/api/v1/${path}/${id as string}`, { method: "DELETE" })).status).toBe(200);
    }
    for (const path of readElsewhere) expect([path, (await send(`/api/v1/${path}`)).status]).toEqual([path, 403]);
    expect((await send("/metrics")).status).toBe(403);
    for (const path of ["guardrails", "routes", "models", "keys", "users", "budgets"])
      expect([path, (await send(`/api/v1/${path}`)).status]).toEqual([path, 200]);
    expect((await send("/api/v1/teams", { method: "POST", body: { name: "t" } })).status).toBe(201);
    expect(
      (await send("/api/v1/budgets", { method: "POST", body: { name: "x", scope: "global", amount_usd: "0", period: "day" } })).status,
    ).toBe(403);
  });

  const all: readonly Made[] = [
    ["a key that selects every project", byKey({ scopes: ["admin:*", "project:*"] })],
    ["an admin everywhere", byUser({ everywhere: "admin" })],
  ];
  it.each(all)("is administered by %s", async (_who, make) => {
    const gateway = await started();
    await gateway.keys.create({ name: "seed", projectId: "p2" });
    const send = await make(gateway);
    for (const [path, body] of rows) {
      const made = await send(`/api/v1/${path}`, { method: "POST", body });
      expect([path, made.status]).toEqual([path, 201]);
      expect((await send(`/api/v1/${path}/${(await json(made)).id as string}`, { method: "DELETE" })).status).toBe(200);
    }
    for (const path of readElsewhere) expect([path, (await send(`/api/v1/${path}`)).status]).toEqual([path, 200]);
    expect((await send("/metrics")).status).toBe(200);
  });

  it("is the only project's, where there is one", async () => {
    const gateway = await started();
    const send = await byUser({ role: "admin" })(gateway);
    for (const [path, body] of rows) expect([path, (await send(`/api/v1/${path}`, { method: "POST", body })).status]).toEqual([path, 201]);
  });
});
