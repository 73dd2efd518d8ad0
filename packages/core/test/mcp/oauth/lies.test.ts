import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { GatewayError } from "../../../src/errors/index.js";
import { agreed, consented, signIn, whoami, world, type World } from "./harness.js";

/** Listens on loopback, and keeps what it hears. */
async function ear() {
  let heard = "";
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on("data", (chunk) => (heard += chunk.toString("latin1"))).on("error", () => undefined);
    socket.end("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, heard: () => heard, connections: () => connections };
}

const caught = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error as GatewayError,
  );
const start = (made: Awaited<ReturnType<World["gateway"]>>) => made.mcp.oauth.start("web", { base: "http://localhost" });

describe("what an authorization server says of itself", () => {
  const urls = [
    ...[
      "javascript:alert(1)",
      "file:///etc/passwd",
      "data:text/html,x",
      "vbscript:x",
      "ftp://files.example/",
      "$(id)",
      "`id`",
      "|calc.exe",
    ],
    ...[
      "http://as.example/authorize",
      "https://user:pass@as.example/authorize",
      "https://as.example/authorize#x",
      "https://as.example/ a",
      "//as.example/x",
      "",
    ],
  ];
  it.each(urls)("is refused when its authorization endpoint is %j, and nobody is sent there (T02)", async (url) => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    as.metadata = { authorization_endpoint: url };
    expect(await caught(start(made))).toMatchObject({ code: "upstream_protocol", details: { reason: "oauth_invalid_metadata" } });
  });

  it.each([
    ["another issuer", (issuer: string) => ({ issuer: `${issuer}.evil.example` })],
    ["an issuer with another case", (issuer: string) => ({ issuer: issuer.replace("http", "HTTP") })],
    ["an issuer with a slash more", (issuer: string) => ({ issuer: `${issuer}/` })],
    ["an issuer with another path", (issuer: string) => ({ issuer: `${issuer}/other` })],
    ["another port", (issuer: string) => ({ issuer: `${issuer}1` })],
    ["no PKCE", () => ({ code_challenge_methods_supported: undefined })],
    ["plain PKCE alone", () => ({ code_challenge_methods_supported: ["plain"] })],
    ["no token endpoint", () => ({ token_endpoint: undefined })],
  ] as const)("is refused with %s (T37)", async (_what, metadata) => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    as.metadata = metadata(as.issuer);
    expect(await caught(start(made))).toMatchObject({ code: "upstream_protocol" });
  });

  it("leads to no private address that the operator did not name (T11, T12)", async () => {
    const { as, gateway } = await world();
    const inside = await ear();
    for (const host of [inside.origin, "http://127.0.0.1:1", "https://169.254.169.254", "https://[::ffff:7f00:1]", "https://10.0.0.1"]) {
      as.metadata = { token_endpoint: `${host}/token` };
      const fresh = await gateway({ grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "canary-client-secret" });
      expect(await caught(whoami(fresh))).toMatchObject({ code: expect.stringMatching(/^upstream_/) as string });
    }
    expect([inside.connections(), inside.heard()]).toEqual([0, ""]);
  });
});

describe("an authorization server that cannot be asked", () => {
  it("is not needed for what was read within the hour, and nobody comes in without a token meanwhile (F77)", async () => {
    const { as, server, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    await signIn(made);
    as.metadata = { issuer: undefined, token_endpoint: undefined };
    as.expireAll();
    // Renewed with the addresses that are known.
    expect(await whoami(made)).toMatchObject({ grant: "refresh_token" });
    as.expireAll();
    as.lies.push("server_error");
    const error = await caught(whoami(made));
    expect(error).toMatchObject({ code: "upstream_unavailable" });
    // One that never read them has nothing to go by, and shows nothing in the place of a token.
    const done = server.done.length;
    const fresh = await gateway({ grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "canary-client-secret" });
    expect(await caught(whoami(fresh))).toMatchObject({ code: "upstream_protocol" });
    expect(server.done).toHaveLength(done);
    as.metadata = {};
    expect(await fresh.mcp.oauth.reacquire("web")).toMatchObject({ tokenAcquired: true });
    expect(await whoami(fresh)).toMatchObject({ grant: "client_credentials" });
  });
});

describe("a token endpoint", () => {
  it.each([
    ["redirects", "redirect"],
    ["never ends", "endless"],
    ["is no JSON", "not_json"],
    ["has no token", "no_token"],
    ["has a token of another type", "other_type"],
  ] as const)("whose answer %s gives no token, and nothing goes elsewhere (T13)", async (_what, lie) => {
    const { as, server, gateway } = await world();
    as.lies.push(lie);
    const made = await gateway({ grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "canary-client-secret" });
    const error = await caught(whoami(made));
    expect(error).toMatchObject({ code: "upstream_protocol" });
    expect(as.seen.some(({ path }) => path === "/elsewhere")).toBe(false);
    expect(server.done).toEqual([]);
    expect(JSON.stringify(error) + String(error)).not.toContain("canary");
  });
});

describe("the answer to a sign-in", () => {
  const honest = (issuer: string): string => issuer;
  const evil = (): string => "https://evil.example";
  const taken = { code: null, asked: 1 };
  const refused = { code: "upstream_credential", asked: 0 };
  /** What metadata promise, what comes, and what is made of it (RFC 9207 §2.4). */
  it.each([
    ["promised, and comes", true, honest, taken],
    ["promised, and does not come", true, null, refused],
    ["not promised, and comes", undefined, honest, taken],
    ["not promised, and does not come", undefined, null, taken],
    ["promised to stay away, and comes", false, honest, taken],
    ["promised, and is another's", true, evil, refused],
    ["not promised, and is another's", undefined, evil, refused],
    ["promised, with a slash more", true, (issuer: string) => `${issuer}/`, refused],
    ["promised, in another case", true, (issuer: string) => issuer.replace("http", "HTTP"), refused],
    ["promised, with a path more", true, (issuer: string) => `${issuer}/x`, refused],
    ["promised, with another port", true, (issuer: string) => `${issuer}1`, refused],
    ["promised, and empty", true, () => "", refused],
  ] as const)("whose issuer is %s (T37, RFC 9207)", async (_what, promised, said, { code, asked }) => {
    const { as, gateway } = await world();
    as.metadata = { authorization_response_iss_parameter_supported: promised };
    as.iss = said === null ? null : said(as.issuer);
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    const { authorizationUrl, cookie } = await consented(made, await start(made));
    const back = await agreed(authorizationUrl);
    const error = await caught(made.mcp.oauth.finish(back.searchParams, () => cookie));
    expect([error?.code ?? null, error?.details?.["reason"]]).toEqual([code, code === null ? undefined : "issuer_mismatch"]);
    expect(as.seen.filter(({ path }) => path === "/token")).toHaveLength(asked);
  });

  it("whose issuer stands twice is not believed (T37)", async () => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    const { authorizationUrl, cookie } = await consented(made, await start(made));
    const back = await agreed(authorizationUrl);
    back.searchParams.append("iss", as.issuer);
    expect(await caught(made.mcp.oauth.finish(back.searchParams, () => cookie))).toMatchObject({ details: { reason: "issuer_mismatch" } });
    expect(as.seen.filter(({ path }) => path === "/token")).toEqual([]);
  });

  it("that says no says it in one word, whatever it writes", async () => {
    const { as, gateway } = await world();
    const made = await gateway({ issuer: as.issuer, clientId: "me" });
    const { authorizationUrl, cookie } = await consented(made, await start(made));
    const answer = new URLSearchParams({
      state: new URL(authorizationUrl).searchParams.get("state")!,
      iss: as.issuer,
      error: "access_denied",
      error_description: "<script>canary</script>",
    });
    const error = await caught(made.mcp.oauth.finish(answer, () => cookie));
    expect(error).toMatchObject({ code: "upstream_credential", details: { idp_code: "access_denied" } });
    expect(JSON.stringify(error)).not.toContain("canary");
  });
});

