import { afterEach, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import { Browser, call, gatewayOf, json } from "./harness.js";

const open: Gateway[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })))));

/** An administrator whom a role denies budgets, and who acts in a project of its choice. */
async function deniedAdmin() {
  const gateway = await gatewayOf();
  open.push(gateway);
  const eve = await gateway.users.create({ username: "eve", password: "correct horse battery", role: "admin" });
  const made = async (path: string, body: object) => json(await call(gateway, path, { body }));
  const denies = await made("/api/v1/roles", { name: "no-budgets", scopes: ["!budgets:*"] });
  const browser = new Browser(gateway);
  const bind = (scope: object) => made("/api/v1/role-bindings", { user_id: eve.id, role: denies.id, ...scope });
  return { gateway, eve, denies, browser, bind, made };
}

it.each([
  ["in its project", { scope: "project", scope_id: "default" }, {}],
  ["everywhere", { scope: "global" }, {}],
  ["everywhere, while acting elsewhere", { scope: "global" }, { "x-sallyport-project": "p1" }],
])("a denial by a role that is held %s is not taken off by who holds it (T05)", async (_where, scope, headers) => {
  const { gateway, eve, denies, browser, bind, made } = await deniedAdmin();
  await made("/api/v1/role-bindings", { user_id: eve.id, role: "admin", scope: "project", scope_id: "p1" });
  const binding = await bind(scope);
  await browser.login("eve");
  expect((await browser.send("/api/v1/budgets")).status).toBe(403);
  const role = `/api/v1/roles/${denies.id as string}`;
  for (const [path, method, body] of [
    [role, "PATCH", { scopes: ["models:*"] }],
    [role, "PATCH", { scopes: ["!budgets:read"] }],
    [role, "DELETE", undefined],
    [`/api/v1/role-bindings/${binding.id as string}`, "DELETE", undefined],
  ] as const) {
    const { status } = await browser.send(path, { method, body, headers });
    // From a project where it is not denied, the role itself is not to be seen.
    expect([method, path, [403, 404].includes(status)]).toEqual([method, path, true]);
  }
  expect((await browser.send("/api/v1/budgets")).status).toBe(403);
  expect((await call(gateway, `/api/v1/role-bindings/${binding.id as string}`, { method: "DELETE" })).status).toBe(200);
  expect((await browser.send("/api/v1/budgets")).status).toBe(200);
});

it("nor by removing the team in which it is held (T05)", async () => {
  const { browser, bind, made } = await deniedAdmin();
  const team = await made("/api/v1/teams", { name: "t" });
  const other = await made("/api/v1/teams", { name: "u" });
  await bind({ scope: "team", scope_id: team.id });
  await browser.login("eve");
  expect((await browser.send(`/api/v1/teams/${team.id as string}`, { method: "DELETE" })).status).toBe(403);
  expect((await browser.send(`/api/v1/teams/${other.id as string}`, { method: "DELETE" })).status).toBe(200);
});

it("what does not bind who changes it is changed as before", async () => {
  const { gateway, denies, browser, made } = await deniedAdmin();
  await browser.login("eve");
  const somebody = await gateway.users.create({ username: "bob", password: "correct horse battery", role: "viewer" });
  const binding = await made("/api/v1/role-bindings", { user_id: somebody.id, role: denies.id, scope: "project", scope_id: "default" });
  expect(
    (await browser.send(`/api/v1/roles/${denies.id as string}`, { method: "PATCH", body: { scopes: ["!budgets:write"] } })).status,
  ).toBe(200);
  expect((await browser.send(`/api/v1/role-bindings/${binding.id as string}`, { method: "DELETE" })).status).toBe(200);
  expect((await browser.send(`/api/v1/roles/${denies.id as string}`, { method: "DELETE" })).status).toBe(200);
});
