import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { signInState } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { insert } from "../../src/ports/index.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Browser, call, gatewayOf, json } from "./harness.js";

/** A real OpenID provider on loopback: discovery, keys, and a token endpoint that signs what the test says. */
class Provider {
  readonly server: Server;
  issuer = "";
  /** What the next id token says beside what it should. */
  claims: JWTPayload = {};
  sign: (payload: JWTPayload) => Promise<string>;
  /** Of the discovery document. */
  advertised: Record<string, unknown> = {};
  readonly seen: URLSearchParams[] = [];
  nonce = "";

  constructor(
    readonly good: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey },
    readonly other: { readonly privateKey: CryptoKey },
  ) {
    this.sign = (payload) => this.signed(payload);
    this.server = createServer((request, response) => {
      void this.answer(request.url ?? "/", request).then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      });
    });
  }

  signed(payload: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(this.good.privateKey);
  }

  async answer(path: string, request: AsyncIterable<Uint8Array>): Promise<{ status: number; body: unknown }> {
    if (path === "/.well-known/openid-configuration") {
      const { issuer } = this;
      const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
      const more = {
        response_types_supported: ["code"],
        code_challenge_methods_supported: ["S256"],
        id_token_signing_alg_values_supported: ["RS256"],
      };
      return { status: 200, body: { issuer, ...endpoints, ...more, ...this.advertised } };
    }
    if (path === "/jwks")
      return { status: 200, body: { keys: [{ ...(await exportJWK(this.good.publicKey)), kid: "k1", alg: "RS256", use: "sig" }] } };
    if (path !== "/token") return { status: 404, body: {} };
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    this.seen.push(form);
    if (form.get("code") !== "good-code") return { status: 400, body: { error: "invalid_grant" } };
    const now = Math.floor(Date.now() / 1_000);
    const payload = { iss: this.issuer, aud: "sallyport", sub: "ada-1", iat: now, exp: now + 300, nonce: this.nonce, ...this.claims };
    const plain = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
    return { status: 200, body: { access_token: "at", token_type: "Bearer", expires_in: 300, id_token: await this.sign(plain) } };
  }
}

const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
let provider: Provider;
const open: Gateway[] = [];
beforeAll(async () => {
  const [good, other] = await Promise.all([
    generateKeyPair("RS256", { extractable: true }),
    generateKeyPair("RS256", { extractable: true }),
  ]);
  provider = new Provider(good, other);
  await new Promise<void>((resolve) => provider.server.listen(0, "127.0.0.1", resolve));
  provider.issuer = `http://127.0.0.1:${(provider.server.address() as AddressInfo).port}`;
});
afterAll(() => void provider.server.close());
afterEach(async () => {
  await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })));
  provider.claims = {};
  provider.advertised = {};
  provider.sign = (payload) => provider.signed(payload);
});

async function started(rules: object = {}, options: GatewayOptions = {}): Promise<Gateway> {
  const company = {
    issuer: provider.issuer,
    clientId: "sallyport",
    clientSecret: "shh-this-is-secret",
    groupRoles: { admins: "admin", staff: "viewer" },
    ...rules,
  };
  const gateway = await gatewayOf({ access: { oidc: { company } }, ...options });
  open.push(gateway);
  return gateway;
}
async function begin(browser: Browser, query = "") {
  const response = await browser.send(`/api/v1/login/oidc/company${query}`);
  const location = new URL(response.headers.get("location") ?? "http://none");
  provider.nonce = location.searchParams.get("nonce") ?? "";
  return { response, location, state: location.searchParams.get("state") ?? "" };
}
/** As the browser comes back: a redirect from another site. */
const comeBack = (browser: Browser, query: string) =>
  browser.send(`/api/v1/login/oidc/company/callback?${query}`, {
    headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  });
async function signIn(browser: Browser): Promise<Response> {
  const { state } = await begin(browser);
  return comeBack(browser, `code=good-code&state=${state}`);
}

