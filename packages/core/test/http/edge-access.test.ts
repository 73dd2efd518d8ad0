import { describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { allRoutes } from "../../src/routes/index.js";
import { edgeHarness, NARROW_KEY, OWNER_KEY } from "./edge-harness.js";

const base = "http://localhost";
const owner = { authorization: `Bearer ${OWNER_KEY}` };

async function errorOf(response: Response) {
  const body = (await response.json()) as {
    error: { code: string; message: string; hint?: string; request_id: string; details?: unknown };
  };
  return { status: response.status, ...body.error };
}

describe("who may enter", () => {
  const concrete = allRoutes.map((route) => ({ ...route, url: base + route.path.replace(/\{\w+\+?\}/g, "x") }));

  it("only the open routes answer without a credential; nobody signs in at an edge without an identity", async () => {
    const { fetch } = await edgeHarness();
    const open = [];
    for (const { method, url, name } of concrete) {
      const response = await fetch(new Request(url, { method, ...(method === "POST" ? { body: "{}" } : {}) }));
      if (response.status === 401) expect(response.headers.get("www-authenticate")).toBe("Bearer");
      else open.push([name, response.status]);
    }
    expect(open).toEqual([
      ["auth.login", 404],
      ["auth.logout", 404],
      ["auth.oidc", 404],
      ["auth.oidc.callback", 404],
      ["system.health", 200],
      ["system.ready", 200],
      ["docs.openapi", 200],
      ["docs.page", 200],
      // A browser comes back to these from another site, and what MCP clients look up before they have a token.
      ["mcp.oauth.callback", 400],
      ["mcp.oauth.consent", 400],
      ["mcp.oauth.agree", 400],
      ["mcp.oauth.client", 404],
      ["mcp.resource", 404],
      ["mcp.resource.mcp", 404],
      ["mcp.resource.namespace", 404],
    ]);
  });

  it("every closed route refuses a garbage credential beside a good one, and the body is never read (T07)", async () => {
    const { handle } = await edgeHarness();
    for (const { method, path, open } of concrete) {
      if (open === true) continue;
      const headers: Record<string, string> = { host: "localhost", authorization: "Bearer garbage", "x-api-key": OWNER_KEY };
      const answer = await handle({
        method,
        path: path.replace(/\{\w+\+?\}/g, "x"),
        query: "",
        basePath: "",
        remoteAddress: null,
        signal: new AbortController().signal,
        header: (name) => headers[name],
        body: () => Promise.reject(new Error("the body was read")),
      });
      expect(answer.status).toBe(401);
    }
  });

  it("a key without the permission is told which one is missing", async () => {
    const { fetch } = await edgeHarness();
    const narrow = { authorization: `Bearer ${NARROW_KEY}` };
    const refused = await fetch(new Request(`${base}/api/v1/runs`, { method: "POST", headers: narrow, body: "{}" }));
    expect(await errorOf(refused)).toMatchObject({ status: 403, code: "forbidden", details: { missing: "runs:write" } });
    expect((await fetch(new Request(`${base}/api/v1/runs`, { headers: narrow }))).status).toBe(200);
  });

  it("the caller of the host's own hook is the one that calls", async () => {
    const ada: Caller = { kind: "user", id: "u1", name: "Ada", projects: ["p"], grants: ["*"] };
    const { fetch, relayed } = await edgeHarness({ auth: (request) => (request.header("x-session") === "ada" ? ada : null) });
    const url = `${base}/v1/chat/completions`;
    expect((await fetch(new Request(url, { method: "POST", headers: { "x-session": "ada" }, body: "{}" }))).status).toBe(200);
    expect(relayed[0]?.options.caller).toBe(ada);
    expect((await fetch(new Request(url, { method: "POST", headers: owner, body: "{}" }))).status).toBe(401);
  });
});

describe("health and readiness", () => {
  it("health counts, and tells no secret", async () => {
    const { fetch } = await edgeHarness();
    const response = await fetch(new Request(`${base}/health`));
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      status: "degraded",
      version: "1.2.3",
      uptime_ms: expect.any(Number),
      servers: { configured: 2, connected: 1 },
      tools: 7,
    });
    expect(text).not.toMatch(/key|owner|secret/i);
  });

  it("ready says 503 once the gateway drains, while calls are still served", async () => {
    const { fetch, edge } = await edgeHarness();
    expect(await (await fetch(new Request(`${base}/ready`))).json()).toEqual({ status: "ready" });
    edge.drain();
    expect(await errorOf(await fetch(new Request(`${base}/ready`)))).toMatchObject({ status: 503, code: "shutting_down" });
    expect((await fetch(new Request(`${base}/v1/models`, { headers: owner }))).status).toBe(200);
  });
});

