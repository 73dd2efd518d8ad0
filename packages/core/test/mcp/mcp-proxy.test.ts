import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clock } from "../../src/platform/node.js";
import { caller, hosted, post, proxyHarness } from "./proxy-harness.js";
import { newHttpStory, oldHttpStory, oldStory } from "./servers/http-story.js";
import { rawServer } from "./servers/raw-http.js";

describe("McpProxy", () => {
  it("offers the demo server when no server is configured, and none when the list is empty", async () => {
    const demo = proxyHarness();
    expect((await demo.proxy.tools()).map((tool) => tool.name)).toEqual(["demo__time", "demo__calculator", "demo__echo"]);
    expect(demo.proxy.status()).toEqual([
      {
        name: "demo",
        transport: "in-process",
        connected: true,
        tools: 3,
        lastError: null,
        lastSuccessMs: expect.any(Number),
        ...{ breaker: "closed", inFlight: 0, queued: 0 },
        era: "modern",
        version: "2026-07-28",
        stderr: null,
      },
    ]);
    expect(await demo.proxy.call("demo__echo", { text: "hi" })).toMatchObject({
      isError: false,
      raw: { content: [{ type: "text", text: "hi" }] },
    });
    expect(await demo.proxy.call("demo__calculator", { expression: "1/0" })).toMatchObject({ isError: true });
    expect(await demo.proxy.call("demo__echo", { text: 5 })).toMatchObject({ isError: true });
    expect(await demo.proxy.call("demo__time", { timeZone: "Nowhere/At_All" })).toMatchObject({ isError: true });
    expect(await demo.proxy.call("demo__time", { timeZone: "Asia/Tokyo" })).toMatchObject({
      isError: false,
      raw: { structuredContent: { timeZone: "Asia/Tokyo" } },
    });
    const none = proxyHarness({ config: { mcpServers: {} } });
    await none.proxy.start();
    expect(none.proxy.toolCaller().status()).toEqual({ servers: 0, connected: 0, tools: 0 });
  });

  it("finds tools by glob and by text", async () => {
    const { proxy } = proxyHarness();
    expect((await proxy.tools("demo__*o*")).map((tool) => tool.tool)).toEqual(["calculator", "echo"]);
    expect((await proxy.tools("ARITHMETIC")).map((tool) => tool.tool)).toEqual(["calculator"]);
    expect(await proxy.tools("nothing of the kind")).toEqual([]);
    expect((await proxy.tools("demo__echo"))[0]).toMatchObject({
      name: "demo__echo",
      server: "demo",
      tool: "echo",
      title: "Echo",
      inputSchema: { type: "object" },
      raw: { annotations: { readOnlyHint: true } },
    });
  });

  it("connects, tells a taken or bad name, and describes what is wrong with a server's description", async () => {
    const { proxy } = proxyHarness();
    expect(await proxy.connect("story", { server: oldStory() })).toMatchObject({
      name: "story",
      transport: "in-process",
      connected: true,
      tools: 10,
    });
    await expect(proxy.connect("story", { server: oldStory() })).rejects.toMatchObject({ code: "conflict" });
    for (const name of ["A", "a__b", "-a", "", "x".repeat(41), "__proto__"])
      await expect(proxy.connect(name, { server: oldStory() })).rejects.toMatchObject({ code: "validation_failed" });
    await expect(proxy.connect("x", { url: "ftp://x" })).rejects.toMatchObject({
      code: "validation_failed",
      message: expect.stringContaining("url") as unknown,
    });
    await expect(proxy.connect("x", { url: "http://127.0.0.1/", headers: { "Mcp-Session-Id": "1" } })).rejects.toMatchObject({
      code: "misconfigured",
    });
    expect(proxy.status().map((status) => status.name)).toEqual(["demo", "story"]);
  });

  it("keeps a server that could not be reached, and tries it again when it is used", async () => {
    const { proxy } = proxyHarness();
    await expect(proxy.connect("later", { command: "sallyport-no-such-server" })).rejects.toMatchObject({ code: "misconfigured" });
    expect(proxy.status().find((status) => status.name === "later")).toMatchObject({
      connected: false,
      lastError: expect.stringContaining("sallyport-no-such-server") as unknown,
    });
    expect(await proxy.disconnect("later")).toBe(true);
  });

  it("probes without leaving anything behind", async () => {
    const { proxy } = proxyHarness();
    const server = await oldHttpStory();
    const probed = await proxy.probe({ url: server.url });
    expect(probed).toMatchObject({
      transport: "http",
      era: "legacy",
      version: "2025-11-25",
      serverInfo: { name: "story" },
      instructions: "An old story.",
      rejected: [],
    });
    expect(probed.tools.map((tool) => tool["name"])).toContain("echo");
    expect(server.seen.at(-1)?.method).toBe("DELETE");
    expect(await proxy.probe({ url: (await newHttpStory("reject")).url })).toMatchObject({ era: "modern", version: "2026-07-28" });
    const stdio = { command: process.execPath, args: [join(import.meta.dirname, "servers", "rude.mjs"), "bad-tools"] };
    expect((await proxy.probe(stdio)).rejected).toHaveLength(6);
    await expect(proxy.probe({ command: "sallyport-no-such-server" })).rejects.toMatchObject({ code: "misconfigured" });
    expect(proxy.status().map((status) => status.name)).not.toContain("probe");
  });

  it("calls for whoever asks: with progress, an idempotency key and its own deadline", async () => {
    const { proxy } = proxyHarness();
    const raw = await rawServer("legacy", [{ name: "echo", inputSchema: { type: "object" } }]);
    await proxy.connect("raw", { url: raw.url });
    await proxy.connect("story", { server: oldStory() });
    const progress: unknown[] = [];
    await proxy.call("story__count", { to: 2 }, { onProgress: (event) => void progress.push(event) });
    expect(progress).toEqual([1, 2].map((n) => ({ type: "progress", progress: n, total: 2, message: `step ${n}` })));
    await proxy.call("raw__echo", { a: 1 }, { idempotencyKey: "k1" });
    expect(JSON.parse(raw.got.get("tools/call")!)).toMatchObject({
      params: { name: "echo", arguments: { a: 1 }, _meta: { "sallyport/idempotencyKey": "k1" } },
    });
    await expect(proxy.call("story__wait", { label: "deadline" }, { timeoutMs: 50 })).rejects.toMatchObject({ code: "upstream_timeout" });
  });

  it.each([
    ["[]", "validation_failed"],
    ["nothing", "invalid_json"],
    ["null", "validation_failed"],
  ])("takes no arguments such as %s", async (text, code) => {
    const { proxy } = proxyHarness();
    const o = {
      caller: caller("x", ["*"]),
      requestId: "r",
      signal: new AbortController().signal,
      deadlineMs: clock.now() + 1000,
      depth: 0,
    };
    await proxy.start();
    await expect(proxy.toolCaller().call({ name: "demo__echo", arguments: text }, o)).rejects.toMatchObject({ code });
  });

  it("does not ask a server for its list at every miss", async () => {
    const { proxy } = proxyHarness();
    const tools = [{ name: "one", inputSchema: { type: "object" } }];
    const raw = await rawServer("legacy", tools);
    raw.result = '{"content":[]}';
    await proxy.connect("raw", { url: raw.url });
    tools.push({ name: "two", inputSchema: { type: "object" } });
    raw.got.clear();
    await expect(proxy.call("raw__two")).rejects.toMatchObject({ code: "tool_not_found" });
    expect([...raw.got.keys()]).toEqual([]);
  });

  it("serves namespaces as they are configured, and says when one is not", async () => {
    const namespaces = {
      both: { servers: ["demo", "story"] },
      one: { servers: ["demo"] },
      bad: { servers: ["demo", "story"], naming: "none" as const, conflicts: "error" as const },
    };
    const harness = proxyHarness({ config: { namespaces } });
    await harness.proxy.connect("story", { server: oldStory() });
    const host = await hosted(harness);
    const list = async (name: string) => {
      const answer = await post(host.namespace(name), { jsonrpc: "2.0", id: 1, method: "tools/list" });
      const result = answer.json()["result"] as { tools: { name: string }[] } | undefined;
      return (
        result?.tools.map((tool) => tool.name) ?? { status: answer.status, ...(answer.json()["error"] as { data: { code: string } }).data }
      );
    };
    expect(await list("both")).toHaveLength(13);
    expect(await list("one")).toEqual(["demo__time", "demo__calculator", "demo__echo"]);
    expect(await list("none")).toMatchObject({ status: 404, code: "not_found" });
    expect(await list("bad")).toMatchObject({ code: "misconfigured" });
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "story__echo", arguments: { text: "x" } } };
    expect((await post(host.namespace("one"), call)).json()).toMatchObject({ error: { code: -32602 } });
    expect((await post(host.namespace("both"), call)).json()).toMatchObject({ result: { content: [{ text: "x" }] } });
  });

  it("tells of servers that come and go", async () => {
    const harness = proxyHarness({ config: { mcpServers: {} } });
    const came = harness.waitFor("server.changed", (event) => event.connected);
    await harness.proxy.connect("story", { server: oldStory() });
    expect(await came).toEqual({ server: "story", connected: true, error: null });
    const failed = harness.waitFor("server.changed", (event) => !event.connected);
    await harness.proxy.connect("gone", { command: "sallyport-no-such-server" }).catch(() => undefined);
    expect(await failed).toMatchObject({ server: "gone", error: expect.stringContaining("sallyport-no-such-server") as unknown });
  });

  it("closes once and for all", async () => {
    const { proxy } = proxyHarness();
    await proxy.start();
    await Promise.all([proxy.close(), proxy.close()]);
    await expect(proxy.call("demo__echo", { text: "x" })).rejects.toMatchObject({ code: "shutting_down" });
    await expect(proxy.connect("x", { server: oldStory() })).rejects.toMatchObject({ code: "shutting_down" });
  });
});
