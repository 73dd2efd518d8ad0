import { exportJWK, exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { GatewayOptions } from "../../../src/gateway-options.js";
import type { Gateway } from "../../../src/gateway.js";
import { createTestGateway } from "../../../src/testing/index.js";
import { forgingServer } from "../servers/forging-server.js";
import { ask, world } from "./harness.js";
import { issuerOf, nowS, PUBLIC } from "./issuer.js";

let issuer: Awaited<ReturnType<typeof issuerOf>>;
beforeAll(async () => {
  issuer = await issuerOf();
});
afterAll(() => void (issuer.server.closeAllConnections(), issuer.server.close()));

async function resource(options: GatewayOptions = {}, more: Record<string, unknown> = {}): Promise<Gateway> {
  const scopes = { tools: ["mcp:demo__echo", "mcp:web__*"], admin: ["mcp:*"] };
  const access = { publicUrl: PUBLIC, resourceServer: { issuers: [{ issuer: issuer.url, scopes, ...more }] } } as never;
  const gateway = await createTestGateway({ access, ...options });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return gateway;
}

const call = (name: string, args: object = {}) => ({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } });
const accept = { accept: "application/json" };
const asks = (gateway: Gateway, token: string, body: unknown = call("demo__echo", { text: "hi" }), path = "/mcp") =>
  ask(gateway, ["POST", path], { body, headers: { ...accept, authorization: `Bearer ${token}` } });