describe("signing in with an OpenID provider", () => {
  it("goes there with PKCE S256, state and nonce, and comes back as a user with the roles of its groups", async () => {
    const gateway = await started();
    provider.claims = {
      preferred_username: "Ada L",
      email: "ada@example.com",
      email_verified: true,
      name: "Ada",
      groups: ["admins", "others"],
    };
    const browser = new Browser(gateway);
    const { response, location, state } = await begin(browser, "?return_to=/docs");
    expect(response.status).toBe(302);
    expect(location.origin + location.pathname).toBe(`${provider.issuer}/authorize`);
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      client_id: "sallyport",
      response_type: "code",
      scope: "openid profile email",
      code_challenge_method: "S256",
      redirect_uri: "http://localhost:4747/api/v1/login/oidc/company/callback",
    });
    const back = await comeBack(browser, `code=good-code&state=${state}`);
    expect([back.status, back.headers.get("location")]).toEqual([302, "/docs"]);
    expect([...browser.cookies.keys()]).toEqual(["sallyport_session"]);
    expect(provider.seen.at(-1)!.get("code_verifier")).toMatch(/^[0-9a-f]{64}$/);
    expect(await json(await browser.send("/api/v1/me"))).toMatchObject({ kind: "user", name: "Ada", projects: ["default"] });
    expect((await browser.send("/api/v1/list/users")).status).toBe(200);
    expect((await gateway.users.list()).users).toMatchObject([{ username: "ada-l", email: "ada@example.com" }]);
  });

  it("takes roles away that the groups no longer have, keeps those that people gave, and ends older sessions", async () => {
    const gateway = await started();
    provider.claims = { groups: ["admins"] };
    const first = new Browser(gateway);
    await signIn(first);
    const [user] = (await gateway.users.list()).users;
    await call(gateway, "/api/v1/role-bindings", { body: { user_id: user!.id, role: "billing", scope: "project", scope_id: "default" } });
    await new Promise((resolve) => setTimeout(resolve, 5));
    provider.claims = { groups: "staff" };
    const second = new Browser(gateway);
    await signIn(second);
    expect((await gateway.users.list()).users).toHaveLength(1);
    const scopes: string[] = (await json(await second.send("/api/v1/me"))).scopes;
    expect(scopes).toContain("runs:read");
    expect(scopes).toContain("budgets:write");
    expect(scopes).not.toContain("admin:*");
    expect((await first.send("/api/v1/me")).status).toBe(401);
  });

  it("joins nobody by a name or an address, and lets in only domains that are allowed", async () => {
    const gateway = await started({ allowedDomains: ["example.com"] });
    await gateway.users.create({ username: "ada", email: "ada@example.com", password: "correct horse battery", role: "owner" });
    provider.claims = { preferred_username: "ada", email: "ada@example.com", email_verified: true };
    const browser = new Browser(gateway);
    expect((await signIn(browser)).status).toBe(302);
    expect(await json(await browser.send("/api/v1/me"))).toMatchObject({ scopes: [] });
    expect((await gateway.users.list()).users).toHaveLength(2);
    for (const claims of [
      { email: "eve@evil.example", email_verified: true },
      { email: "eve@example.com" },
      { email: "eve@example.com", email_verified: "true" },
      {},
    ]) {
      provider.claims = { ...claims, sub: "eve" };
      expect((await signIn(new Browser(gateway))).status).toBe(403);
    }
  });

  it("is bound to the browser that began it, once, for ten minutes", async () => {
    const clock = new FakeClock(Date.now());
    const gateway = await started({}, { clock });
    const browser = new Browser(gateway);
    const { state } = await begin(browser);
    const other = new Browser(gateway);
    expect((await comeBack(other, `code=good-code&state=${state}`)).status).toBe(401);
    await begin(other);
    expect((await comeBack(other, `code=good-code&state=${state}`)).status).toBe(401);
    expect((await comeBack(browser, `code=good-code&state=${state}x`)).status).toBe(401);
    expect((await comeBack(browser, `code=good-code&state=${state}&state=${state}`)).status).toBe(401);
    expect((await comeBack(browser, "code=good-code")).status).toBe(401);
    const again = await begin(browser);
    const kept = new Map(browser.cookies);
    expect((await comeBack(browser, `code=good-code&state=${again.state}`)).status).toBe(302);
    for (const [name, value] of kept) browser.cookies.set(name, value);
    expect((await comeBack(browser, `code=good-code&state=${again.state}`)).status).toBe(401);
    const late = await begin(browser);
    await clock.advance(600_001);
    expect((await comeBack(browser, `code=good-code&state=${late.state}`)).status).toBe(401);
  });

  it("is begun so many times by one address, and leaves no row behind once its time is over (T21)", async () => {
    const clock = new FakeClock(Date.now());
    const store = memoryStore({ clock });
    const gateway = await started({}, { clock, storage: { open: () => Promise.resolve(store) } as never });
    const rows = async () => (await store.find(signInState, { orderBy: "id", limit: 1_000 }, { system: "test" }, within)).rows.length;
    const statuses: number[] = [];
    for (let i = 0; i < 120; i++) statuses.push((await call(gateway, "/api/v1/login/oidc/company", { key: null })).status);
    expect(statuses.filter((status) => status === 302)).toHaveLength(100);
    expect(statuses.at(-1)).toBe(429);
    expect(await rows()).toBe(100);
    // More than one look takes away.
    const old = { cookieDigest: "c", provider: "company", returnTo: null, expiresAtMs: clock.now() + 600_000 };
    const units = Array.from({ length: 700 }, (_, i) => ({
      scope: { system: "test" },
      writes: [insert(signInState, { id: `signin_${i}`, digest: `d${i}`, ...old })],
    }));
    await store.commit(units, within);
    await clock.advance(600_001);
    await clock.advance(600_001);
    await expect.poll(rows).toBe(0);
    expect((await begin(new Browser(gateway))).response.status).toBe(302);
  });

  it("sends nobody elsewhere, and knows no other providers", async () => {
    const gateway = await started();
    const browser = new Browser(gateway);
    for (const to of [
      "https://evil.example",
      "//evil.example",
      "/\\evil.example",
      "/%0d%0aset-cookie: a=b\r\n",
      "javascript:alert(1)",
      "docs",
    ])
      expect((await browser.send(`/api/v1/login/oidc/company?return_to=${encodeURIComponent(to)}`)).status).toBe(
        to.startsWith("/%") ? 400 : 400,
      );
    for (const name of ["other", "__proto__", "constructor"]) expect((await browser.send(`/api/v1/login/oidc/${name}`)).status).toBe(404);
  });

  it("does not go on with a provider that names another issuer, or that is down", async () => {
    provider.advertised = { issuer: "https://evil.example" };
    expect((await begin(new Browser(await started()))).response.status).toBeGreaterThanOrEqual(500);
    const down = await started({ issuer: "http://127.0.0.1:9" });
    expect((await begin(new Browser(down))).response.status).toBe(502);
  });
});

