import { afterEach, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import { networkOf } from "../../src/access/sign-in/tries.js";
import { authEvent, webSession } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { clock } from "../../src/platform/node.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { Browser, call, gatewayOf, json, PASSWORD } from "./harness.js";

const open: Gateway[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })))));
async function started(...options: Parameters<typeof gatewayOf>): Promise<Gateway> {
  const gateway = await gatewayOf(...options);
  open.push(gateway);
  return gateway;
}
async function signedIn(role = "admin", options: Parameters<typeof gatewayOf>[0] = {}) {
  const gateway = await started(options);
  const user = await gateway.users.create({ username: "ada", password: PASSWORD, role });
  const browser = new Browser(gateway);
  expect((await browser.login("ada")).status).toBe(200);
  return { gateway, user, browser };
}
const within = () => ({ deadlineMs: Date.now() + 5_000 });
const system = { system: "test" };
const token = /^[A-Za-z0-9_-]{43}$/;

describe("signing in with a password", () => {
  it("gives a session by a cookie of its own, in which the user may what its roles allow", async () => {
    const { gateway, user, browser } = await signedIn();
    expect([...browser.cookies.keys()]).toEqual(["sallyport_session"]);
    expect([...browser.cookies.values()][0]).toMatch(token);
    const me = await json(await browser.send("/api/v1/me"));
    expect(me).toMatchObject({ id: user.id, kind: "user", name: "ada", projects: ["default"], user_id: user.id, csrf_token: browser.csrf });
    expect((await browser.send("/api/v1/list/users")).status).toBe(200);
    expect((await browser.send("/v1/models")).status).toBe(200);
    expect((await call(gateway, "/api/v1/me", { key: null })).status).toBe(401);
  });

  it("sets __Host- and Secure over HTTPS, and the plain name on loopback HTTP only", async () => {
    const gateway = await started({ server: { allowedHosts: ["gateway.example"] } });
    await gateway.users.create({ username: "ada", password: PASSWORD });
    const cookieOf = async (o: { host?: string; headers?: Record<string, string> }) => {
      const response = await call(gateway, "/api/v1/login", { key: null, body: { username: "ada", password: PASSWORD }, ...o });
      return response.headers.getSetCookie()[0]?.replace(/=[A-Za-z0-9_-]{43};/, "=…;");
    };
    const rest = "Path=/; HttpOnly; SameSite=Lax; Max-Age=604800";
    expect(await cookieOf({})).toBe(`sallyport_session=…; ${rest}`);
    expect(await cookieOf({ host: "gateway.example" })).toBe(`__Host-sallyport_session=…; ${rest}; Secure`);
    expect(await cookieOf({ headers: { "x-forwarded-proto": "https" } })).toBe(`__Host-sallyport_session=…; ${rest}; Secure`);
  });

  it("does not read the plain cookie where a secure one belongs, nor two of one name", async () => {
    const { gateway, browser } = await signedIn("admin", { server: { allowedHosts: ["gateway.example"] } });
    const value = browser.cookies.get("sallyport_session")!;
    const as = (cookie: string, host?: string) =>
      call(gateway, "/api/v1/me", { key: null, headers: { cookie }, ...(host === undefined ? {} : { host }) });
    expect((await as(`sallyport_session=${value}`)).status).toBe(200);
    expect((await as(`sallyport_session=${value}`, "gateway.example")).status).toBe(401);
    expect((await as(`sallyport_session=${value}; sallyport_session=${"a".repeat(43)}`)).status).toBe(401);
    expect((await as(`Sallyport_session=${value}`)).status).toBe(401);
    expect((await as(`x=1; sallyport_session=${value}; y=2`)).status).toBe(200);
  });

  it("stores nothing that a browser could be made from", async () => {
    const store = memoryStore({ clock });
    const { browser } = await signedIn("admin", { storage: { open: () => Promise.resolve(store) } as never });
    const { rows } = await store.find(webSession, { orderBy: "id", limit: 10 }, system, within());
    const text = JSON.stringify(rows);
    expect(rows).toHaveLength(1);
    expect(text).not.toContain(browser.cookies.get("sallyport_session"));
    expect(text).not.toContain(browser.csrf);
    for (const stolen of [rows[0]!.digest, rows[0]!.id]) {
      const cookie = `sallyport_session=${stolen.slice(0, 43).padEnd(43, "a")}`;
      expect((await call(browser.gateway, "/api/v1/me", { key: null, headers: { cookie } })).status).toBe(401);
      expect((await call(browser.gateway, "/api/v1/me", { key: stolen })).status).toBe(401);
    }
  });

  it("fails alike for a wrong password, an unknown user, a disabled one and one without a password (T40)", async () => {
    const store = memoryStore({ clock });
    const gateway = await started({ storage: { open: () => Promise.resolve(store) } as never });
    await gateway.users.create({ username: "ada", password: PASSWORD });
    await gateway.users.create({ username: "nobody" });
    const disabled = await gateway.users.create({ username: "gone", password: PASSWORD });
    expect((await call(gateway, `/api/v1/users/${disabled.id}`, { method: "PATCH", body: { enabled: false } })).status).toBe(200);
    const bodies = new Set<string>();
    const tries = {
      ada: "wrong password",
      unknown: PASSWORD,
      nobody: PASSWORD,
      gone: PASSWORD,
      ["x".repeat(200)]: "y",
      'ada" or 1=1 --': "z",
    };
    for (const [username, password] of Object.entries(tries)) {
      const response = await call(gateway, "/api/v1/login", { key: null, body: { username, password } });
      expect(response.status).toBe(401);
      expect(response.headers.getSetCookie()).toEqual([]);
      bodies.add((await response.text()).replace(/req_\w+/, ""));
    }
    expect(bodies.size).toBe(1);
    const { rows } = await store.find(authEvent, { where: { kind: "login" }, orderBy: "atMs", limit: 10 }, system, within());
    expect(rows).toHaveLength(6);
    expect(JSON.stringify(rows)).not.toMatch(/unknown|or 1=1|wrong/);
  });

  it("is limited by account and by address, for users that there are and others alike (T40)", async () => {
    const fake = new FakeClock();
    const gateway = await started({ clock: fake });
    await gateway.users.create({ username: "ada", password: PASSWORD });
    const login = (username: string, password: string) => call(gateway, "/api/v1/login", { key: null, body: { username, password } });
    for (const username of ["ada", "unknown"]) {
      for (let i = 0; i < 10; i++) expect((await login(username, "wrong")).status).toBe(401);
      const limited = await login(username, username === "ada" ? PASSWORD : "wrong");
      expect(limited.status).toBe(429);
      expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    for (let i = 0; i < 10; i++) expect((await login(`other${i}`, "wrong")).status).toBe(401);
    expect((await login("other-again", "wrong")).status).toBe(429);
    await fake.advance(16 * 60_000);
    for (let i = 0; i < 10; i++) expect((await login(["ada", "Ada", "aDa", "ADA"][i % 4]!, "wrong")).status).toBe(401);
    for (const username of ["ada", "AdA", "aDA"]) expect((await login(username, PASSWORD)).status).toBe(429);
    await fake.advance(16 * 60_000);
    for (let i = 0; i < 40; i++) expect((await login("ada", PASSWORD)).status).toBe(200);
  });
});

it("tries are counted by the /64 of an IPv6 address, and by the one IPv4 address however it is written (T40)", () => {
  const same = [
    [
      "2001:db8:1:2::1",
      "2001:DB8:1:2:ffff:ffff:ffff:ffff",
      "[2001:db8:1:2::3]:443",
      "2001:db8:1:2::4%eth0",
      "2001:0db8:0001:0002:0:0:1.2.3.4",
    ],
    ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "[::ffff:192.0.2.7]:80", "192.0.2.7:5123"],
    ["::1", "0:0:0:0:0:0:0:2"],
    ["2001:db8:1:3::1"],
    ["192.0.2.8", "::FFFF:192.0.2.8"],
    ["not an address"],
    ["2001:db8:::1"],
  ];
  const networks = same.map((addresses) => new Set(addresses.map(networkOf)));
  for (const each of networks) expect(each.size).toBe(1);
  expect(new Set(networks.flatMap((each) => [...each]))).toHaveLength(same.length);
});

