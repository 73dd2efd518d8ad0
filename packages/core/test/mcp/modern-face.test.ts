import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import { hosted, modern, post, proxyHarness, type Hosted } from "./proxy-harness.js";
import { oldStory } from "./servers/http-story.js";

async function demo() {
  const harness = proxyHarness();
  return { harness, host: await hosted(harness) };
}
const send = (host: Hosted, o: ReturnType<typeof modern>, headers: Record<string, string> = {}) =>
  post(host.url, o.message, { ...o.headers, ...headers });
const without = (headers: Record<string, string | undefined>, name: string) =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)) as Record<string, string>;
const serverInfo = { "io.modelcontextprotocol/serverInfo": { name: "sallyport", version: expect.any(String) as unknown } };

describe("revision 2026-07-28", () => {
  it("is discovered", async () => {
    const { host } = await demo();
    expect((await send(host, modern("server/discover"))).json()).toEqual({
      jsonrpc: "2.0",
      id: 1,
      result: {
        resultType: "complete",
        ttlMs: 0,
        cacheScope: "private",
        _meta: serverInfo,
        supportedVersions: ["2026-07-28"],
        capabilities: {
          tools: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          prompts: { listChanged: true },
          completions: {},
          logging: {},
          extensions: { "io.modelcontextprotocol/tasks": {} },
        },
      },
    });
  });

  it("marks every result as complete, and who answers", async () => {
    const { host } = await demo();
    const list = (await send(host, modern("tools/list"))).json()["result"] as Record<string, unknown>;
    expect(list).toMatchObject({ resultType: "complete", ttlMs: 0, cacheScope: "private", _meta: serverInfo });
    const called = await send(host, modern("tools/call", { name: "demo__echo", arguments: { text: "x" } }));
    expect(called.json()).toMatchObject({ result: { resultType: "complete", content: [{ text: "x" }], _meta: serverInfo } });
  });

  it.each([
    ["an unknown method", "nonsense"],
    ["initialize, which it has no more", "initialize"],
    ["ping, which it has no more", "ping"],
    ["a list of tasks, which there is no more", "tasks/list"],
  ])("answers %s with the code and the status", async (_what, method) => {
    const { host } = await demo();
    const answer = await send(host, modern(method));
    expect([answer.status, answer.json()]).toMatchObject([404, { id: 1, error: { code: -32601 } }]);
  });

  it("answers a revision to come with those that it knows", async () => {
    const { host } = await demo();
    const { message, headers } = modern("tools/list", { _meta: { "io.modelcontextprotocol/protocolVersion": "2027-01-01" } });
    const answer = await post(host.url, message, { ...headers, "mcp-protocol-version": "2027-01-01" });
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      { error: { code: -32022, data: { supported: ["2026-07-28"], requested: "2027-01-01" } } },
    ]);
  });

  it.each<[string, Record<string, string>]>([
    ["another revision in the header", { "mcp-protocol-version": "2025-11-25" }],
    ["another method in the header", { "mcp-method": "tools/list" }],
    ["another name in the header", { "mcp-name": "demo__time" }],
    ["another name behind base64", { "mcp-name": `=?base64?${btoa("demo__time")}?=` }],
    ["a name that is not valid base64", { "mcp-name": "=?base64?!!!?=" }],
    ["a name whose base64 is not UTF-8", { "mcp-name": "=?base64?/w==?=" }],
  ])("refuses %s as a mismatch (T44)", async (_what, headers) => {
    const { host, harness } = await demo();
    const answer = await send(host, modern("tools/call", { name: "demo__echo", arguments: { text: "x" } }), headers);
    expect([answer.status, answer.json()]).toMatchObject([400, { id: 1, error: { code: -32020 } }]);
    expect(harness.ended).toEqual([]);
  });

  it.each(["mcp-protocol-version", "mcp-method", "mcp-name"])("refuses a call without %s (T44)", async (name) => {
    const { host } = await demo();
    const { message, headers } = modern("tools/call", { name: "demo__echo", arguments: { text: "x" } });
    const answer = await post(host.url, message, without(headers, name));
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { code: -32020 } }]);
  });

  it("takes a name behind base64 that agrees", async () => {
    const { host } = await demo();
    const answer = await send(host, modern("tools/call", { name: "demo__echo", arguments: { text: "x" } }), {
      "mcp-name": ` =?base64?${btoa("demo__echo")}?= `,
    });
    expect(answer.status).toBe(200);
  });

  it.each<[string, Record<string, unknown>]>([
    ["no capabilities", { "io.modelcontextprotocol/clientCapabilities": undefined }],
    ["capabilities that are no object", { "io.modelcontextprotocol/clientCapabilities": 1 }],
    ["a revision that is no text", { "io.modelcontextprotocol/protocolVersion": 5 }],
    ["a log level that there is not", { "io.modelcontextprotocol/logLevel": "loud" }],
  ])("refuses an envelope with %s", async (_what, _meta) => {
    const { host } = await demo();
    const answer = await send(host, modern("tools/list", { _meta }));
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { code: -32602 } }]);
  });

  it("refuses its header without its envelope", async () => {
    const { host } = await demo();
    const answer = await post(host.url, { jsonrpc: "2.0", id: 1, method: "tools/list" }, { "mcp-protocol-version": "2026-07-28" });
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { code: -32602 } }]);
    const greeting = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    };
    expect((await post(host.url, greeting, { "mcp-protocol-version": "2026-07-28" })).json()).toMatchObject({ error: { code: -32020 } });
  });

  it("says that a resource is not there by the number of invalid parameters, and which it was", async () => {
    const { host } = await demo();
    const answer = await send(host, modern("resources/read", { uri: "file:///x" }));
    expect([answer.status, answer.json()]).toMatchObject([200, { error: { code: -32602, data: { uri: "file:///x" } } }]);
  });
});

