import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toolResultText } from "../../src/calls/index.js";
import { freePort } from "@sallyport/adapter-kit";
import { hosted, post, proxyHarness, type HarnessOptions } from "./proxy-harness.js";
import { oldHttpStory } from "./servers/http-story.js";

const rude = (...args: string[]) => ({ command: process.execPath, args: [join(import.meta.dirname, "servers", "rude.mjs"), ...args] });

type Servers = NonNullable<NonNullable<HarnessOptions["config"]>["mcpServers"]>;
async function started(mcpServers: Servers, o: HarnessOptions = {}) {
  const harness = proxyHarness({ ...o, config: { ...o.config, mcpServers } });
  await harness.proxy.start();
  return harness;
}
const names = async (harness: { proxy: { tools(): Promise<readonly { name: string }[]> } }) =>
  (await harness.proxy.tools()).map((tool) => tool.name);
const text = async (call: Promise<Parameters<typeof toolResultText>[0]>) => toolResultText(await call);

describe("one server that fails beside one that works", () => {
  it.each<[string, { broken: Servers[string]; code: string; message: RegExp }]>([
    [
      "is not installed",
      { broken: { command: "sallyport-no-such-server" }, code: "misconfigured", message: /"sallyport-no-such-server" was not found/ },
    ],
    ["ends at once", { broken: rude("crash-at-start"), code: "upstream_unavailable", message: /exited with code 7/ }],
    ["never says a word", { broken: rude("silent"), code: "upstream_timeout", message: /in time/ }],
    ["listens nowhere", { broken: { url: "http://127.0.0.1:9/mcp" }, code: "upstream_unavailable", message: /could not be reached/ }],
    [
      "has HTTP+SSE, and listens nowhere",
      { broken: { type: "sse", url: "http://127.0.0.1:9/sse" }, code: "upstream_unavailable", message: /could not be reached/ },
    ],
  ])("that %s", async (_what, { broken, code, message }) => {
    const harness = await started({ broken, works: rude() }, { limits: { connectMs: 1_500 } });
    const statuses = harness.proxy.status();
    await expect.poll(() => harness.proxy.status().find((status) => status.name === "broken")?.lastError).toMatch(message);
    expect(statuses.find((status) => status.name === "works")).toMatchObject({ connected: true, tools: 10, lastError: null });
    expect(harness.proxy.toolCaller().status()).toMatchObject({ servers: 2, connected: 1, tools: 10 });
    expect((await names(harness)).every((name) => name.startsWith("works__"))).toBe(true);
    expect(await text(harness.proxy.call("works__ok"))).toBe("fine");
    await expect(harness.proxy.call("broken__ok")).rejects.toMatchObject({ code, message: expect.stringMatching(/"broken"/) as unknown });
    expect(harness.problems).toEqual([]);
  });

  it("keeps nobody waiting while it starts", async () => {
    const harness = await started({ slow: rude("slow-start", "60000"), works: rude() }, { limits: { startMs: 300 } });
    expect(await text(harness.proxy.call("works__ok"))).toBe("fine");
    expect(harness.proxy.toolCaller().status()).toMatchObject({ servers: 2, connected: 1 });
  });

  it("shows the end of its error output to the operator", async () => {
    const harness = await started({ broken: rude("crash-at-start") });
    expect(harness.proxy.status()[0]?.stderr).toContain("cannot find my configuration");
  });
});