describe("a session", () => {
  it("ends by logout, on the server too; a second logout is no error", async () => {
    const { gateway, browser } = await signedIn();
    const cookie = `sallyport_session=${browser.cookies.get("sallyport_session")!}`;
    const headers = { cookie, "x-sallyport-csrf": browser.csrf! };
    expect((await browser.send("/api/v1/logout", { method: "POST" })).status).toBe(200);
    expect(browser.cookies.size).toBe(0);
    expect((await call(gateway, "/api/v1/me", { key: null, headers })).status).toBe(401);
    expect((await call(gateway, "/api/v1/logout", { key: null, method: "POST", headers })).status).toBe(200);
    expect((await call(gateway, "/api/v1/logout", { key: null, method: "POST" })).status).toBe(200);
  });

  it("is another one after each sign-in: what was set before is not used", async () => {
    const { gateway, browser } = await signedIn();
    const first = browser.cookies.get("sallyport_session")!;
    await browser.login("ada");
    expect(browser.cookies.get("sallyport_session")).not.toBe(first);
    expect((await call(gateway, "/api/v1/me", { key: null, headers: { cookie: `sallyport_session=${first}` } })).status).toBe(401);
    const planted = new Browser(gateway);
    planted.cookies.set("sallyport_session", "p".repeat(43));
    await planted.login("ada");
    expect(planted.cookies.get("sallyport_session")).not.toBe("p".repeat(43));
  });

  it("is over when it is idle or old, however it is used", async () => {
    const fake = new FakeClock();
    const { browser } = await signedIn("admin", { clock: fake, access: { sessions: { idleMs: 100_000, maxMs: 400_000 } } });
    for (let i = 0; i < 4; i++) {
      await fake.advance(90_000);
      expect((await browser.send("/api/v1/me")).status).toBe(200);
    }
    await fake.advance(40_000);
    expect((await browser.send("/api/v1/me")).status).toBe(401);
    await browser.login("ada");
    await fake.advance(100_000);
    expect((await browser.send("/api/v1/me")).status).toBe(401);
  });

  it("is removed from the store some time after it is over", async () => {
    const fake = new FakeClock();
    const store = memoryStore({ clock: fake });
    const storage = { open: () => Promise.resolve(store) } as never;
    await signedIn("admin", { clock: fake, storage, access: { sessions: { idleMs: 60_000, maxMs: 60_000 } } });
    const rows = async () =>
      (await store.find(webSession, { orderBy: "id", limit: 10 }, system, { deadlineMs: fake.now() + 1_000 })).rows.length;
    expect(await rows()).toBe(1);
    await fake.advance(601_000);
    await expect.poll(rows).toBe(0);
  });

  it("loses what its user loses with the next request: a role, the account, the password (ASVS 8.3.2)", async () => {
    const { gateway, user, browser } = await signedIn("admin");
    const binding = (await json(await call(gateway, `/api/v1/role-bindings?user_id=${user.id}`))).data[0].id as string;
    expect((await browser.send("/api/v1/list/users")).status).toBe(200);
    expect((await call(gateway, `/api/v1/role-bindings/${binding}`, { method: "DELETE" })).status).toBe(200);
    expect((await browser.send("/api/v1/list/users")).status).toBe(403);
    const body = { user_id: user.id, role: "viewer", scope: "project", scope_id: "default" };
    expect((await call(gateway, "/api/v1/role-bindings", { body })).status).toBe(201);
    expect((await browser.send("/api/v1/runs")).status).toBe(200);
    await gateway.users.setPassword(user.id, { password: "another good password" });
    expect((await browser.send("/api/v1/me")).status).toBe(401);
    expect((await browser.login("ada", "another good password")).status).toBe(200);
    expect((await call(gateway, `/api/v1/users/${user.id}`, { method: "PATCH", body: { enabled: false } })).status).toBe(200);
    expect((await browser.send("/api/v1/me")).status).toBe(401);
  });

  it("changes its own password with the current one only, and goes on as a new session", async () => {
    const { gateway, browser } = await signedIn("viewer");
    const other = new Browser(gateway);
    await other.login("ada");
    const before = browser.cookies.get("sallyport_session");
    const change = (current_password: string) =>
      browser.send("/api/v1/me/password", { body: { current_password, password: "a new and longer one" } });
    expect((await change("wrong")).status).toBe(401);
    const changed = await change(PASSWORD);
    expect(changed.status).toBe(200);
    expect(browser.cookies.get("sallyport_session")).not.toBe(before);
    expect((await browser.send("/api/v1/me")).status).toBe(200);
    expect((await other.send("/api/v1/me")).status).toBe(401);
    expect((await other.login("ada")).status).toBe(401);
    expect((await other.login("ada", "a new and longer one")).status).toBe(200);
  });

  it("makes keys that never exceed its user, and end with the user's rights (T05)", async () => {
    const { gateway, user, browser } = await signedIn("admin");
    expect((await browser.send("/api/v1/keys", { body: { name: "k", scopes: ["*"] } })).status).toBe(403);
    const made = await json(await browser.send("/api/v1/keys", { body: { name: "k", scopes: ["models:*", "users:read"] } }));
    expect(made).toMatchObject({ parent_id: user.id, user_id: user.id });
    expect((await call(gateway, "/api/v1/users", { key: made.key })).status).toBe(200);
    const [binding] = (await json(await call(gateway, `/api/v1/role-bindings?user_id=${user.id}`))).data;
    await call(gateway, "/api/v1/role-bindings", { body: { user_id: user.id, role: "viewer", scope: "project", scope_id: "default" } });
    await call(gateway, `/api/v1/role-bindings/${binding.id}`, { method: "DELETE" });
    expect((await call(gateway, "/api/v1/users", { key: made.key })).status).toBe(403);
    expect((await call(gateway, `/api/v1/users/${user.id}`, { method: "DELETE" })).status).toBe(200);
    expect((await call(gateway, "/v1/models", { key: made.key })).status).toBe(401);
  });

  it("gives nobody more than it has: roles, users and passwords of the more powerful are out of reach (T05)", async () => {
    const { gateway, user, browser } = await signedIn("admin");
    const boss = await gateway.users.create({ username: "boss", password: PASSWORD, role: "owner" });
    const tries: [string, string, unknown, number][] = [
      ["POST", "/api/v1/role-bindings", { user_id: user.id, role: "owner", scope: "project", scope_id: "default" }, 403],
      ["POST", "/api/v1/role-bindings", { user_id: user.id, role: "viewer", scope: "global" }, 403],
      ["POST", "/api/v1/role-bindings", { user_id: user.id, role: "viewer", scope: "project", scope_id: "p2" }, 403],
      ["POST", "/api/v1/role-bindings", { user_id: user.id, role: "nonsense", scope: "project", scope_id: "default" }, 400],
      ["POST", "/api/v1/roles", { name: "all", scopes: ["*"] }, 403],
      ["POST", "/api/v1/users", { username: "x", password: PASSWORD, role: "owner" }, 403],
      ["POST", `/api/v1/users/${boss.id}/password`, { password: "taken over now" }, 403],
      ["PATCH", `/api/v1/users/${boss.id}`, { enabled: false }, 403],
      ["DELETE", `/api/v1/users/${boss.id}`, undefined, 403],
      ["POST", "/api/v1/role-bindings", { user_id: user.id, role: "developer", scope: "project", scope_id: "default" }, 201],
      ["POST", "/api/v1/users", { username: "y", password: PASSWORD, role: "viewer" }, 201],
    ];
    for (const [method, path, body, status] of tries) {
      const response = await browser.send(path, { method, ...(body === undefined ? {} : { body }) });
      expect([path, response.status]).toEqual([path, status]);
    }
  });

  it("acts in the project that it names, with the roles held there", async () => {
    const gateway = await started();
    for (const id of ["p1", "p2"]) await call(gateway, "/api/v1/projects", { body: { id, name: id } });
    const user = await gateway.users.create({ username: "ada", password: PASSWORD, projectId: "p1", role: "admin" });
    await call(gateway, "/api/v1/role-bindings", { body: { user_id: user.id, role: "viewer", scope: "project", scope_id: "p2" } });
    const browser = new Browser(gateway);
    await browser.login("ada");
    const me = async (project?: string) =>
      json(await browser.send("/api/v1/me", project === undefined ? {} : { headers: { "x-sallyport-project": project } }));
    // What is granted in p1 does not hold in p2: an admin there sees no row of p2.
    expect((await me()).projects).toEqual(["p1"]);
    expect((await me("p2")).projects).toEqual(["p2", "p1"]);
    expect((await me("p2")).scopes).not.toContain("admin:*");
    expect((await me("default")).error.code).toBe("forbidden");
    expect((await browser.send("/api/v1/users", { headers: { "x-sallyport-project": "p2" } })).status).toBe(403);
  });
});

