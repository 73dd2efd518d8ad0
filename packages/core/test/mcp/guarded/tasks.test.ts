import { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { usageEntry } from "../../../src/entities/index.js";
import { TEST_OWNER_KEY, type TestGatewayOptions } from "../../../src/testing/index.js";
import { saying, served } from "../../safety/safety-harness.js";
import { modern, post } from "../proxy-harness.js";
import { everything } from "../questions/asked-clients.js";
import { oldHttpStory } from "../servers/http-story.js";
import { rawServer } from "../servers/raw-http.js";
import { ANSWERED, ASKED, questions, script, upstreams, words, type Action } from "./word-servers.js";

const capabilities = { ...everything, extensions: { "io.modelcontextprotocol/tasks": {} } };
const soon = { timeout: 30_000, interval: 30 };
const allowed = { content: { name: "fine" }, action: "accept" };
const forbidden = { content: { name: `a ${ANSWERED}` }, action: "accept" };

interface Task {
  readonly resultType: string;
  readonly taskId: string;
  readonly status: string;
  readonly inputRequests?: Record<string, object>;
  readonly result?: { content: { text?: string; uri?: string }[]; structuredContent?: object; _meta: Record<string, { uri: string }> };
  readonly error?: { data: { code: string } };
  readonly contents?: { text: string }[];
}
type Told = { readonly text: string; readonly headers: Headers; readonly result: Task; readonly error?: { data: { code: string } } };

async function place(options: TestGatewayOptions) {
  const to = await served({ model: saying({ text: "x" }), mcp: { questions: { taskAfterMs: 100 } }, ...options });
  const rpc = async (method: string, params: Record<string, unknown>): Promise<Told> => {
    const asked = modern(method, { ...params, _meta: { "io.modelcontextprotocol/clientCapabilities": capabilities } });
    const name = typeof params["taskId"] === "string" ? { "mcp-name": params["taskId"] } : {};
    const more = { authorization: `Bearer ${TEST_OWNER_KEY}`, accept: "application/json" };
    const { text, headers, json } = await post(new URL(`${to.base}/mcp`), asked.message, { ...asked.headers, ...name, ...more });
    return { ...(json() as unknown as Told), text, headers };
  };
  const call = async (tool: string) => (await rpc("tools/call", { name: tool, arguments: {} })).result;
  /** A task's last word. */
  const ended = async (taskId: string) => {
    let told: Told | null = null;
    await expect
      .poll(async () => (told = await rpc("tasks/get", { taskId })).result.status, soon)
      .toMatch(/^(?:completed|failed|cancelled)$/);
    return told as unknown as Told;
  };
  return { ...to, rpc, call, ended };
}

/** A tool that ends when a test says so, with what it says. */
function slow() {
  let end: (result: object) => void = () => undefined;
  const server = (): OldServer => {
    const made = new OldServer({ name: "slow", version: "1" }, { capabilities: { tools: {} } });
    made.registerTool("work", { inputSchema: z.object({}) }, () => new Promise<never>((resolve) => (end = resolve as typeof end)));
    return made;
  };
  return { server, end: (result: object) => end(result) };
}
const said = { content: [{ type: "text", text: `a ${ASKED}` }], structuredContent: { [ASKED]: 1 }, "x/own": [12345678901234567890n] };
const result = JSON.parse(JSON.stringify(said, (_key, value: unknown) => (typeof value === "bigint" ? 1 : value))) as object;

describe("a task of ours", () => {
  async function working(options: TestGatewayOptions) {
    const to = await place(options);
    const { server, end } = slow();
    await to.gateway.mcp.connect("slow", { server });
    const task = await to.call("slow__work");
    expect([task.resultType, task.status]).toEqual(["task", "working"]);
    return { ...to, end, taskId: task.taskId };
  }

  it("has failed when its result is blocked, and says nothing of it", async () => {
    const { end, ended, taskId, detections } = await working({ guardrails: words("block") });
    end(result);
    const { result: told, text } = await ended(taskId);
    expect([told.status, told.error?.data.code, text.includes(ASKED)]).toEqual(["failed", "content_blocked", false]);
    expect(await detections()).toMatchObject([{ stage: "results", action: "block", server: "slow", tool: "work" }]);
  });

  it("has its result masked, which is looked at once however often it is asked for", async () => {
    const { end, ended, taskId, detections } = await working({ guardrails: words("mask") });
    end(result);
    for (let times = 0; times < 3; times++)
      expect((await ended(taskId)).result).toMatchObject({
        ...{ status: "completed" },
        result: { content: [{ text: "a [removed]" }], structuredContent: { "[removed]": 1 }, "x/own": [1] },
      });
    expect(await detections(2)).toHaveLength(2);
  });

  it("has what rules add to its result, and its result cut and kept whole, once", async () => {
    const enrichment = {
      more: { server: "slow", tool: "*", source: { kind: "function", name: "more" }, merge: { path: "more" } },
    } as const;
    const { end, ended, taskId, rpc, gateway } = await working({
      guardrails: words("mask"),
      mcp: { questions: { taskAfterMs: 100 }, results: { maxBytes: 2_048 }, enrichment },
    });
    const asked: unknown[] = [];
    gateway.mcp.enrichment.register("more", () => Promise.resolve(asked.push("more") && ASKED));
    end({ content: [{ type: "text", text: "long ".repeat(1_000) }], structuredContent: { a: 1 } });
    const uris = [await ended(taskId), await ended(taskId)].map(({ result: { result } }) => result!._meta["sallyport/cut"]!.uri);
    expect(uris[0]).toBe(uris[1]);
    expect(asked).toEqual(["more"]);
    const whole = JSON.parse((await rpc("resources/read", { uri: uris[0] })).result.contents![0]!.text) as object;
    expect(whole).toMatchObject({ content: [{ text: "long ".repeat(1_000) }, {}], structuredContent: { a: 1, more: "[removed]" } });
  });

  it("is cut as well where nobody looks at it", async () => {
    const { end, ended, taskId, rpc } = await working({ mcp: { questions: { taskAfterMs: 100 }, results: { maxBytes: 2_048 } } });
    end({ content: [{ type: "text", text: "long ".repeat(1_000) }] });
    const { uri } = (await ended(taskId)).result.result!._meta["sallyport/cut"]!;
    expect(JSON.parse((await rpc("resources/read", { uri })).result.contents![0]!.text)).toMatchObject({
      content: [{ text: "long ".repeat(1_000) }],
    });
  });

  it("costs its price as a call without a result, and nothing when it is told of", async () => {
    const { server, end } = slow();
    const { url } = await oldHttpStory({ make: server });
    const prices = { perCall: "0.001", perOutputToken: "1" };
    const to = await place({ guardrails: words("mask"), mcpServers: { slow: { url, prices } } });
    const { taskId } = await to.call("slow__work");
    end(result);
    await to.ended(taskId);
    const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
    const rows = async () => (await to.store.find(usageEntry, { orderBy: "atMs", limit: 10 }, { system: "a test" }, within)).rows;
    await expect
      .poll(async () => (await rows()).map(({ name, costNanoUsd }) => [name, costNanoUsd]), soon)
      .toEqual([["slow__work", 1_000_000]]);
  });
});

describe("a task of ours that asks", () => {
  async function asking(action: Action, where = "the message of a form") {
    const told = script();
    told.question = questions[where]!;
    const to = await place({ guardrails: words(action) });
    await to.gateway.mcp.connect("asking", await upstreams["a server up to 2025-11-25"]!(told));
    return { ...to, told };
  }

  it("has failed when its question is blocked, and its server hears that nobody waits", async () => {
    const { call, ended, told } = await asking("block");
    let ask = (): void => undefined;
    told.before = new Promise((resolve) => (ask = resolve));
    const { taskId, status } = await call("asking__ask");
    expect(status).toBe("working");
    ask();
    const { result: failed, text } = await ended(taskId);
    expect([failed.status, failed.error?.data.code, text.includes(ASKED)]).toEqual(["failed", "content_blocked", false]);
    await expect.poll(() => told.cancelled, soon).toEqual(["ask"]);
    expect(told.seen).toEqual([]);
  });

  it("asks what is left of its question, and takes what is left of an answer", async () => {
    const { call, rpc, ended, told } = await asking("mask", "the name of a field");
    const { taskId } = await call("asking__ask");
    const { result: asked, text } = await rpc("tasks/get", { taskId });
    expect([text.includes(ASKED), text.includes("[removed]")]).toEqual([false, true]);
    const [key] = Object.keys(asked.inputRequests!);
    await rpc("tasks/update", { taskId, inputResponses: { [key!]: forbidden } });
    expect((await ended(taskId)).result.status).toBe("completed");
    expect(told.seen).toEqual([{ action: "accept", content: { name: "a [removed]" } }]);
  });

  it("does not take an answer that is blocked, and takes another", async () => {
    const { call, rpc, ended, told } = await asking("block", "what is nobody's");
    told.question = { method: "elicitation/create", params: { message: "?", requestedSchema: { type: "object", properties: {} } } };
    const { taskId } = await call("asking__ask");
    const [key] = Object.keys((await rpc("tasks/get", { taskId })).result.inputRequests!);
    const refused = await rpc("tasks/update", { taskId, inputResponses: { [key!]: forbidden } });
    expect(refused.error?.data.code).toBe("content_blocked");
    expect((await rpc("tasks/update", { taskId, inputResponses: { [key!]: allowed } })).error).toBeUndefined();
    await ended(taskId);
    expect(told.seen).toEqual([allowed]);
  });
});

describe("a task of a server", () => {
  const at = "2026-01-01T00:00:00Z";
  const task = { taskId: "t-1", status: "working", createdAt: at, lastUpdatedAt: at, ttlMs: null };
  const completed = (inner: object) => ({
    resultType: "complete",
    ...task,
    status: "completed",
    result: { resultType: "complete", ...inner },
  });
  const form = { method: "elicitation/create", params: { message: `a ${ASKED}`, requestedSchema: { type: "object", properties: {} } } };
  const places: Readonly<Record<string, object>> = {
    "its result": completed({ content: [{ type: "text", text: `a ${ASKED}` }] }),
    "its result's structured content": completed({ content: [], structuredContent: { deep: [ASKED] } }),
    "how it stands": { resultType: "complete", ...task, statusMessage: `a ${ASKED}` },
    "what it asks": { resultType: "complete", ...task, status: "input_required", inputRequests: { q: form } },
    "why it failed": { resultType: "complete", ...task, status: "failed", error: { code: 1, message: `a ${ASKED}` } },
    "what nobody knows": { resultType: "complete", ...task, "x/own": { [ASKED]: ASKED } },
  };

  async function theirs(options: TestGatewayOptions) {
    const raw = await rawServer("modern", [{ name: "echo", inputSchema: { type: "object" } }]);
    const to = await place(options);
    await to.gateway.mcp.connect("raw", { url: raw.url });
    raw.result = JSON.stringify({ resultType: "task", ...task });
    const { taskId } = await to.call("raw__echo");
    expect(taskId).toMatch(/^task-/);
    return { ...to, raw, taskId };
  }

  it("says nothing that is blocked, nor when it is made", async () => {
    const { raw, rpc, taskId } = await theirs({ guardrails: words("block") });
    for (const [where, told] of Object.entries(places)) {
      raw.result = JSON.stringify(told);
      const { error, text } = await rpc("tasks/get", { taskId });
      expect([where, error?.data.code, text.includes(ASKED)]).toEqual([where, "content_blocked", false]);
    }
    raw.result = JSON.stringify({ resultType: "task", ...task, statusMessage: ASKED });
    const made = await rpc("tools/call", { name: "raw__echo", arguments: {} });
    expect([made.error?.data.code, made.text.includes(ASKED)]).toEqual(["content_blocked", false]);
  });

  it("says what is left, under the handle that its client knows", async () => {
    const { raw, rpc, taskId } = await theirs({ guardrails: words("mask") });
    for (const [where, told] of Object.entries(places)) {
      raw.result = JSON.stringify(told);
      const { text, result: got } = await rpc("tasks/get", { taskId });
      expect([where, text.includes(ASKED), text.includes("[removed]"), got.taskId]).toEqual([where, false, true, taskId]);
    }
    // What nobody changes is as it was, numbers included.
    raw.result = JSON.stringify(completed({ content: [] })).replace('"content"', '"n":12345678901234567890,"content"');
    expect((await rpc("tasks/get", { taskId })).text).toContain('"n":12345678901234567890');
  });

  it("says so in a header where guardrails only warn", async () => {
    const { raw, rpc, taskId } = await theirs({ guardrails: words("warn") });
    raw.result = JSON.stringify(places["its result"]);
    const { text, headers } = await rpc("tasks/get", { taskId });
    expect([text.includes(ASKED), headers.get("x-safety-warning")]).toEqual([true, "w"]);
  });

  it("is answered nothing that is blocked, and what is left of an answer", async () => {
    const blocking = await theirs({ guardrails: words("block") });
    blocking.raw.result = JSON.stringify({ resultType: "complete" });
    const update = { taskId: blocking.taskId, inputResponses: { q: forbidden } };
    expect((await blocking.rpc("tasks/update", update)).error?.data.code).toBe("content_blocked");
    expect(blocking.raw.got.has("tasks/update")).toBe(false);
    const masking = await theirs({ guardrails: words("mask") });
    masking.raw.result = JSON.stringify({ resultType: "complete" });
    await masking.rpc("tasks/update", { taskId: masking.taskId, inputResponses: { q: forbidden, [ANSWERED]: allowed } });
    expect(masking.raw.got.has("tasks/update")).toBe(false);
    await masking.rpc("tasks/update", { taskId: masking.taskId, inputResponses: { q: forbidden } });
    const sent = masking.raw.got.get("tasks/update")!;
    expect([sent.includes(ANSWERED), sent.includes("a [removed]")]).toEqual([false, true]);
  });

  it("has its long result cut, and kept once however often it is asked for", async () => {
    const { raw, rpc, taskId } = await theirs({ mcp: { results: { maxBytes: 2_048 } } });
    raw.result = JSON.stringify(completed({ content: [{ type: "text", text: "long ".repeat(1_000) }] }));
    const uris: string[] = [];
    for (let times = 0; times < 3; times++) uris.push((await rpc("tasks/get", { taskId })).result.result!._meta["sallyport/cut"]!.uri);
    expect(new Set(uris).size).toBe(1);
    const whole = JSON.parse((await rpc("resources/read", { uri: uris[0] })).result.contents![0]!.text) as object;
    expect(whole).toMatchObject({ content: [{ text: "long ".repeat(1_000) }] });
  });
});
