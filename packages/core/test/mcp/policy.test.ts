import { Client as NewClient, StreamableHTTPClientTransport as NewTransport } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import type { ToolEvent, ToolHead } from "../../src/calls/index.js";
import { auditEntry, usageEntry } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import type { Step } from "../../src/policy/step.js";
import { clock } from "../../src/platform/node.js";
import { caller, hosted, post, proxyHarness } from "./proxy-harness.js";
import { oldStory } from "./servers/http-story.js";

type ToolStep = Step<ToolHead, ToolEvent>;
const call = (name: string, args: object = {}, _meta?: object) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name, arguments: args, ...(_meta === undefined ? {} : { _meta }) },
});
const as = (id: string) => ({ authorization: `Bearer ${id}` });

async function story(steps: readonly ToolStep[] = [], grants: Readonly<Record<string, readonly string[]>> = {}) {
  const harness = proxyHarness({ steps });
  await harness.proxy.connect("story", { server: () => oldStory() });
  return { harness, host: await hosted(harness, grants) };
}

describe("a caller", () => {
  const grants = { narrow: ["mcp:demo__t*", "mcp:story__story://*"], none: ["models:*"], all: ["mcp:*"] };

  it("sees only what it may use", async () => {
    const { harness, host } = await story([], grants);
    const list = async (id: string, method: string) => {
      const result = (await post(host.url, { jsonrpc: "2.0", id: 1, method }, as(id))).json()["result"] as Record<
        string,
        { name: string }[]
      >;
      return Object.values(result)[0]!.map((entry) => entry.name);
    };
    expect(await list("narrow", "tools/list")).toEqual(["demo__time"]);
    expect(await list("none", "tools/list")).toEqual([]);
    expect(await list("all", "tools/list")).toHaveLength(13);
    // A list that was kept for one is not shown to another.
    expect(await list("narrow", "tools/list")).toEqual(["demo__time"]);
    expect(await list("narrow", "resources/list")).toEqual(["one"]);
    expect(await list("none", "resources/list")).toEqual([]);
    expect(await list("none", "prompts/list")).toEqual([]);
    expect((await harness.proxy.tools(undefined, { caller: caller("narrow", grants.narrow) })).map((tool) => tool.name)).toEqual([
      "demo__time",
    ]);
  });

  it("can't use what it does not see", async () => {
    const { host, harness } = await story([], grants);
    const refused = { error: { code: -32000, data: { code: "forbidden" } } };
    expect((await post(host.url, call("demo__echo", { text: "x" }), as("narrow"))).json()).toMatchObject(refused);
    expect(
      (await post(host.url, { jsonrpc: "2.0", id: 1, method: "prompts/get", params: { name: "story__greet" } }, as("narrow"))).json(),
    ).toMatchObject(refused);
    const read = (id: string) =>
      post(host.url, { jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri: "sallyport:story/story://one" } }, as(id));
    expect((await read("narrow")).json()).toMatchObject({ result: { contents: [{ text: "first" }] } });
    expect((await read("none")).json()).toMatchObject(refused);
    await expect(harness.proxy.call("demo__echo", { text: "x" }, { caller: caller("narrow", grants.narrow) })).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("leaves a row in audit and usage for every call, however it ended", async () => {
    const { host, harness } = await story([], grants);
    await post(host.url, call("demo__echo", { text: "x" }), as("all"));
    await post(host.url, call("demo__echo", { text: "x" }), as("narrow"));
    await harness.proxy.call("story__fail");
    await harness.ledger.drain(clock.now() + 5_000);
    const read = { orderBy: "atMs" as const, limit: 10 };
    const audit = (await harness.store.find(auditEntry, read, { system: "test" }, { deadlineMs: clock.now() + 1000 })).rows;
    const rows = audit.map((row) => [row.callerId, row.action, row.target, row.outcome, row.code]);
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual(["all", "tool.call", "demo__echo", "done", null]);
    expect(rows).toContainEqual(["narrow", "tool.call", "demo__echo", "failed", "forbidden"]);
    expect(rows).toContainEqual(["owner", "tool.call", "story__fail", "done", null]);
    const usage = (await harness.store.find(usageEntry, read, { system: "test" }, { deadlineMs: clock.now() + 1000 })).rows;
    expect(usage.map((row) => [row.kind, row.name]).sort()).toEqual([
      ["tool", "demo__echo"],
      ["tool", "demo__echo"],
      ["tool", "story__fail"],
    ]);
    expect(usage.map((row) => row.id).sort()).toEqual(audit.map((row) => row.id).sort());
  });
});

describe("a step", () => {
  it("that only looks at the head sees the call's names and size, whatever the address calls them", async () => {
    const heads: ToolHead[] = [];
    const harness = proxyHarness({
      steps: [{ name: "look", enter: (open) => void heads.push(open.head) }],
      config: { namespaces: { bare: { servers: ["demo"], naming: "none" } } },
    });
    const host = await hosted(harness);
    await post(host.namespace("bare"), call("echo", { text: "x" }));
    await harness.proxy.call("demo__echo", { text: "x" });
    const head = { kind: "tool", name: "demo__echo", server: "demo", tool: "echo", bytes: 12 };
    expect(heads).toEqual([head, head]);
  });

  it("that reads gets the arguments and the events, and the caller gets the answer all the same", async () => {
    const seen: unknown[] = [];
    const reader: ToolStep = {
      name: "reader",
      sees: () => "read",
      enter: (open) => void seen.push(open.content()),
      async *events(_open, source) {
        for await (const event of source) {
          seen.push(event.type);
          yield event;
        }
      },
    };
    const { host } = await story([reader]);
    const client = new NewClient({ name: "t", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new NewTransport(host.url));
    const progress: number[] = [];
    const result = await client.callTool(
      { name: "story__count", arguments: { to: 2 } },
      { onprogress: (p) => void progress.push(p.progress) },
    );
    expect(result).toMatchObject({ content: [{ text: "counted to 2" }] });
    expect(progress).toEqual([1, 2]);
    expect(seen).toEqual([{ kind: "tool", name: "story__count", arguments: '{"to":2}' }, "progress", "progress", "result"]);
    await client.close();
    const answer = await post(host.url, call("story__echo", { text: "x" }));
    expect(answer.json()).toMatchObject({ id: 1, result: { structuredContent: { text: "x" } } });
  });

  it("that answers by itself keeps the call from its server", async () => {
    const answered: ToolEvent = { type: "result", result: { isError: false, raw: { content: [{ type: "text", text: "from the step" }] } } };
    async function* once() {
      yield answered;
    }
    const { host, harness } = await story([
      { name: "cache", enter: () => ({ status: 200, headers: [], body: { kind: "events", events: once() } }) },
    ]);
    expect((await post(host.url, call("story__echo", { text: "x" }))).json()).toMatchObject({
      result: { content: [{ text: "from the step" }] },
    });
    expect(await harness.proxy.call("story__echo", { text: "x" })).toEqual(answered.result);
  });

  it("that refuses in the middle ends the answer with its error", async () => {
    const refuser: ToolStep = {
      name: "refuser",
      sees: () => "read",
      async *events(_open, source) {
        for await (const event of source) {
          if (event.type === "result") throw new GatewayError("content_blocked", "The result was refused.");
          yield event;
        }
      },
    };
    const { host, harness } = await story([refuser]);
    const streamed = await post(host.url, call("story__count", { to: 1 }, { progressToken: "p" }));
    expect(streamed.headers.get("content-type")).toBe("text/event-stream");
    expect(streamed.text).toMatch(/"progressToken":"p"[^]*"code":"content_blocked"/);
    const whole = await post(host.url, call("story__echo", { text: "x" }));
    expect(whole.json()).toMatchObject({ error: { data: { code: "content_blocked" } } });
    await expect(harness.proxy.call("story__echo", { text: "x" })).rejects.toMatchObject({ code: "content_blocked" });
    expect(harness.ended.map(({ outcome }) => [outcome.kind, outcome.code])).toEqual([
      ["failed", "content_blocked"],
      ["failed", "content_blocked"],
      ["failed", "content_blocked"],
    ]);
  });

  it("lets no call in that is nested too deeply", async () => {
    const { harness } = await story();
    const o = {
      caller: caller("x", ["*"]),
      requestId: "r",
      signal: new AbortController().signal,
      deadlineMs: clock.now() + 1000,
      depth: 9,
    };
    await expect(harness.proxy.toolCaller().call({ name: "demo__echo", arguments: '{"text":"x"}' }, o)).rejects.toMatchObject({
      code: "limit_reached",
    });
  });
});