describe("subscriptions/listen", () => {
  const messages = async function* (response: Response) {
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const data = text
          .slice(0, end)
          .split("\n")
          .find((line) => line.startsWith("data: "));
        text = text.slice(end + 2);
        if (data !== undefined) yield JSON.parse(data.slice(6)) as Record<string, unknown>;
      }
    }
  };
  const listen = async (host: Hosted, notifications: unknown, id: string | number = "s1") => {
    const { message, headers } = modern("subscriptions/listen", { notifications }, id);
    const init = {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", accept: "application/json, text/event-stream" } as Record<string, string>,
      body: JSON.stringify(message),
    };
    const response = await fetch(host.url, init);
    return { response, next: messages(response) };
  };

  it("acknowledges what can be had, then tells of changes under its own id, and says when it ends", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("story", { server: () => oldStory() });
    const host = await hosted(harness);
    const uris = ["sallyport:story/story://one", "sallyport:demo/x", "nowhere"];
    const { next } = await listen(host, { toolsListChanged: true, resourceSubscriptions: uris });
    const stamp = { "io.modelcontextprotocol/subscriptionId": "s1" };
    expect((await next.next()).value).toEqual({
      jsonrpc: "2.0",
      method: "notifications/subscriptions/acknowledged",
      params: { _meta: stamp, notifications: { toolsListChanged: true, resourceSubscriptions: ["sallyport:story/story://one"] } },
    });
    await harness.proxy.call("story__touch");
    expect((await next.next()).value).toEqual({
      jsonrpc: "2.0",
      method: "notifications/resources/updated",
      params: { _meta: stamp, uri: "sallyport:story/story://one" },
    });
    await harness.proxy.call("story__grow");
    expect((await next.next()).value).toEqual({ jsonrpc: "2.0", method: "notifications/tools/list_changed", params: { _meta: stamp } });
    void harness.proxy.close();
    expect((await next.next()).value).toMatchObject({ jsonrpc: "2.0", id: "s1", result: { resultType: "complete", _meta: stamp } });
    expect((await next.next()).done).toBe(true);
  });

  it("ends at once when nothing can be had", async () => {
    const { host } = await demo();
    const { next } = await listen(host, { resourceSubscriptions: ["nowhere"] }, 7);
    const all = [];
    for await (const message of next) all.push(message);
    expect(all).toMatchObject([{ params: { notifications: {} } }, { id: 7, result: { resultType: "complete" } }]);
  });

  it.each([undefined, [], { toolsListChanged: "yes" }, { resourceSubscriptions: "x" }])("refuses the filter %j", async (notifications) => {
    const { host } = await demo();
    const { response } = await listen(host, notifications);
    expect(await response.json()).toMatchObject({ id: "s1", error: { code: -32602 } });
  });

  it("keeps the v2 client's lists fresh", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("story", { server: () => oldStory() });
    const host = await hosted(harness);
    const changed = new Promise<{ name: string }[]>((resolve) => {
      const onChanged = (_error: unknown, tools: { name: string }[] | null) => resolve(tools ?? []);
      const client = new NewClient(
        { name: "new", version: "1" },
        { versionNegotiation: { mode: "auto" }, listChanged: { tools: { onChanged } } },
      );
      void client.connect(new NewTransport(host.url)).then(() => client.callTool({ name: "story__grow", arguments: {} }));
    });
    expect((await changed).map((tool) => tool.name)).toContain("story__grown");
  });
});
