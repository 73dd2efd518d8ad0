import { randomUUID } from "node:crypto";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it } from "vitest";
import { hosted, post, proxyHarness, type Hosted } from "./proxy-harness.js";
import { oldHttpStory, oldStory } from "./servers/http-story.js";

const initialize = (protocolVersion = "2025-11-25") => ({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion, capabilities: {}, clientInfo: { name: "t", version: "1" } },
});
const request = (method: string, params?: object, id: unknown = 1) => ({
  jsonrpc: "2.0",
  id,
  method,
  ...(params === undefined ? {} : { params }),
});

async function demo(grants?: Readonly<Record<string, readonly string[]>>) {
  const harness = proxyHarness();
  return { harness, host: await hosted(harness, grants) };
}
async function session(host: Hosted, headers: Record<string, string> = {}) {
  const answer = await post(host.url, initialize(), headers);
  const id = answer.headers.get("mcp-session-id")!;
  return { id, headers: { "mcp-session-id": id, "mcp-protocol-version": "2025-11-25", ...headers } };
}

describe("revisions up to 2025-11-25", () => {
  it.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])("are agreed on: %s", async (version) => {
    const { host } = await demo();
    const answer = await post(host.url, initialize(version));
    expect(answer.json()).toMatchObject({
      id: 0,
      result: { protocolVersion: version, serverInfo: { name: "sallyport" }, capabilities: { tools: { listChanged: true } } },
    });
    expect(answer.headers.get("mcp-session-id")).toMatch(/^[0-9a-f]{48}$/);
  });

  it("answer a revision that is not known with the newest", async () => {
    const { host } = await demo();
    expect((await post(host.url, initialize("2999-01-01"))).json()).toMatchObject({ result: { protocolVersion: "2025-11-25" } });
  });

  it("are served without a session too", async () => {
    const { host } = await demo();
    const list = await post(host.url, request("tools/list"));
    expect((list.json()["result"] as { tools: { name: string }[] }).tools.map((tool) => tool.name)).toEqual([
      "demo__time",
      "demo__calculator",
      "demo__echo",
    ]);
    const called = await post(host.url, request("tools/call", { name: "demo__calculator", arguments: { expression: "2*(3+4)" } }, "a-b"));
    expect(called.json()).toMatchObject({ jsonrpc: "2.0", id: "a-b", result: { structuredContent: { value: 14 } } });
    expect(called.json()["result"]).not.toHaveProperty("resultType");
    expect((await post(host.url, request("ping"))).json()).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    expect((await post(host.url, request("resources/subscribe", { uri: "x" }))).json()).toMatchObject({ error: { code: -32602 } });
  });

  it.each<[string, unknown, string]>([
    ["broken JSON", '{"jsonrpc":', "400 -32700"],
    ["an empty body", "", "400 -32700"],
    ["a batch", [request("ping")], "400 -32600"],
    ["no version", { id: 1, method: "ping" }, "400 -32600"],
    ["an unknown method", request("nonsense"), "200 -32601"],
    ["an object as name", request("tools/call", { name: {} }), "200 -32602"],
    ["no name", request("tools/call", {}), "200 -32602"],
    ["arguments that are a list", request("tools/call", { name: "demo__echo", arguments: [] }), "200 -32602"],
    ["a name twice", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo__echo","name":"demo__time"}}', "200 -32600"],
    ["an unknown tool", request("tools/call", { name: "demo__nothing" }), "200 -32602"],
    ["an unknown server", request("tools/call", { name: "other__echo" }), "200 -32602"],
    ["a name without a server", request("tools/call", { name: "echo" }), "200 -32602"],
    ["an unknown prompt", request("prompts/get", { name: "demo__nothing" }), "200 -32601"],
    ["an unknown resource", request("resources/read", { uri: "file:///x" }), "200 -32002"],
    ["a cursor of nobody", request("tools/list", { cursor: "x" }), "200 -32602"],
    ["an unknown log level", request("logging/setLevel", { level: "loud" }), "200 -32602"],
  ])("tell %s by its code", async (_what, message, expected) => {
    const { host, harness } = await demo();
    const answer = await post(host.url, message);
    expect(`${answer.status} ${(answer.json()["error"] as { code: number }).code}`).toBe(expected);
    expect(harness.problems).toEqual([]);
  });

  it("refuse what is no JSON, what nobody accepts, and other methods of HTTP", async () => {
    const { host } = await demo();
    expect((await post(host.url, request("ping"), { "content-type": "text/plain" })).status).toBe(415);
    expect((await post(host.url, request("ping"), { accept: "text/html" })).status).toBe(406);
    expect((await post(host.url, request("ping"), { accept: "application/json" })).status).toBe(200);
    expect((await post(host.url, request("ping"), { accept: "*/*" })).status).toBe(200);
    const put = await fetch(host.url, { method: "PUT", body: "{}" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, POST, DELETE"]);
    expect((await fetch(host.url, { headers: { accept: "text/event-stream" } })).status).toBe(405);
  });

  it("answer as an event stream when nothing else is accepted", async () => {
    const { host } = await demo();
    const answer = await post(host.url, request("ping"), { accept: "text/event-stream" });
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(answer.text).toBe('event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
  });

  it("refuse a revision in the header that nobody knows, with a list of those that are", async () => {
    const { host } = await demo();
    const answer = await post(host.url, request("ping"), { "mcp-protocol-version": "2023-01-01" });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({
      id: 1,
      error: {
        code: -32022,
        data: { requested: "2023-01-01", supported: ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] },
      },
    });
  });

  it("take notifications and answers without a word", async () => {
    const { host } = await demo();
    for (const message of [
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { jsonrpc: "2.0", method: "notifications/anything" },
      { jsonrpc: "2.0", id: 5, result: {} },
    ]) {
      const answer = await post(host.url, message);
      expect([answer.status, answer.text]).toEqual([202, ""]);
    }
  });
});

describe("a session", () => {
  it("belongs to the caller that opened it, and to the address where it was opened (T16)", async () => {
    const harness = proxyHarness({ config: { namespaces: { other: { servers: ["demo"] } } } });
    const host = await hosted(harness);
    const ada = await session(host, { authorization: "Bearer ada" });
    expect((await post(host.url, request("ping"), ada.headers)).status).toBe(200);
    const stolen = await post(host.url, request("ping"), { ...ada.headers, authorization: "Bearer bob" });
    expect([stolen.status, stolen.json()["error"]]).toMatchObject([404, { code: -32001 }]);
    expect((await post(host.namespace("other"), request("ping"), ada.headers)).status).toBe(404);
    expect((await fetch(host.url, { headers: { ...ada.headers, authorization: "Bearer bob", accept: "text/event-stream" } })).status).toBe(
      404,
    );
    expect((await fetch(host.url, { method: "DELETE", headers: { ...ada.headers, authorization: "Bearer bob" } })).status).toBe(404);
    expect((await post(host.url, request("ping"), ada.headers)).status).toBe(200);
  });

  it("ends when it is deleted, and its id opens nothing more", async () => {
    const { host } = await demo();
    const { headers } = await session(host);
    expect((await fetch(host.url, { method: "DELETE", headers })).status).toBe(204);
    expect((await post(host.url, request("ping"), headers)).status).toBe(404);
    expect((await fetch(host.url, { method: "DELETE", headers })).status).toBe(404);
    expect((await fetch(host.url, { headers: { ...headers, accept: "text/event-stream" } })).status).toBe(404);
  });

  it("wants its stream accepted as what it is", async () => {
    const { host } = await demo();
    const { headers } = await session(host);
    expect((await fetch(host.url, { headers: { ...headers, accept: "application/json" } })).status).toBe(406);
  });

  it("hears that tools came, and shows them", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("story", { server: () => oldStory() });
    const host = await hosted(harness);
    const client = new OldClient({ name: "old", version: "1" });
    await client.connect(new OldTransport(host.url) as Parameters<typeof client.connect>[0]);
    const told = new Promise<void>((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()));
    expect((await client.listTools()).tools.map((tool) => tool.name)).not.toContain("story__grown");
    await client.callTool({ name: "story__grow", arguments: {} });
    await told;
    expect((await client.listTools()).tools.map((tool) => tool.name)).toContain("story__grown");
    expect(await client.callTool({ name: "story__grown", arguments: {} })).toMatchObject({ content: [{ text: "grown" }] });
    await client.close();
  });

  it("hears of changes of the resources that it watches, under the URI that it knows", async () => {
    const harness = proxyHarness({ config: { mcpServers: { story: { url: (await oldHttpStory()).url } } } });
    await harness.proxy.start();
    const host = await hosted(harness);
    const client = new OldClient({ name: "old", version: "1" });
    await client.connect(new OldTransport(host.url) as Parameters<typeof client.connect>[0]);
    const updates: string[] = [];
    const told = new Promise<void>((resolve) =>
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, (note) => {
        updates.push(note.params.uri);
        resolve();
      }),
    );
    await client.subscribeResource({ uri: "sallyport:story/story://one" });
    await client.callTool({ name: "story__touch", arguments: {} });
    await told;
    expect(updates).toEqual(["sallyport:story/story://one"]);
    await client.unsubscribeResource({ uri: "sallyport:story/story://one" });
    await expect(client.subscribeResource({ uri: "sallyport:nobody/x" })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });

  it("is told later what was said while its stream was away", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("story", { server: () => oldStory() });
    const host = await hosted(harness);
    const [away, there] = [await session(host), await session(host)];
    const open = async (headers: Record<string, string>) =>
      (await fetch(host.url, { headers: { ...headers, accept: "text/event-stream" } })).body!.getReader();
    const untilPrompts = async (reader: Awaited<ReturnType<typeof open>>) => {
      let text = "";
      while (!text.includes("notifications/prompts/list_changed")) text += new TextDecoder().decode((await reader.read()).value);
      await reader.cancel();
      return text;
    };
    const heard = open(there.headers).then(untilPrompts);
    await harness.proxy.connect("second", { server: () => oldStory() });
    await heard;
    const text = await untilPrompts(await open(away.headers));
    expect(text.match(/tools\/list_changed/g)).toHaveLength(1);
  });

  it("that opens its stream again ends the one before", async () => {
    const { host } = await demo();
    const { headers } = await session(host);
    const open = () => fetch(host.url, { headers: { ...headers, accept: "text/event-stream" } });
    const first = await open();
    await open();
    expect(await first.text()).toBe("");
  });

  it("cancels a call by its id, and only its own", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("story", { server: () => oldStory() });
    const host = await hosted(harness);
    const [ada, bob] = [await session(host), await session(host)];
    const label = `cancelled by its id, ${randomUUID()}`;
    const waiting = post(host.url, request("tools/call", { name: "story__wait", arguments: { label } }, "w1"), ada.headers);
    const state = async () =>
      JSON.parse(((await harness.proxy.call("story__was_cancelled", { label })).raw["content"] as { text: string }[])[0]!.text) as object;
    await expect.poll(state).toEqual({ ran: 1, cancelled: false });
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "w1" } };
    await post(host.url, cancel, bob.headers);
    expect(await state()).toEqual({ ran: 1, cancelled: false });
    await post(host.url, cancel, ada.headers);
    expect((await waiting).json()).toMatchObject({ error: { data: { code: "cancelled" } } });
    await expect.poll(state).toEqual({ ran: 1, cancelled: true });
    expect(harness.ended.find(({ head }) => head.tool === "wait")).toMatchObject({ outcome: { kind: "aborted", code: "cancelled" } });
  });
});
