import { lyingAuthorizationServer, protectedMcpServer } from "@sallyport/adapter-kit";
import { describe, expect, it, onTestFinished } from "vitest";
import { oauthClient, oauthState, oauthToken } from "../../../src/entities/index.js";
import { memoryStore } from "../../../src/memory/index.js";
import { clock } from "../../../src/platform/node.js";
import { createTestGateway } from "../../../src/testing/index.js";
import { ask, until, Visitor } from "./harness.js";

// Servers that were added over REST and are signed in at, from the first look to the end of the sign-in.

const instance = "/api/v1/admin/connection-instances/mcp/web";
const connection = "/api/v1/admin/gateway/connections/web";

async function scene(transport: "http" | "sse" = "http") {
  const as = await lyingAuthorizationServer();
  const server = await protectedMcpServer((token) => as.look(token), { transport });
  server.authorizationServers = [as.issuer];
  const store = memoryStore({ clock });
  const gateway = await createTestGateway({
    mcpServers: {},
    network: { allowPrivate: true },
    storage: { name: "memory", open: () => Promise.resolve(store) } as never,
  });
  onTestFinished(async () => {
    await gateway.close({ graceMs: 0 });
    await server.close();
    await as.close();
  });
  const rows = async () => {
    const counts = [oauthToken, oauthState, oauthClient].map(async (entity) => {
      const query = { orderBy: "id" as const, limit: 10 };
      return (await store.find(entity as typeof oauthToken, query, { system: "test" }, { deadlineMs: Date.now() + 5_000 })).rows.length;
    });
    return Promise.all(counts);
  };
  const put = (config: object) =>
    ask(gateway, ["PUT", instance], { body: { config: { endpoint: server.url, auth_mode: "oauth", ...config } } });
  const test = async (config?: object) => {
    const body = config === undefined ? {} : { config: { endpoint: server.url, auth_mode: "oauth", ...config } };
    return (await ask(gateway, ["POST", `${connection}/test`], { body })).json();
  };
  const status = async () =>
    (await ask(gateway, ["GET", `${connection}/status`])).json() as { healthy: boolean; oauth: Record<string, unknown> };
  const signIn = async (): Promise<void> => {
    const started = (await ask(gateway, ["POST", `${connection}/oauth-start`], { body: {} })).json() as Record<string, string>;
    expect((await new Visitor(gateway).signIn(started["authorization_url"]!, started["confirmation_code"])).status).toBe(200);
  };
  const call = async () => {
    const answer = await ask(gateway, ["POST", "/mcp/execute"], { body: { tool_name: "web__whoami", args: {} } });
    return { status: answer.status, text: answer.text };
  };
  return { as, server, gateway, rows, put, test, status, signIn, call };
}

describe.each([
  ["Streamable HTTP", "http"],
  ["HTTP+SSE", "sse"],
] as const)("a stored server over %s", (_name, transport) => {
  it("is signed in at, called, renewed, and needs a person again when the sign-in is withdrawn", async () => {
    const { as, server, put, status, signIn, call, gateway, rows } = await scene(transport);
    expect((await put({ type: transport, oauth_client_id: "me" })).status).toBe(200);
    await until(async () => (await status()).oauth["configured"] === true);
    expect(await status()).toMatchObject({ healthy: false, auth_mode: "oauth", oauth: { token_acquired: false, needs_reauth: true } });
    await signIn();
    await until(async () => (await status()).healthy);
    expect(await status()).toMatchObject({
      tools: ["web__whoami"],
      oauth: { token_acquired: true, has_refresh_token: true, authenticated_by: "owner" },
    });
    expect(await call()).toMatchObject({ status: 200, text: expect.stringContaining("authorization_code") as string });
    as.expireAll();
    expect(await call()).toMatchObject({ status: 200, text: expect.stringContaining("refresh_token") as string });
    expect(as.issued).toEqual({ authorization_code: 1, refresh_token: 1 });
    expect(server.done).toHaveLength(2);
    as.revokeAll();
    expect(await call()).toMatchObject({ text: expect.stringContaining("authorization_required") as string });
    expect((await status()).oauth).toMatchObject({ token_acquired: false, needs_reauth: true, last_error: "invalid_grant" });
    expect(server.done).toHaveLength(2);
    await signIn();
    expect((await call()).status).toBe(200);
    expect((await ask(gateway, ["DELETE", instance])).status).toBe(200);
    // The sign-in of a server that was taken away stays, and is of no use to another under its name.
    expect(await rows()).toEqual([1, 0, 1]);
  });
});