describe("Host and Origin (T17)", () => {
  it.each([
    "localhost",
    "localhost:4747",
    "LOCALHOST",
    "127.0.0.1:80",
    "127.8.9.10",
    "[::1]:4747",
    "gateway.example:443",
    "a.b.wild.example",
  ])("answers to %s", async (host) => {
    const { fetch } = await edgeHarness({ server: { allowedHosts: ["Gateway.example", "*.wild.example", "ported.example:8443"] } });
    expect((await fetch(new Request(`${base}/health`, { headers: { host } }))).status).toBe(200);
  });

  it.each([
    ...[
      "evil.test",
      "evil.test:4747",
      "localhost.evil",
      "127.0.0.1.evil.test",
      "localhost.",
      "a/?x=",
      "localhost@evil.test",
      "localhost:4747:1",
    ],
    ...["wild.example", "ported.example", "ported.example:1", "10.0.0.1", "0.0.0.0", "[::2]", "", "localhost, evil.test"],
  ])("refuses the Host %s, also for health", async (host) => {
    const { fetch } = await edgeHarness({ server: { allowedHosts: ["*.wild.example", "ported.example:8443"] } });
    expect(await errorOf(await fetch(new Request(`${base}/health`, { headers: { host } })))).toMatchObject({
      status: 403,
      code: "host_refused",
    });
  });

  it.each<[string, Record<string, string>]>([
    ["of another site", { origin: "https://evil.test" }],
    ["that only begins like this machine", { origin: "http://localhost.evil" }],
    ["without a name", { origin: "null" }],
    ["of another scheme", { origin: "file://localhost" }],
    ["that sends no Origin, but says that it is another site", { "sec-fetch-site": "cross-site" }],
    ["of a neighbouring site", { "sec-fetch-site": "same-site" }],
  ])("refuses a page %s", async (_which, headers) => {
    const { fetch } = await edgeHarness({ server: { allowedOrigins: ["https://app.example"] } });
    const response = await fetch(new Request(`${base}/health`, { headers }));
    expect(await errorOf(response)).toMatchObject({ status: 403, code: "origin_refused" });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it.each<[string, Record<string, string>, string | null]>([
    ["no browser", {}, null],
    ["an address that a person typed", { "sec-fetch-site": "none" }, null],
    ["a page of its own", { origin: "http://localhost", "sec-fetch-site": "same-origin" }, null],
    ["a page of its own behind TLS", { host: "gw.example", origin: "https://gw.example" }, null],
    ["a page of this machine", { origin: "http://127.0.0.1:5173" }, "http://127.0.0.1:5173"],
    ["a page that the operator allowed", { origin: "https://app.example" }, "https://app.example"],
  ])("answers %s", async (_which, headers, allowed) => {
    const { fetch } = await edgeHarness({ server: { allowedOrigins: ["https://app.example/"], allowedHosts: ["gw.example"] } });
    const response = await fetch(new Request(`${base}/health`, { headers }));
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(allowed);
  });

  it("lets pages of this machine in only when it is called by a name of this machine", async () => {
    const { fetch } = await edgeHarness({ server: { allowedHosts: ["gw.example"] } });
    const response = await fetch(new Request(`${base}/health`, { headers: { host: "gw.example", origin: "http://localhost:5173" } }));
    expect(response.status).toBe(403);
  });

  it("answers a preflight without a credential, and lets the page read errors too", async () => {
    const { fetch } = await edgeHarness({ server: { allowedOrigins: ["*"] } });
    const origin = "https://any.example";
    const asks = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "Authorization, X-Stainless-Lang, bad header",
    };
    const preflight = await fetch(new Request(`${base}/v1/chat/completions`, { method: "OPTIONS", headers: asks }));
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "POST, OPTIONS",
      "access-control-allow-headers": "authorization, x-stainless-lang",
      vary: "origin",
    });
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    const refused = await fetch(new Request(`${base}/v1/models`, { headers: { origin } }));
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
    expect(refused.headers.get("access-control-expose-headers")).toContain("x-request-id");
  });
});