describe("the gateway as a resource server", () => {
  it("tells who has no token where to get one", async () => {
    const gateway = await resource();
    const nobody = await ask(gateway, ["POST", "/mcp"], { body: call("demo__echo"), headers: { ...accept, authorization: "" } });
    expect(nobody.status).toBe(401);
    const challenge = nobody.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain(`Bearer resource_metadata="${PUBLIC}/.well-known/oauth-protected-resource/mcp"`.replace("Bearer ", ""));
    const document = await ask(gateway, ["GET", "/.well-known/oauth-protected-resource/mcp"], { headers: { authorization: "" } });
    expect(document.json()).toMatchObject({
      resource: `${PUBLIC}/mcp`,
      authorization_servers: [issuer.url],
      scopes_supported: ["tools", "admin"],
    });
    const namespace = await ask(gateway, ["GET", "/.well-known/oauth-protected-resource/ns/team/mcp"], { headers: { authorization: "" } });
    expect(namespace.json()).toMatchObject({ resource: `${PUBLIC}/ns/team/mcp` });
  });

  it("takes a token of its issuer as a caller with the grants of its scopes, and asks for the keys once", async () => {
    const gateway = await resource();
    const token = await issuer.sign(issuer.claims());
    const before = issuer.paths.length;
    for (let i = 0; i < 3; i++) expect((await asks(gateway, token)).json()).toMatchObject({ result: { content: [{ text: "hi" }] } });
    expect(issuer.paths.slice(before)).toEqual(["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/jwks"]);
    const list = (await asks(gateway, token, { jsonrpc: "2.0", id: 2, method: "tools/list" })).json()["result"] as {
      tools: { name: string }[];
    };
    expect(list.tools.map(({ name }) => name)).toEqual(["demo__echo"]);
  });

  it("asks for no scope because a server says that one is missing", async () => {
    const gateway = await resource();
    const forged = { code: "forbidden", details: { missing: "mcp:demo__time" }, request_id: "req_1" };
    await gateway.mcp.connect("web", { server: () => forgingServer(forged) as never });
    const answer = await asks(gateway, await issuer.sign(issuer.claims()), call("web__t"));
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([200, null]);
    expect(answer.json()).toMatchObject({ error: { data: forged } });
  });

  it("asks for the scope that is missing, and that one suffices (step-up)", async () => {
    const gateway = await resource();
    const refused = await asks(gateway, await issuer.sign(issuer.claims()), call("demo__time"));
    expect(refused.status).toBe(403);
    expect(refused.headers.get("www-authenticate")).toContain('error="insufficient_scope", scope="tools admin"');
    expect(refused.json()).toMatchObject({ error: { data: { code: "forbidden" } } });
    expect((await asks(gateway, await issuer.sign(issuer.claims({ scope: "tools admin" })), call("demo__time"))).status).toBe(200);
    // A scope that nobody gave a meaning gives nothing.
    const unknown = await asks(gateway, await issuer.sign(issuer.claims({ scope: "owner *" })), {
      jsonrpc: "2.0",
      id: 2,
      method: "tools/list",
    });
    expect(unknown.json()).toMatchObject({ result: { tools: [] } });
  });

  it("takes tokens at the MCP addresses alone", async () => {
    const gateway = await resource();
    const token = await issuer.sign(issuer.claims({ scope: "tools admin", aud: PUBLIC }));
    expect((await asks(gateway, token)).status).toBe(200);
    for (const path of ["/api/v1/me", "/v1/models", "/api/v1/keys"]) {
      const answer = await ask(gateway, ["GET", path], { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(401);
    }
  });

  it("refuses every token that is not right, all alike (T38)", async () => {
    const gateway = await resource();
    const { claims, sign, good, other } = issuer;
    const pem = new TextEncoder().encode(await exportSPKI(good.publicKey));
    const evil = await world();
    const bad: Record<string, string> = {
      "another audience": await sign(claims({ aud: "https://other.example/mcp" })),
      "no audience": await sign(claims({ aud: undefined as never })),
      "the audience of a namespace": await sign(claims({ aud: `${PUBLIC}/ns/team/mcp` })),
      "another issuer": await sign(claims({ iss: "https://evil.example" })),
      "an issuer with a slash more": await sign(claims({ iss: `${issuer.url}/` })),
      "no issuer": await sign(claims({ iss: undefined as never })),
      expired: await sign(claims({ exp: nowS() - 120 })),
      "no end": await sign(claims({ exp: undefined as never })),
      "not begun": await sign(claims({ nbf: nowS() + 600 })),
      "no subject": await sign(claims({ sub: undefined as never })),
      "another key": await sign(claims(), {}, other.privateKey),
      "another key's id": await sign(claims(), { kid: "k2" }),
      "a key id that is a path": await sign(claims(), { kid: "../../../../dev/null" }, other.privateKey),
      "keys of its own": await sign(claims(), { jku: `${evil.as.issuer}/jwks` }, other.privateKey),
      "a certificate of its own": await sign(claims(), { x5u: `${evil.as.issuer}/cert` }, other.privateKey),
      "a key within": await sign(claims(), { jwk: { ...(await exportJWK(other.publicKey)) } as never }, other.privateKey),
      "no signature": new UnsecuredJWT(claims()).encode(),
      "the public key as a shared secret": await new SignJWT(claims()).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(pem),
    };
    const token = await sign(claims());
    bad["one changed letter"] = `${token.slice(0, -2)}${token.endsWith("AA") ? "BB" : "AA"}`;
    for (const [what, one] of Object.entries(bad)) {
      const answer = await asks(gateway, one);
      expect([what, answer.status]).toEqual([what, 401]);
      expect(answer.text).not.toContain(one.split(".")[1]);
    }
    expect(evil.as.seen).toEqual([]);
    expect((await asks(gateway, token)).status).toBe(200);
  });

  it("lets nobody in while the issuer's keys cannot be had, and recovers (F77)", async () => {
    const gateway = await resource({}, { jwksUrl: `${issuer.url}/jwks` });
    issuer.fails(true);
    onTestFinished(() => issuer.fails(false));
    const token = await issuer.sign(issuer.claims());
    expect((await asks(gateway, token)).status).toBe(502);
    issuer.fails(false);
    expect((await asks(gateway, token)).status).toBe(200);
    // Who is known stays known, and who is not is not let in.
    issuer.fails(true);
    expect((await asks(gateway, token)).status).toBe(200);
    expect((await asks(gateway, await issuer.sign(issuer.claims(), { kid: "unknown" }))).status).not.toBe(200);
  });

  it("never passes a client's token on, however a server is signed in at (T38)", async () => {
    const { as, server } = await world();
    as.clients.set("me", "secret-of-mine");
    const gateway = await resource({
      mcpServers: {
        web: {
          url: server.url,
          auth: { type: "oauth", grant: "client_credentials", issuer: as.issuer, clientId: "me", clientSecret: "secret-of-mine" } as never,
        },
      },
    });
    const token = await issuer.sign(issuer.claims());
    const headers = {
      ...accept,
      authorization: `Bearer ${token}`,
      "x-upstream-authorization": `Bearer ${token}`,
      cookie: `token=${token}`,
      "x-api-key": token,
    };
    expect((await ask(gateway, ["POST", "/mcp"], { body: call("web__whoami"), headers })).status).toBe(200);
    expect(server.done).toHaveLength(1);
    const [, middle = ""] = token.split(".");
    expect(JSON.stringify([server.seen, as.seen])).not.toContain(middle);
  });

  it("exchanges it at the operator's authorization server where that was asked for, for each caller (RFC 8693)", async () => {
    const { as, server } = await world();
    const auth = {
      type: "oauth",
      grant: "token_exchange",
      credentials: "perUser",
      issuer: as.issuer,
      clientId: "me",
      clientSecret: "secret-of-mine",
    };
    const gateway = await resource({ mcpServers: { web: { url: server.url, auth: auth as never } } });
    const [ada, bob] = [await issuer.sign(issuer.claims()), await issuer.sign(issuer.claims({ sub: "bob" }))];
    for (const token of [ada, bob, ada]) {
      const answer = await asks(gateway, token, call("web__whoami"));
      const { result } = answer.json() as { result: { content: { text: string }[] } };
      // The answer quotes the subject token, which is taken out.
      expect(JSON.parse(result.content[0]!.text)).toMatchObject({ resource: server.url, subject: "***" });
    }
    const asked = as.seen.filter(({ path }) => path === "/token").map(({ form }) => form.get("subject_token"));
    expect(asked).toEqual([ada, bob]);
    expect(JSON.stringify(server.seen)).not.toContain(ada.split(".")[1]);
    await expect(gateway.mcp.call("web__whoami")).rejects.toMatchObject({
      code: "upstream_credential",
      details: { reason: "no_subject_token" },
    });
  });
});