describe("a stdio server", () => {
  it("that dies in a call leaves its outcome unknown, and is started again for the next", async () => {
    const harness = await started({ rude: rude() });
    const first = await text(harness.proxy.call("rude__pid"));
    const dying = harness.proxy.call("rude__crash");
    const beside = harness.proxy.call("rude__hang");
    await expect(dying).rejects.toMatchObject({
      code: "outcome_unknown",
      message: expect.stringContaining("exited with code 3") as unknown,
    });
    await expect(beside).rejects.toMatchObject({ code: "outcome_unknown" });
    await expect.poll(() => harness.proxy.status()[0]?.connected).toBe(true);
    expect(await text(harness.proxy.call("rude__pid"))).not.toBe(first);
  });

  it("that ends when it is asked for its revisions is greeted the old way", async () => {
    const harness = await started({ rude: rude("dies-when-probed") });
    expect(harness.proxy.status()[0]).toMatchObject({ connected: true, era: "legacy", lastError: null });
    expect(await text(harness.proxy.call("rude__ok"))).toBe("fine");
  });

  it("that talks garbage between its messages is understood", async () => {
    const harness = await started({ rude: rude("garbage") });
    expect(await text(harness.proxy.call("rude__ok"))).toBe("fine");
    expect(await text(harness.proxy.call("rude__wrong-id"))).toBe("mine");
  });

  it("whose message is too large is ended: its callers learn why, the next call finds it started again", async () => {
    const harness = await started({ rude: rude() }, { stdio: { maxMessageBytes: 1_000_000 } });
    await expect(harness.proxy.call("rude__huge")).rejects.toMatchObject({
      code: "upstream_protocol",
      message: expect.stringContaining("larger than 1000000 bytes") as unknown,
    });
    await expect.poll(() => harness.proxy.status()[0]?.connected).toBe(true);
    expect(await text(harness.proxy.call("rude__ok"))).toBe("fine");
  });

  it("that does not answer is left at the deadline, and told", async () => {
    const harness = await started({ rude: rude() });
    await expect(harness.proxy.call("rude__hang", {}, { timeoutMs: 100 })).rejects.toMatchObject({ code: "upstream_timeout" });
    const abort = new AbortController();
    const hanging = harness.proxy.call("rude__hang", {}, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(hanging).rejects.toMatchObject({ code: "cancelled" });
    expect(await text(harness.proxy.call("rude__ok"))).toBe("fine");
  });

  it("that sends a thousand change notices is asked for its list a few times", async () => {
    const harness = await started({ rude: rude() });
    expect(await text(harness.proxy.call("rude__flood"))).toBe("flooded");
    const asked = harness.logged.filter((line) => line.message.includes("list"));
    expect(asked.length).toBeLessThan(5);
    expect(await text(harness.proxy.call("rude__ok"))).toBe("fine");
  });

  it("is gone when the proxy is closed, also when it ignores SIGTERM (F70)", async () => {
    const harness = await started({ a: rude(), b: rude("stubborn") });
    const pids = [Number(await text(harness.proxy.call("a__pid"))), Number(await text(harness.proxy.call("b__pid")))];
    expect(pids.map(isAlive)).toEqual([true, true]);
    await harness.proxy.close();
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it("that does not get up is not waited for when the proxy is closed", async () => {
    const harness = await started({ a: rude("silent"), b: rude("silent") }, { limits: { startMs: 100 } });
    await harness.proxy.close();
    await expect(harness.proxy.call("a__ok")).rejects.toMatchObject({ code: "shutting_down" });
  });

  it("is gone when it is disconnected, and so are its tools", async () => {
    const harness = await started({ a: rude(), b: rude() });
    const pid = Number(await text(harness.proxy.call("a__pid")));
    expect(await harness.proxy.disconnect("a")).toBe(true);
    expect(isAlive(pid)).toBe(false);
    expect(await harness.proxy.disconnect("a")).toBe(false);
    expect((await names(harness)).every((name) => name.startsWith("b__"))).toBe(true);
    await expect(harness.proxy.call("a__ok")).rejects.toMatchObject({ code: "tool_not_found" });
  });
});

describe("a list", () => {
  it("is read without what no client could use", async () => {
    const harness = await started({ rude: rude("bad-tools") });
    expect(await names(harness)).toEqual(["rude__ok"]);
    const said = harness.logged.filter((line) => line.level === "warn" && line.fields["list"] === "tools");
    expect(said.map(({ fields }) => fields["count"])).toEqual([6]);
  });

  it("whose cursors go in a circle ends", async () => {
    const harness = await started({ rude: rude("circle") });
    expect(await names(harness)).toEqual(["rude__page_0", "rude__page_1"]);
  });

  it("that never comes leaves the server connected, and says so", async () => {
    const harness = await started({ rude: rude("no-list") }, { limits: { listMs: 300 } });
    expect(harness.proxy.status()[0]).toMatchObject({
      connected: true,
      tools: 0,
      lastError: expect.stringContaining("tools/list") as unknown,
    });
  });
});

describe("an answer", () => {
  it("that is an error comes as it was sent, and as a result to who called in code", async () => {
    const harness = await started({ rude: rude() });
    const host = await hosted(harness);
    const answer = await post(host.url, { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "rude__error" } });
    expect(answer.json()).toEqual({ jsonrpc: "2.0", id: 1, error: { code: -32099, message: "out of order", data: { why: ["x", 1.5] } } });
    expect(await harness.proxy.call("rude__error")).toMatchObject({ isError: true, raw: { content: [{ text: "out of order" }] } });
    expect(harness.ended.map(({ outcome }) => outcome.code)).toEqual(["tool_failed", "tool_failed"]);
  });

  it("is not kept waiting by a question of the server", async () => {
    const harness = await started({ rude: rude() });
    expect(await text(harness.proxy.call("rude__question"))).toBe("asked");
  });
});

describe("an HTTP server", () => {
  it("that was restarted is greeted anew, and the call goes through", async () => {
    const port = await freePort();
    const before = await oldHttpStory({ port });
    const harness = await started({ story: { url: before.url } });
    expect(await text(harness.proxy.call("story__echo", { text: "1" }))).toBe("1");
    await before.stop();
    await expect(harness.proxy.call("story__echo", { text: "2" })).rejects.toMatchObject({
      code: expect.stringMatching(/^(upstream_unavailable|outcome_unknown)$/) as unknown,
    });
    expect(harness.proxy.status()[0]).toMatchObject({ connected: false, tools: 10 });
    await oldHttpStory({ port });
    expect(await text(harness.proxy.call("story__echo", { text: "3" }))).toBe("3");
    expect(harness.proxy.status()[0]).toMatchObject({ connected: true, lastError: null });
  });

  it("that comes back is noticed without being used", async () => {
    const port = await freePort();
    const before = await oldHttpStory({ port });
    const harness = await started({ story: { url: before.url } });
    await before.stop();
    await expect(harness.proxy.call("story__echo", { text: "1" })).rejects.toThrow();
    await expect(harness.proxy.call("story__echo", { text: "2" })).rejects.toThrow();
    const back = harness.waitFor("server.changed", (event) => event.connected);
    await oldHttpStory({ port });
    await back;
    expect(harness.proxy.status()[0]).toMatchObject({ connected: true, lastError: null });
  });

  it.each<[number, string]>([
    [401, "upstream_credential"],
    [403, "upstream_credential"],
    [404, "upstream_rejected"],
    [429, "upstream_rate_limited"],
    [500, "upstream_unavailable"],
  ])("that answers %i is told apart", async (status, code) => {
    const { createServer } = await import("node:http");
    const server = createServer((_request, response) => response.writeHead(status).end("secret words of the server"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const harness = await started({ web: { url: `http://127.0.0.1:${port}/mcp` } });
    await expect(harness.proxy.call("web__x")).rejects.toMatchObject({ code });
    expect(JSON.stringify(harness.proxy.status())).not.toContain("secret words");
    await new Promise((resolve) => server.close(resolve));
  });

  it("is never sent anything of the caller's headers, and gets those that were configured (T14)", async () => {
    const story = await oldHttpStory();
    const harness = await started({ story: { url: story.url, headers: { "X-Api-Key": "configured" } } });
    const host = await hosted(harness);
    await post(
      host.url,
      { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "story__echo", arguments: { text: "x" } } },
      { authorization: "Bearer caller", cookie: "a=b", "x-api-key": "mine", "mcp-session-id-x": "1" },
    );
    const call = story.seen.find((seen) => seen.body.includes("tools/call"))!;
    const { host: _host, connection: _connection, "content-length": _length, ...headers } = call.headers;
    expect(headers).toEqual({
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": "2025-11-25",
      "mcp-session-id": expect.any(String) as unknown,
      "x-api-key": "configured",
    });
  });
});

describe("a server from outside of the configuration", () => {
  it("is started only when the operator listed it to the letter", async () => {
    const allowed = rude();
    const harness = await started({}, { config: { mcp: { allowStdio: [allowed] } } });
    const remote = { trust: "remote" } as const;
    for (const attempt of [
      { command: "sh", args: ["-c", "id"] },
      { ...allowed, args: [...allowed.args, "x"] },
      { ...allowed, env: { NODE_OPTIONS: "x" } },
      { ...allowed, cwd: "/" },
      { command: `${allowed.command} `, args: allowed.args },
    ]) {
      await expect(harness.proxy.connect("x", attempt, remote)).rejects.toMatchObject({ code: "stdio_not_allowed" });
      await expect(harness.proxy.probe(attempt, remote)).rejects.toMatchObject({ code: "stdio_not_allowed" });
    }
    expect(harness.proxy.status()).toEqual([]);
    expect(await harness.proxy.connect("x", allowed, remote)).toMatchObject({ connected: true });
  });

  it("is dialled only at public addresses (T11)", async () => {
    const story = await oldHttpStory();
    const harness = await started({});
    await expect(harness.proxy.connect("x", { url: story.url }, { trust: "remote" })).rejects.toMatchObject({ code: "address_refused" });
    expect(story.seen).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
