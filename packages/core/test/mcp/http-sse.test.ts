import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { Client as NewClient } from "@modelcontextprotocol/client";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it, onTestFinished } from "vitest";
import type { McpProxy } from "../../src/mcp/index.js";
import { serve } from "../../src/node/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { proxyHarness } from "./proxy-harness.js";
import { namedServer } from "./servers/named-server.js";
import { oldHttpStory, oldStory } from "./servers/http-story.js";
import { sseStory } from "./servers/sse-story.js";
// @ts-expect-error a plain program, so that it also runs as a child process
import * as told from "./servers/story.mjs";

/** For what comes by itself, on a machine that may be busy. */
const SOON = { timeout: 30_000 };

const { cancelled, ran } = told as { cancelled: ReadonlySet<string>; ran: ReadonlyMap<string, number> };

describe("an upstream over HTTP+SSE", () => {
  it.each([
    ["asked for", { type: "sse" as const, auth: { type: "bearer" as const, token: "canary-sse" } }],
    ["found, since it knows no Streamable HTTP", { headers: { authorization: "Bearer canary-sse" } }],
  ])("is used when it is %s", async (_how, more) => {
    const story = await sseStory();
    const { proxy, ended } = proxyHarness({
      limits: { startMs: 90_000 },
      config: { mcpServers: { old: { ...more, url: story.url } } },
    });
    await proxy.start();
    expect(proxy.status()).toMatchObject([{ name: "old", transport: "sse", connected: true, era: "legacy" }]);
    expect(await proxy.call("old__echo", { text: "hello" })).toMatchObject({
      isError: false,
      raw: { structuredContent: { text: "hello" } },
    });
    const progress: number[] = [];
    await proxy.call("old__count", { to: 3 }, { onProgress: (event) => void progress.push(event.progress) });
    expect(progress).toEqual([1, 2, 3]);
    expect(ended).toHaveLength(2);
    expect(new Set(story.seen.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer canary-sse"]));
    await proxy.close();
    await expect.poll(story.streams, SOON).toBe(0);
  });

  it("that loses its stream is connected anew by itself", async () => {
    const story = await sseStory();
    const { proxy, waitFor } = proxyHarness({
      limits: { startMs: 90_000 },
      config: { mcpServers: { old: { type: "sse", url: story.url } } },
    });
    await proxy.start();
    const lost = waitFor("server.changed", (event) => !event.connected);
    const found = waitFor("server.changed", (event) => event.connected);
    story.cut();
    await lost;
    await found;
    expect(await proxy.call("old__echo", { text: "again" })).toMatchObject({ isError: false });
  });

  it("is posted to at its own origin only, whatever it says", async () => {
    const other = await sseStory();
    for (const said of [other.url.replace("/sse", "/messages"), "http://169.254.169.254/", "javascript:alert(1)"]) {
      const liar = await sseStory({ endpoint: () => said });
      const { proxy } = proxyHarness({
        limits: { startMs: 90_000 },
        config: { mcpServers: { old: { type: "sse", url: liar.url, headers: { authorization: "Bearer canary-origin" } } } },
      });
      await proxy.start();
      expect(proxy.status()[0]).toMatchObject({ connected: false, lastError: expect.stringContaining("another origin") as unknown });
      await proxy.close();
    }
    expect(other.seen).toEqual([]);
  });

  it("that is no MCP server at all is told by what it first said", async () => {
    const { proxy } = proxyHarness({
      limits: { startMs: 90_000 },
      config: { mcpServers: { old: { url: (await sseStory()).url.replace("/sse", "/nothing") } } },
    });
    await proxy.start();
    expect(proxy.status()[0]?.lastError).toContain("404");
  });
});

async function served(mcpServers: Record<string, { url: string }>) {
  const gateway = await createTestGateway({ mcpServers, namespaces: { just: { servers: ["a"], naming: "none" } } });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  await expect.poll(() => gateway.mcp.status().every(({ connected }) => connected), SOON).toBe(true);
  const connect = async (path: string, key = TEST_OWNER_KEY) => {
    const headers = { authorization: `Bearer ${key}` };
    const transport = new SSEClientTransport(new URL(serving.url + path), {
      requestInit: { headers },
      eventSourceInit: {
        fetch: (url, init) => fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...headers } }),
      },
    });
    const client = new OldClient({ name: "t", version: "1" });
    await client.connect(transport);
    onTestFinished(() => client.close());
    return { client, transport };
  };
  return { gateway, serving, connect };
}

