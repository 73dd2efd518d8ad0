import { lyingAuthorizationServer } from "@sallyport/adapter-kit";
import { expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../../src/calls/index.js";
import type { GatewayError } from "../../../src/errors/index.js";
import type { Gateway } from "../../../src/gateway.js";
import { ask, Visitor, world, type Answered, type World } from "./harness.js";

// Each caller signs in for itself (T16, T36): by a page of consent in one browser, over connections of its own.

const PUBLIC = "https://gateway.example";
const callers: Readonly<Record<string, Caller>> = Object.fromEntries(
  ["ada", "bob"].map((name) => [
    name,
    { kind: "user", id: `user_${name}`, userId: `user_${name}`, name, projects: ["default"], grants: ["mcp:*"] },
  ]),
);
const as = (name: string) => ({ authorization: "", "x-test-caller": name });

async function perUser({ as: server, gateway }: World, publicUrl: string | null = PUBLIC): Promise<Gateway> {
  return gateway(
    { issuer: server.issuer, credentials: "perUser", clientId: "me" },
    {
      auth: (request) => callers[request.header("x-test-caller") ?? ""] ?? null,
      access: publicUrl === null ? {} : { publicUrl },
      network: { allowPrivate: true },
    },
  );
}

const signInBy = (gateway: Gateway, started: Answered) =>
  new Visitor(gateway).signIn(String(started.json()["authorization_url"]), String(started.json()["confirmation_code"]));
const whoami = (gateway: Gateway, name: string) => gateway.mcp.call("web__whoami", {}, { caller: callers[name]! });

it("a call of somebody who has not signed in says where to, and works once they have; nobody else's does", async () => {
  const w = await world();
  const gateway = await perUser(w);
  const needed = (await whoami(gateway, "ada").catch((error: unknown) => error)) as GatewayError;
  expect(needed).toMatchObject({ code: "authorization_required", status: 403, details: { server: "web" } });
  const link = String(needed.details?.["authorization_url"]);
  expect(link).toMatch(/^https:\/\/gateway\.example\/api\/v1\/oauth\/sign-in\/[A-Za-z0-9_-]{43}$/);
  // Asked again, the same address is told: there is one sign-in to finish.
  expect(await whoami(gateway, "ada").catch((error: GatewayError) => error.details?.["authorization_url"])).toBe(link);
  const visitor = new Visitor(gateway);
  const shown = await visitor.show(link);
  expect(await shown.text()).toMatch(
    /ada asked this gateway to use your account at 127\.0\.0\.1:\d+.*ada \(user_ada\) alone will act there/s,
  );
  expect(shown.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  const done = await visitor.signIn(link, String(needed.details?.["confirmation_code"]));
  expect([done.status, await done.text()]).toEqual([200, expect.stringContaining("signed in at web")]);
  expect((await whoami(gateway, "ada")).isError).toBe(false);
  await expect(whoami(gateway, "bob")).rejects.toMatchObject({ code: "authorization_required" });
  // The gateway has no sign-in of its own there.
  await expect(gateway.mcp.call("web__whoami")).rejects.toMatchObject({ code: "authorization_required" });
});

it("no session and no token of one is ever used for another (T16)", async () => {
  const w = await world();
  const gateway = await perUser(w);
  for (const name of ["ada", "bob"]) {
    const started = await ask(gateway, ["POST", "/api/v1/admin/gateway/connections/web/oauth-start"], { body: {}, headers: as(name) });
    expect(started.status).toBe(200);
    expect((await signInBy(gateway, started)).status).toBe(200);
  }
  await Promise.all(Array.from({ length: 20 }, (_, i) => whoami(gateway, i % 2 === 0 ? "ada" : "bob")));
  const tokens = new Set(w.server.done.map(({ token }) => token));
  expect([tokens.size, w.server.done.length]).toEqual([2, 20]);
  const sessions = new Map<string, Set<string>>();
  for (const { session, authorization } of w.server.seen)
    if (session !== undefined) sessions.set(session, (sessions.get(session) ?? new Set()).add(authorization ?? ""));
  expect([...sessions.values()].map((shown) => shown.size)).toEqual([1, 1]);
});

it("what a server quotes of a caller's token is taken out (T26)", async () => {
  const w = await world();
  const gateway = await perUser(w);
  const started = await ask(gateway, ["POST", "/api/v1/admin/gateway/connections/web/oauth-start"], { body: {}, headers: as("ada") });
  await signInBy(gateway, started);
  const result = await gateway.mcp.call("web__whoami", { quote: true }, { caller: callers["ada"]! });
  expect(JSON.stringify(result.raw)).toContain("***");
  expect(JSON.stringify(result.raw)).not.toContain(w.server.done[0]!.token);
});

it("a caller sees and removes its own sign-in alone", async () => {
  const w = await world();
  const gateway = await perUser(w);
  const path = "/api/v1/admin/gateway/connections/web/oauth-token";
  const put = await ask(gateway, ["PUT", path], { body: { access_token: "brought-from-elsewhere", expires_in: 600 }, headers: as("ada") });
  expect([put.status, put.json()]).toEqual([
    200,
    expect.objectContaining({ token_acquired: true, has_refresh_token: false, authenticated_by: "ada" }),
  ]);
  expect(put.text).not.toContain("brought-from");
  expect((await ask(gateway, ["GET", path], { headers: as("bob") })).json()).toMatchObject({ token_acquired: false, needs_reauth: true });
  expect((await ask(gateway, ["GET", `${path}?principal=user_ada`], { headers: as("bob") })).status).toBe(403);
  expect((await ask(gateway, ["DELETE", `${path}?principal=user_ada`], { headers: as("bob") })).status).toBe(403);
  expect((await ask(gateway, ["DELETE", path], { headers: as("bob") })).json()).toEqual({ removed: false });
  expect((await ask(gateway, ["DELETE", path], { headers: as("ada") })).json()).toEqual({ removed: true });
  expect((await ask(gateway, ["GET", path], { headers: as("ada") })).json()).toMatchObject({ token_acquired: false });
});

it("a token that a caller brings of an authorization server of its own choice never has the client secret sent there (T15)", async () => {
  const w = await world();
  const evil = await lyingAuthorizationServer();
  onTestFinished(() => evil.close());
  const gateway = await w.gateway(
    { issuer: w.as.issuer, credentials: "perUser", clientId: "me", clientSecret: "secret-of-the-operator" },
    {
      auth: (request) => callers[request.header("x-test-caller") ?? ""] ?? null,
      access: { publicUrl: PUBLIC },
      network: { allowPrivate: true },
    },
  );
  const path = "/api/v1/admin/gateway/connections/web";
  const body = { access_token: "any", refresh_token: "any-too", expires_in: 1, issuer: evil.issuer };
  const put = await ask(gateway, ["PUT", `${path}/oauth-token`], { body, headers: as("bob") });
  await ask(gateway, ["POST", `${path}/oauth-reacquire`], { body: {}, headers: as("bob") });
  const sent = evil.seen.map(
    ({ authorization, body: text }) => `${Buffer.from((authorization ?? "").slice(6), "base64").toString()} ${text}`,
  );
  expect(sent.join("\n")).not.toContain("secret-of-the-operator");
  expect([put.status, put.json()["error"]]).toEqual([400, expect.objectContaining({ code: "validation_failed" })]);
  // One's own is still taken.
  const own = { ...body, issuer: w.as.issuer };
  expect((await ask(gateway, ["PUT", `${path}/oauth-token`], { body: own, headers: as("bob") })).status).toBe(200);
});

it("a token that a caller brings binds the server to no authorization server but its own (T15)", async () => {
  const w = await world();
  const evil = await lyingAuthorizationServer();
  onTestFinished(() => evil.close());
  w.server.authorizationServers = [w.as.issuer];
  const gateway = await w.gateway(
    { credentials: "perUser", clientId: "me" },
    {
      auth: (request) => callers[request.header("x-test-caller") ?? ""] ?? null,
      access: { publicUrl: PUBLIC },
      network: { allowPrivate: true },
    },
  );
  const path = "/api/v1/admin/gateway/connections/web";
  const body = { access_token: "any", refresh_token: "any-too", issuer: evil.issuer };
  expect((await ask(gateway, ["PUT", `${path}/oauth-token`], { body, headers: as("bob") })).status).toBe(400);
  // Nobody else is kept from signing in by it.
  expect((await ask(gateway, ["POST", `${path}/oauth-start`], { body: {}, headers: as("ada") })).status).toBe(200);
});

it("callers whose ids begin alike, however long, are two (T08, T16)", async () => {
  const w = await world();
  const gateway = await perUser(w);
  const long = (name: string): Caller => ({
    ...callers["ada"]!,
    id: `https://idp.example/${"a".repeat(100)}/${name}`,
    userId: undefined,
    name,
  });
  await gateway.mcp.oauth.ingest("web", { accessToken: "of-ada" }, { principal: gateway.mcp.oauth.principalOf(long("ada")) });
  await expect(gateway.mcp.call("web__whoami", {}, { caller: long("bob") })).rejects.toMatchObject({ code: "authorization_required" });
  expect(w.server.seen.filter(({ authorization }) => authorization === "Bearer of-ada")).toEqual([]);
});

it("without an address for browsers the error says how to get one", async () => {
  const gateway = await perUser(await world(), null);
  const needed = (await whoami(gateway, "ada").catch((error: unknown) => error)) as GatewayError;
  expect(needed).toMatchObject({ code: "authorization_required", hint: expect.stringContaining("oauth-start") as string });
  expect(needed.details).toEqual({ server: "web", inbox_id: expect.stringMatching(/^sgn_/) as string });
});