describe("a look at a server", () => {
  const own = (as: { readonly issuer: string }) => ({
    grant: "client_credentials",
    issuer: as.issuer,
    client_id: "me",
    client_secret: "secret-of-mine",
  });
  const shown = { healthy: true, tools: [{ name: "whoami", local_name: "web__whoami", description: null }] };

  it("signs in by itself where that needs nobody, and keeps nothing", async () => {
    const { as, server, test, rows, gateway } = await scene();
    as.clients.set("me", "secret-of-mine");
    expect(await test({ oauth: own(as) })).toEqual(shown);
    expect(
      await gateway.mcp.probe({
        url: server.url,
        auth: { type: "oauth", grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "secret-of-mine" },
      } as never),
    ).toMatchObject({
      tools: [{ name: "whoami" }],
    });
    expect([as.issued, await rows(), gateway.mcp.status()]).toEqual([{ client_credentials: 2 }, [0, 0, 0], []]);
    expect(await test({ oauth: { ...own(as), client_secret: "wrong" } })).toMatchObject({
      healthy: false,
      error: expect.stringContaining("invalid_client") as string,
    });
    // What stands in the gateway's environment or files is nobody's to name from outside.
    await test({ oauth: { ...own(as), client_secret: "env:HOME" } });
    expect(as.seen.at(-1)!.authorization).toBe(`Basic ${Buffer.from("me:env:HOME").toString("base64")}`);
  });

  it("says that a person has to sign in where one has to, and begins nothing", async () => {
    const { as, server, test, rows, gateway } = await scene();
    expect(await test({ oauth: { issuer: as.issuer, client_id: "me" } })).toEqual({
      healthy: false,
      error: 'A person has to sign in at "web" before it shows anything.',
    });
    const probing = gateway.mcp.probe({ url: server.url, auth: { type: "oauth", issuer: as.issuer, clientId: "me" } } as never);
    await expect(probing).rejects.toMatchObject({ code: "upstream_credential", details: { reason: "authorization_required" } });
    expect([as.seen, await rows()]).toEqual([[], [0, 0, 0]]);
  });

  it("of one that is there goes by its own sign-in", async () => {
    const { as, put, test, signIn, status } = await scene();
    await put({ oauth: { issuer: as.issuer, client_id: "me" } });
    await until(async () => (await status()).oauth["configured"] === true);
    expect(await test()).toMatchObject({ healthy: false, error: expect.stringContaining("Awaiting OAuth authorization") as string });
    await signIn();
    expect(await test()).toEqual(shown);
    expect(as.issued).toEqual({ authorization_code: 1 });
  });
});

describe("a connection's settings", () => {
  it("stand in oauth, or beside it as oauth_…, which goes before; they are shown as one", async () => {
    const { as, put, gateway, status } = await scene();
    as.clients.set("me", "secret-of-mine");
    const stored = await put({
      oauth_grant: "client_credentials",
      oauth_client_secret: "secret-of-mine",
      oauth_client_id: "me",
      oauth_refresh_max_lifetime: "90s",
      oauth: { issuer: as.issuer, client_id: "somebody-else", endpoint_auth_style: "params" },
    });
    expect(stored.status).toBe(200);
    expect((stored.json()["config"] as Record<string, unknown>)["oauth"]).toEqual({
      grant: "client_credentials",
      issuer: as.issuer,
      client_id: "me",
      client_secret: "[REDACTED]",
      endpoint_auth_style: "params",
      refresh_max_lifetime: 90,
    });
    expect(stored.text).not.toContain("oauth_");
    await until(async () => (await status()).healthy);
    expect(as.seen.at(-1)!.form.get("client_secret")).toBe("secret-of-mine");
    // As it was shown it can be sent back, and an unknown name is told.
    const back = await ask(gateway, ["PUT", instance], { body: { config: stored.json()["config"] } });
    expect(back.json()["config"]).toEqual(stored.json()["config"]);
    expect((await put({ oauth_nonsense: "x" })).json()["error"]).toMatchObject({ code: "validation_failed" });
  });
});