describe("a client over HTTP+SSE", () => {
  it("lists, calls and hears of changes, as over Streamable HTTP; and of a namespace its own names", async () => {
    const { connect } = await served({ a: { url: (await oldHttpStory()).url } });
    const { client } = await connect("/sse");
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("a__echo");
    expect(await client.callTool({ name: "a__echo", arguments: { text: "hi" } })).toMatchObject({ structuredContent: { text: "hi" } });
    const changed = new Promise<void>((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()));
    await client.callTool({ name: "a__grow", arguments: {} });
    await changed;
    const { client: inNamespace } = await connect("/ns/just/sse");
    expect((await inNamespace.listTools()).tools.map(({ name }) => name)).toContain("echo");
  });

  it("posts to its own stream only, and not when it is closed (T16)", async () => {
    const { serving, connect } = await served({ a: { url: (await namedServer("one")).url } });
    const { client, transport } = await connect("/sse");
    const endpoint = (transport as unknown as { _endpoint: URL })._endpoint;
    const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };
    const ping = JSON.stringify({ jsonrpc: "2.0", id: 9, method: "ping" });
    const made = await fetch(`${serving.url}/api/v1/keys`, { method: "POST", headers, body: JSON.stringify({ name: "other" }) });
    const { key } = (await made.json()) as { key: string };
    const others = { ...headers, authorization: `Bearer ${key}` };
    expect((await fetch(endpoint, { method: "POST", headers: others, body: ping })).status).toBe(404);
    expect((await fetch(endpoint, { method: "POST", headers: { "content-type": "application/json" }, body: ping })).status).toBe(401);
    expect((await fetch(`${serving.url}/messages?sessionId=none`, { method: "POST", headers, body: ping })).status).toBe(404);
    expect((await fetch(endpoint, { method: "POST", headers, body: ping })).status).toBe(202);
    await client.close();
    await expect.poll(async () => (await fetch(endpoint, { method: "POST", headers, body: ping })).status, SOON).toBe(404);
  });
});

/** A client that speaks messages over a pipe. */
function piped(mcp: McpProxy) {
  const heard: Record<string, unknown>[] = [];
  const channel = mcp.open({
    send: (message) => void heard.push(JSON.parse(new TextDecoder().decode(message)) as Record<string, unknown>),
  });
  const say = (message: unknown) =>
    channel.receive(new TextEncoder().encode(typeof message === "string" ? message : JSON.stringify(message)));
  const answer = (id: unknown) => heard.find((message) => message["id"] === id && message["method"] === undefined);
  return { heard, channel, say, answer };
}

describe("a client over a pipe", () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
  };
  const modern = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };

  it.each(["legacy", "modern"])("hears progress before the result, and cancels by saying so (%s)", async (era) => {
    const { proxy } = proxyHarness({ config: { mcpServers: {} } });
    await proxy.connect("a", { server: () => oldStory() });
    const { heard, say, answer, channel } = piped(proxy);
    const _meta = era === "modern" ? modern : {};
    if (era === "legacy") await say(initialize);
    await say({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "a__count", arguments: { to: 3 }, _meta: { ..._meta, progressToken: "p" } },
    });
    const told = heard.filter(({ method, id }) => method === "notifications/progress" || id === 1);
    expect(told.map(({ method }) => method ?? "result")).toEqual([...Array<string>(3).fill("notifications/progress"), "result"]);
    const label = `pipe-${era}`;
    const waiting = say({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "a__wait", arguments: { label }, _meta } });
    await expect.poll(() => ran.get(label), SOON).toBe(1);
    await say({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } });
    await waiting;
    await expect.poll(() => cancelled.has(label), SOON).toBe(true);
    await channel.close();
    await say({ jsonrpc: "2.0", id: 3, method: "ping" });
    expect(answer(3)).toBeUndefined();
  });

  it("is told what is wrong with what it said, under the id that it gave", async () => {
    const { proxy } = proxyHarness({ config: { mcpServers: {} } });
    const { heard, say, answer } = piped(proxy);
    await say("{");
    expect(heard[0]).toMatchObject({ id: null, error: { code: -32700 } });
    await say({ jsonrpc: "2.0", id: "x", method: "what/ever", params: { _meta: modern } });
    expect(answer("x")).toMatchObject({ error: { code: -32601 } });
    await say({
      jsonrpc: "2.0",
      id: 5,
      method: "tools/list",
      params: { _meta: { ...modern, "io.modelcontextprotocol/protocolVersion": "2099-01-01" } },
    });
    expect(answer(5)).toMatchObject({ error: { code: -32022 } });
    const nowhere = proxy.open({
      namespace: "nowhere",
      send: (message) => void heard.push(JSON.parse(new TextDecoder().decode(message)) as never),
    });
    await nowhere.receive(new TextEncoder().encode(JSON.stringify({ ...initialize, id: 6 })));
    expect(answer(6)).toMatchObject({ error: { message: expect.stringContaining("nowhere") as unknown } });
  });
});

describe("a client in this process", () => {
  it.each([
    ["of the older line", () => new OldClient({ name: "t", version: "1" })],
    ["of the newer line", () => new NewClient({ name: "t", version: "1" }, { versionNegotiation: { mode: "auto" } })],
  ])("%s connects by a transport, and sees what the owner sees", async (_line, make) => {
    const gateway = await createTestGateway({ mcpServers: {} });
    onTestFinished(() => gateway.close());
    await gateway.mcp.connect("story", { server: () => oldStory() });
    const client = make();
    const transport = gateway.mcp.transport();
    await client.connect(transport as never);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("story__echo");
    expect(await client.callTool({ name: "story__echo", arguments: { text: "hi" } })).toMatchObject({ structuredContent: { text: "hi" } });
    await expect(client.callTool({ name: "story__nothing", arguments: {} })).rejects.toThrow(/There is no tool/);
    await client.close();
  });
});