describe("paths and methods", () => {
  it("an unknown path is 404 and a known one with another method is 405, each in the shape of its face", async () => {
    const { fetch } = await edgeHarness();
    expect(await errorOf(await fetch(new Request(`${base}/nothing`, { headers: owner })))).toMatchObject({
      status: 404,
      code: "not_found",
    });
    const wrong = await fetch(new Request(`${base}/api/v1/runs`, { method: "DELETE", headers: owner }));
    expect(wrong.headers.get("allow")).toBe("GET, HEAD, POST, OPTIONS");
    expect(await errorOf(wrong)).toMatchObject({ status: 405, code: "method_not_allowed" });
    const dialect = await fetch(new Request(`${base}/v1/chat/completions`, { headers: owner }));
    expect(dialect.status).toBe(405);
    expect(dialect.headers.get("allow")).toBe("POST, OPTIONS");
    expect(await dialect.json()).toMatchObject({ error: { message: expect.any(String), type: expect.any(String) } });
  });

  it("HEAD has the head of GET and no body, OPTIONS says what there is", async () => {
    const { fetch } = await edgeHarness();
    const get = await fetch(new Request(`${base}/v1/models`, { headers: owner }));
    const head = await fetch(new Request(`${base}/v1/models`, { method: "HEAD", headers: owner }));
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(String((await get.arrayBuffer()).byteLength));
    expect(await head.text()).toBe("");
    const options = await fetch(new Request(`${base}/mcp`, { method: "OPTIONS" }));
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, POST, DELETE, OPTIONS"]);
  });

  it("a slash at the end is forgiven, also below a base path", async () => {
    const { fetch } = await edgeHarness();
    expect((await fetch(new Request(`${base}/health/`))).status).toBe(200);
    expect((await fetch(new Request(`${base}/ai/health`), { basePath: "/ai/" })).status).toBe(200);
    expect((await fetch(new Request(`${base}/aix/health`), { basePath: "/ai" })).status).toBe(404);
  });
});

describe("request ids", () => {
  it("are on every answer, in the error too, and no two are alike", async () => {
    const { fetch } = await edgeHarness();
    const seen = new Set<string>();
    for (const path of ["/health", "/v1/models", "/nothing", "/api/v1/runs", "/mcp"]) {
      const response = await fetch(new Request(base + path));
      const id = response.headers.get("x-request-id")!;
      expect(id).toMatch(/^req_[0-9a-z]{24}$/);
      if (path === "/nothing") expect((await errorOf(response)).request_id).toBe(id);
      seen.add(id);
    }
    expect(seen.size).toBe(5);
  });

  it("are the caller's own when they can be logged as they are", async () => {
    const { fetch, relayed } = await edgeHarness();
    const call = (id: string) =>
      fetch(new Request(`${base}/v1/chat/completions`, { method: "POST", headers: { ...owner, "x-request-id": id }, body: "{}" }));
    expect((await call("trace-1.2:3_4")).headers.get("x-request-id")).toBe("trace-1.2:3_4");
    expect(relayed[0]?.options.requestId).toBe("trace-1.2:3_4");
    for (const bad of ["a".repeat(65), "a b", "<script>", "-starts-with-a-dash", "a;b", "a\u00e9"])
      expect((await call(bad)).headers.get("x-request-id")).toMatch(/^req_/);
  });
});