describe("an id token (T38)", () => {
  const now = () => Math.floor(Date.now() / 1_000);
  const matrix: [string, () => void][] = [
    ["another audience", () => void (provider.claims = { aud: "somebody-else" })],
    ["several audiences and no party", () => void (provider.claims = { aud: ["somebody-else", "another"] })],
    ["another issuer", () => void (provider.claims = { iss: "https://evil.example" })],
    ["the issuer with a slash more", () => void (provider.claims = { iss: `${provider.issuer}/` })],
    ["no issuer", () => void (provider.claims = { iss: undefined } as never)],
    ["no subject", () => void (provider.claims = { sub: undefined } as never)],
    ["another nonce", () => void (provider.claims = { nonce: "0".repeat(43) })],
    ["no nonce", () => void (provider.claims = { nonce: undefined })],
    ["an expiry that is past", () => void (provider.claims = { iat: now() - 7_200, exp: now() - 3_600 })],
    ["no expiry", () => void (provider.claims = { exp: undefined } as never)],
    ["a beginning in the future", () => void (provider.claims = { nbf: now() + 3_600 })],
    ["no algorithm", () => void (provider.sign = (payload) => Promise.resolve(new UnsecuredJWT(payload).encode()))],
    [
      "another key",
      () =>
        void (provider.sign = (payload) =>
          new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(provider.other.privateKey)),
    ],
    [
      "an HMAC with the public key",
      () =>
        void (provider.sign = async (payload) => {
          const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(provider.good.publicKey)));
          return new SignJWT(payload).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(secret);
        }),
    ],
    [
      "an HMAC with the client's secret",
      () =>
        void (provider.sign = (payload) =>
          new SignJWT(payload)
            .setProtectedHeader({ alg: "HS256" })
            .sign(new TextEncoder().encode("shh-this-is-secret-shh-this-is-secret"))),
    ],
    ["a key id that is a path", () => void (provider.sign = (payload) => provider.signed(payload, { kid: "../../../../dev/null" }))],
    ["a key id that nobody has", () => void (provider.sign = (payload) => provider.signed(payload, { kid: "k2" }))],
    [
      "a key of its own and an address for it",
      () =>
        void (provider.sign = async (payload) => {
          const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
          const own = { jwk: await exportJWK(publicKey), jku: "https://evil.example/jwks", x5u: "https://evil.example/x" };
          return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "evil", ...own }).sign(privateKey);
        }),
    ],
    ["its signature cut", () => void (provider.sign = async (payload) => (await provider.signed(payload)).slice(0, -8))],
    ["no token at all", () => void (provider.sign = () => Promise.resolve(""))],
  ];

  it.each(matrix)("with %s signs nobody in", async (_what, arrange) => {
    const gateway = await started();
    arrange();
    const browser = new Browser(gateway);
    const response = await signIn(browser);
    expect(response.status).toBe(401);
    expect(browser.cookies.has("sallyport_session")).toBe(false);
    expect((await gateway.users.list()).users).toEqual([]);
    expect(JSON.stringify(await json(response))).not.toContain("shh-this-is-secret");
  });

  it("as a credential of ours is nobody's: no token is passed through", async () => {
    const gateway = await started();
    const token = await provider.signed({ iss: provider.issuer, aud: "sallyport", sub: "ada-1", exp: now() + 300 });
    expect((await call(gateway, "/v1/models", { key: token })).status).toBe(401);
    expect((await call(gateway, "/v1/models", { key: null, headers: { cookie: `sallyport_session=${token}` } })).status).toBe(401);
  });
});
