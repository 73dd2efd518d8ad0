import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Gateway } from "../../../src/gateway.js";
import { createTestGateway, FakeClock, TEST_OWNER_KEY } from "../../../src/testing/index.js";
import { issuerOf, PUBLIC } from "./issuer.js";

// What is under way, standing streams above all, ends with the credential that it came in with.

let issuer: Awaited<ReturnType<typeof issuerOf>>;
beforeAll(async () => {
  issuer = await issuerOf();
});
afterAll(() => void (issuer.server.closeAllConnections(), issuer.server.close()));

async function scene() {
  const clock = new FakeClock(Date.now());
  const access = { publicUrl: PUBLIC, resourceServer: { issuers: [{ issuer: issuer.url, scopes: { tools: ["mcp:*"] } }] } };
  const gateway = await createTestGateway({ access, clock, mcpServers: {} } as never);
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return { clock, gateway };
}

const rpc = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const legacy = rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } });
const meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "c", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const modern = (method: string, params: object) => ({
  body: rpc(method, { ...params, _meta: meta }),
  headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": method },
});

function send(
  gateway: Gateway,
  credential: string,
  o: { readonly method?: string; readonly path?: string; readonly body?: unknown; readonly headers?: object } = {},
) {
  const { method = o.body === undefined ? "GET" : "POST", path = "/mcp", body, headers } = o;
  const own = { accept: "application/json, text/event-stream", authorization: `Bearer ${credential}`, "content-type": "application/json" };
  const init = { method, headers: { ...own, ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return gateway.fetch(new Request(`http://localhost${path}`, init));
}

type Credential = (s: Awaited<ReturnType<typeof scene>>) => Promise<string>;
const credentials: Readonly<Record<string, Credential>> = {
  "an access token": ({ clock }) => issuer.sign(issuer.claims({ aud: PUBLIC, exp: Math.floor(clock.now() / 1_000) + 60 })),
  "a key that ends": async ({ gateway, clock }) =>
    (await gateway.keys.create({ name: "k", scopes: ["mcp:*"], expiresAtMs: clock.now() + 60_000 })).key,
};

describe.each(Object.keys(credentials))("with %s", (what) => {
  it("a session's standing stream ends with it, and not before; whoever comes again is refused", async () => {
    const s = await scene();
    const credential = await credentials[what]!(s);
    const opened = await send(s.gateway, credential, { body: legacy });
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id")! };
    const stream = await send(s.gateway, credential, { headers });
    expect(stream.status).toBe(200);
    let isOver = false;
    const text = stream.text().finally(() => (isOver = true));
    await s.clock.advance(50_000);
    expect(isOver).toBe(false);
    await s.clock.advance(10_001);
    expect(await text).toMatch(/^(: keep-alive\n\n)+$/);
    await s.clock.advance(30_000);
    expect((await send(s.gateway, credential, { headers })).status).toBe(401);
  });

  it("subscriptions/listen ends with it, and is told why", async () => {
    const s = await scene();
    const credential = await credentials[what]!(s);
    const stream = await send(s.gateway, credential, modern("subscriptions/listen", { notifications: { toolsListChanged: true } }));
    const text = stream.text();
    await s.clock.advance(61_000);
    const said = (await text)
      .split("\n")
      .filter((line) => line.startsWith("data: "))
      .map((line) => JSON.parse(line.slice(6)) as object);
    expect(said).toMatchObject([
      { method: "notifications/subscriptions/acknowledged" },
      { id: 1, error: { message: "The credential of this call is over.", data: { code: "unauthenticated" } } },
    ]);
  });

  it("a stream of HTTP+SSE ends with it", async () => {
    const s = await scene();
    const text = (await send(s.gateway, await credentials[what]!(s), { path: "/sse" })).text();
    await s.clock.advance(61_000);
    expect(await text).toContain("event: endpoint");
  });

  it.each(["application/json", "application/json, text/event-stream"])(
    "a call under way ends with it, and its server is told (%s)",
    async (accept) => {
      const s = await scene();
      const credential = await credentials[what]!(s);
      const { Server } = await import("@modelcontextprotocol/server");
      let called: (signal: AbortSignal) => void = () => undefined;
      const atServer = new Promise<AbortSignal>((resolve) => (called = resolve));
      await s.gateway.mcp.connect("slow", {
        server: () => {
          const server = new Server({ name: "slow", version: "1" }, { capabilities: { tools: {} } });
          server.setRequestHandler("tools/list", () => ({ tools: [{ name: "wait", inputSchema: { type: "object" as const } }] }));
          server.setRequestHandler("tools/call", (_request, extra) => {
            const { signal } = (extra as { mcpReq: { signal: AbortSignal } }).mcpReq;
            called(signal);
            return new Promise<never>(() => undefined);
          });
          return server as never;
        },
      });
      const answer = send(s.gateway, credential, { body: rpc("tools/call", { name: "slow__wait", arguments: {} }), headers: { accept } });
      const signal = await atServer;
      await s.clock.advance(61_000);
      expect(await (await answer).text()).toMatch(/"id":1,"error":\{.*"data":\{"code":"unauthenticated"/);
      await expect.poll(() => signal.aborted).toBe(true);
    },
  );
});

it("a stream of somebody whose key has no end goes on", async () => {
  const s = await scene();
  const stream = await send(s.gateway, TEST_OWNER_KEY, modern("subscriptions/listen", { notifications: { toolsListChanged: true } }));
  const reader = stream.body!.getReader();
  await s.clock.advance(120_000);
  const first = new TextDecoder().decode((await reader.read()).value);
  expect([first.includes("acknowledged"), first.includes("error")]).toEqual([true, false]);
  await reader.cancel();
});

it("standing streams of a key that is revoked end at once", async () => {
  const s = await scene();
  const { id, key } = await s.gateway.keys.create({ name: "k", scopes: ["mcp:*"] });
  const opened = await send(s.gateway, key, { body: legacy });
  const standing = await send(s.gateway, key, { headers: { "mcp-session-id": opened.headers.get("mcp-session-id")! } });
  const listening = await send(s.gateway, key, modern("subscriptions/listen", { notifications: { toolsListChanged: true } }));
  await s.gateway.keys.revoke(id);
  expect(await standing.text()).toBe("");
  expect(await listening.text()).toContain("The credential of this call was revoked.");
});