describe("an MCP server", () => {
  it("that names another authorization server after the sign-in gets nothing of it sent there (T15)", async () => {
    const { as, server, gateway } = await world();
    const evil = await ear();
    server.authorizationServers = [as.issuer];
    const made = await gateway({ clientId: "me" }, { network: { allowPrivate: true } });
    await signIn(made);
    await whoami(made);
    const tokens = server.done.map(({ token }) => token);
    server.authorizationServers = [evil.origin];
    as.expireAll();
    // What is renewed, is renewed where it was issued.
    await whoami(made);
    as.revokeAll();
    await expect(whoami(made)).rejects.toMatchObject({ details: { reason: "authorization_required" } });
    const again = await caught(start(made));
    expect(again).not.toBeNull();
    expect(evil.heard()).not.toMatch(/refresh-|access-|client_id|grant_type/);
    for (const token of tokens) expect(evil.heard()).not.toContain(token);
  });

  it("is held to the authorization server that it named first, until a person says otherwise (T15)", async () => {
    const { as, server, gateway } = await world();
    const other = await world();
    server.authorizationServers = [as.issuer];
    const made = await gateway({ clientId: "me" }, { network: { allowPrivate: true } });
    await signIn(made);
    server.authorizationServers = [other.as.issuer];
    await made.mcp.oauth.remove("web", { principal: "somebody" });
    const held = await caught(start(made));
    expect(held).toMatchObject({ code: "misconfigured", details: { reason: "issuer_changed" } });
    expect(other.as.seen.map(({ path }) => path)).toEqual(["/.well-known/oauth-authorization-server"]);
    await made.mcp.oauth.remove("web");
    expect(new URL((await consented(made, await start(made))).authorizationUrl).origin).toBe(other.as.issuer);
  });

  it("whose metadata is of another resource is not signed in at", async () => {
    const { as, server, gateway } = await world();
    server.authorizationServers = [as.issuer];
    server.resource = "https://victim.example/mcp";
    const made = await gateway({ clientId: "me" }, { network: { allowPrivate: true } });
    expect(await caught(start(made))).toMatchObject({ details: { reason: "oauth_invalid_metadata", problem: "resource" } });
  });

  it("of which nobody named the authorization server leads to none at a private address (T11)", async () => {
    const { as, server, gateway } = await world();
    server.authorizationServers = [as.issuer];
    const made = await gateway({ clientId: "me" });
    expect(await caught(start(made))).toMatchObject({ details: { reason: "oauth_invalid_metadata", problem: "private_address" } });
    expect(as.seen).toEqual([]);
  });

  it("wants more than was agreed to: a person is asked, and the next sign-in asks for it", async () => {
    const { as, server, gateway } = await world();
    server.authorizationServers = [as.issuer];
    const made = await gateway({ clientId: "me" }, { network: { allowPrivate: true } });
    await signIn(made);
    server.scope = "write";
    await expect(whoami(made)).rejects.toMatchObject({ code: "upstream_credential", message: expect.stringContaining("write") as string });
    expect(new URL((await consented(made, await start(made))).authorizationUrl).searchParams.get("scope")?.split(" ").sort()).toEqual([
      "tools",
      "write",
    ]);
    await signIn(made);
    expect(await whoami(made)).toMatchObject({ scope: expect.stringContaining("write") as string });
  });
});