describe("what another site can have a browser do (T39)", () => {
  const body = { name: "forged" };
  const evil = "https://evil.example";
  const fetchSites = ["cross-site", "same-site"];
  const shapes: [string, Record<string, unknown>][] = [
    ["no token", { csrf: null }],
    ["an empty token", { csrf: "" }],
    ["another session's token", { csrf: "0".repeat(43) }],
    ["the token cut short", { cut: true }],
    ["the token as a query parameter", { csrf: null, query: "?x-sallyport-csrf=TOKEN" }],
    ["the token in the body", { csrf: null, body: { ...body, csrf_token: "TOKEN" } }],
    ...[
      "null",
      evil,
      "http://localhost.evil",
      "http://localhost:4748",
      "http://127.0.0.1:4747",
      "http://evil.localhost:4747",
      "file://",
      "http://localhost:4747.evil.example",
      "localhost:4747",
      "chrome-extension://abc",
    ].map((origin): [string, Record<string, unknown>] => [`the origin ${origin}`, { headers: { origin, "sec-fetch-site": "cross-site" } }]),
    ...["null", evil, "http://localhost:4748", "http://127.0.0.1:4747", "localhost:4747", "http://localhost"].map(
      (origin): [string, Record<string, unknown>] => [
        `the origin ${origin} and no fetch metadata`,
        { headers: { origin, "sec-fetch-site": undefined } },
      ],
    ),
    ...fetchSites.map((site): [string, Record<string, unknown>] => [`Sec-Fetch-Site ${site}`, { headers: { "sec-fetch-site": site } }]),
    ...fetchSites.map((site): [string, Record<string, unknown>] => [
      `Sec-Fetch-Site ${site} and our own origin`,
      { headers: { "sec-fetch-site": site, origin: "http://localhost:4747" } },
    ]),
    ...["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; application/json", ""].map(
      (type): [string, Record<string, unknown>] => [
        `a simple request of type "${type}"`,
        { csrf: null, headers: { "content-type": type, "sec-fetch-site": undefined } },
      ],
    ),
    ...["x-http-method-override", "x-method-override", "x-http-method"].map((name): [string, Record<string, unknown>] => [
      `GET with ${name}`,
      { method: "GET", csrf: null, headers: { [name]: "POST" } },
    ]),
    ["GET with _method", { method: "GET", csrf: null, query: "?_method=POST" }],
    ["PUT", { method: "PUT", csrf: null }],
    ["PATCH", { method: "PATCH", csrf: null }],
    ["DELETE", { method: "DELETE", csrf: null }],
    ["HEAD", { method: "HEAD", csrf: null }],
    ["lower-case post", { csrf: null, method: "post" }],
    [
      "a frame's navigation",
      { csrf: null, headers: { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site", origin: evil } },
    ],
    ["a trusted page of another origin", { csrf: null, headers: { origin: "https://app.example", "sec-fetch-site": "cross-site" } }],
    ["a trusted page of another origin with the token", { headers: { origin: "https://app.example", "sec-fetch-site": "cross-site" } }],
  ];

  it(`changes nothing: ${shapes.length} shapes of a request`, async () => {
    expect(shapes.length).toBeGreaterThanOrEqual(40);
    const { gateway, browser } = await signedIn("admin", { server: { allowedOrigins: ["https://app.example"] } });
    const token = browser.csrf!;
    for (const [what, shape] of shapes) {
      const o = shape as {
        csrf?: string | null;
        cut?: boolean;
        query?: string;
        body?: unknown;
        method?: string;
        headers?: Record<string, string | undefined>;
      };
      const csrf = o.cut === true ? token.slice(0, -1) : o.csrf === undefined ? token : o.csrf;
      const cookie = `sallyport_session=${browser.cookies.get("sallyport_session")!}`;
      const given: Record<string, string | undefined> = {
        cookie,
        "sec-fetch-site": "same-origin",
        "x-sallyport-csrf": csrf ?? undefined,
        ...o.headers,
      };
      const headers = Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
      const method = o.method ?? "POST";
      const sent = method === "GET" || method === "HEAD" ? {} : { body: JSON.stringify(o.body ?? body).replace("TOKEN", token) };
      const path = method === "GET" || method === "HEAD" || method.toUpperCase() === "POST" ? "/api/v1/keys" : "/api/v1/keys/key_owner";
      const response = await call(gateway, `${path}${(o.query ?? "").replace("TOKEN", token)}`, { key: null, method, headers, ...sent });
      if (method !== "GET" && method !== "HEAD") expect([what, response.status]).toEqual([what, 403]);
      expect([what, response.headers.get("access-control-allow-credentials")]).toEqual([what, null]);
    }
    expect((await gateway.keys.list()).keys.map(({ name }) => name)).toEqual(["owner"]);
    expect((await browser.send("/api/v1/keys", { body })).status).toBe(201);
  });

  it("signs nobody in or out for another site", async () => {
    const { gateway, browser } = await signedIn("admin", { server: { allowedOrigins: ["*"] } });
    const login = { username: "ada", password: PASSWORD };
    const cross = { origin: evil, "sec-fetch-site": "cross-site" };
    expect((await call(gateway, "/api/v1/login", { key: null, body: login, headers: cross })).status).toBe(403);
    const cookie = `sallyport_session=${browser.cookies.get("sallyport_session")!}`;
    expect((await call(gateway, "/api/v1/logout", { key: null, method: "POST", headers: { ...cross, cookie } })).status).toBe(403);
    expect((await call(gateway, "/api/v1/logout", { key: null, method: "POST", headers: { cookie } })).status).toBe(403);
    expect((await browser.send("/api/v1/me")).status).toBe(200);
  });

  it("is not asked of callers with a key: no browser sends one by itself", async () => {
    const { gateway } = await signedIn();
    expect((await call(gateway, "/api/v1/keys", { body })).status).toBe(201);
  });
});

describe("a gateway whose host says who calls", () => {
  it("signs nobody in", async () => {
    const gateway = await started({ auth: () => ({ kind: "host", id: "h", name: "h", projects: ["default"], grants: ["*"] }) });
    expect((await call(gateway, "/api/v1/login", { key: null, body: { username: "a", password: "b" } })).status).toBe(404);
    expect(await json(await call(gateway, "/api/v1/me", { key: null }))).toMatchObject({ id: "h", kind: "host", csrf_token: null });
  });
});

describe("users", () => {
  it("are there only when somebody made them, and their passwords are held to a length", async () => {
    const gateway = await started();
    expect((await gateway.users.list()).users).toEqual([]);
    for (const password of ["short", "x".repeat(1_025), "aaaaaaaaaaaa"])
      await expect(gateway.users.create({ username: "ada", password })).rejects.toMatchObject({ code: "validation_failed" });
    await gateway.users.create({ username: "ada", password: PASSWORD });
    await expect(gateway.users.create({ username: "ada", password: PASSWORD })).rejects.toMatchObject({ code: "conflict" });
    const text = await (await call(gateway, "/api/v1/list/users")).text();
    expect(text).toContain('"username":"ada"');
    expect(text).not.toMatch(/argon2|password_hash|external_id/);
  });
});
