import { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { expect, it } from "vitest";
import { personaSchema } from "../../../src/entities/index.js";
import { SseReader } from "../../../src/util/sse.js";
import { hosted, modern, post, proxyHarness, type HarnessOptions } from "../proxy-harness.js";
import { rawServer } from "../servers/raw-http.js";
import { answers, everything } from "./asked-clients.js";
import { oldAsking, type OldOptions } from "./asking-servers.js";

const TASKS = "io.modelcontextprotocol/tasks";
const withTasks = { ...everything, extensions: { [TASKS]: {} } };
const soon = { timeout: 30_000, interval: 30 };

interface Task {
  readonly resultType: string;
  readonly taskId: string;
  readonly status: string;
  readonly inputRequests?: Record<string, { method: string }>;
  readonly result?: { content: { text: string; uri?: string }[]; resultType: string };
  readonly error?: { code: number; message: string; data: { code: string } };
  readonly ttlMs: number;
}
type Told = {
  readonly status: number;
  readonly result: Task;
  readonly error?: { code: number; data: { code: string; requiredCapabilities?: object } };
};

function clientOf(url: URL) {
  return async (method: string, params: Record<string, unknown>, o: { capabilities?: object; bearer?: string } = {}): Promise<Told> => {
    const meta = { "io.modelcontextprotocol/clientCapabilities": o.capabilities ?? withTasks };
    const { message, headers } = modern(method, { ...params, _meta: meta });
    const name = typeof params["taskId"] === "string" ? { "mcp-name": params["taskId"] } : {};
    const bearer = o.bearer === undefined ? {} : { authorization: `Bearer ${o.bearer}` };
    const answer = await post(url, message, { ...headers, ...name, ...bearer, accept: "application/json" });
    return { status: answer.status, ...(answer.json() as Omit<Told, "status">) };
  };
}

async function place(o: OldOptions = {}, questions: object = {}, more: HarnessOptions = {}) {
  const harness = proxyHarness({ config: { mcp: { questions } }, ...more });
  await harness.proxy.connect("asking", { server: () => oldAsking(o) });
  const { url } = await hosted(harness);
  return { harness, url, ask: clientOf(url) };
}
const call = (name: string) => ({ name: `asking__${name}`, arguments: {} });

it("a call that asks becomes a task for a client that takes tasks, asks in tasks/get and is answered by tasks/update", async () => {
  const { ask } = await place();
  const { result: made } = await ask("tools/call", call("form"));
  expect(made).toMatchObject({ resultType: "task", status: "input_required", ttlMs: expect.any(Number) as number });
  const { taskId } = made;
  const { result: asked } = await ask("tasks/get", { taskId });
  const [key] = Object.keys(asked.inputRequests!);
  expect(asked).toMatchObject({
    resultType: "complete",
    status: "input_required",
    inputRequests: { [key!]: { method: "elicitation/create" } },
  });
  expect((await ask("tasks/update", { taskId, inputResponses: { other: answers.form } })).result.resultType).toBe("complete");
  expect((await ask("tasks/get", { taskId })).result.status).toBe("input_required");
  expect((await ask("tasks/update", { taskId, inputResponses: { [key!]: answers.form } })).result.resultType).toBe("complete");
  await expect.poll(async () => (await ask("tasks/get", { taskId })).result.status, soon).toBe("completed");
  const { result } = (await ask("tasks/get", { taskId })).result;
  expect(JSON.parse(result!.content[0]!.text)).toEqual(answers.form);
});

it("a call that takes long becomes a task, which can be cancelled at its server", async () => {
  const cancelled: string[] = [];
  let fail: () => void = () => undefined;
  const harness = proxyHarness({ config: { mcp: { questions: { taskAfterMs: 100 } } } });
  const server = (): OldServer => {
    const made = new OldServer({ name: "slow", version: "1" }, { capabilities: { tools: {} } });
    made.registerTool(
      "wait",
      {},
      (extra) => new Promise((resolve) => extra.signal.addEventListener("abort", () => (cancelled.push("wait"), resolve({ content: [] })))),
    );
    made.registerTool("fail", {}, () => new Promise((_resolve, reject) => (fail = () => reject(new Error("late")))));
    return made;
  };
  await harness.proxy.connect("asking", { server });
  const ask = clientOf((await hosted(harness)).url);
  const { taskId } = (await ask("tools/call", call("wait"))).result;
  expect((await ask("tasks/get", { taskId })).result.status).toBe("working");
  expect((await ask("tasks/cancel", { taskId })).result.resultType).toBe("complete");
  await expect.poll(() => cancelled, soon).toEqual(["wait"]);
  await expect.poll(async () => (await ask("tasks/get", { taskId })).result.status, soon).toBe("cancelled");
  // Whatever a tool says of itself is a result.
  const failing = (await ask("tools/call", call("fail"))).result.taskId;
  fail();
  await expect.poll(async () => (await ask("tasks/get", { taskId: failing })).result.status, soon).toBe("completed");
});

it("a task is its caller's alone, and only for clients that declared the extension (T16)", async () => {
  const { ask } = await place();
  const { taskId } = (await ask("tools/call", call("form"), { bearer: "ada" })).result;
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    expect((await ask(method, { taskId, inputResponses: {} }, { bearer: "eve" })).error?.code).toBe(-32602);
    expect((await ask(method, { taskId: "parked_made_up", inputResponses: {} }, { bearer: "ada" })).error?.code).toBe(-32602);
    const without = await ask(method, { taskId, inputResponses: {} }, { bearer: "ada", capabilities: everything });
    expect([without.status, without.error?.code, without.error?.data.requiredCapabilities]).toEqual([
      400,
      -32021,
      { extensions: { [TASKS]: {} } },
    ]);
  }
  expect((await ask("tasks/get", { taskId }, { bearer: "ada" })).result.status).toBe("input_required");
  // Nobody who did not ask for tasks is given one.
  expect((await ask("tools/call", call("form"), { bearer: "ada", capabilities: everything })).result.resultType).toBe("input_required");
});

it("a task says nothing more to a caller that may not call its tool any more, be it ours or a server's (T16)", async () => {
  const raw = await rawServer("modern", [{ name: "echo", inputSchema: { type: "object" } }]);
  const harness = proxyHarness();
  await harness.proxy.connect("asking", { server: () => oldAsking({}) });
  await harness.proxy.connect("raw", { url: raw.url });
  const grantsOf: Record<string, readonly string[]> = { ada: ["mcp:*"] };
  const ask = clientOf((await hosted(harness, grantsOf)).url);
  const task = { taskId: "t-1", status: "working", createdAt: "2026-01-01T00:00:00Z", lastUpdatedAt: "2026-01-01T00:00:00Z", ttlMs: null };
  const ours = (await ask("tools/call", call("form"), { bearer: "ada" })).result.taskId;
  raw.result = JSON.stringify({ resultType: "task", ...task });
  const theirs = (await ask("tools/call", { name: "raw__echo", arguments: {} }, { bearer: "ada" })).result.taskId;
  raw.result = JSON.stringify({ resultType: "complete", ...task });
  for (const taskId of [ours, theirs]) expect((await ask("tasks/get", { taskId }, { bearer: "ada" })).error).toBeUndefined();
  grantsOf["ada"] = ["mcp:*", "!mcp:asking__form", "!mcp:raw__echo"];
  raw.got.clear();
  for (const taskId of [ours, theirs])
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"])
      expect((await ask(method, { taskId, inputResponses: {} }, { bearer: "ada" })).error?.data.code).toBe("forbidden");
  expect([...raw.got.keys()]).toEqual([]);
});

it("a task asks nothing that its client did not declare, and a call that its caller may repeat is none", async () => {
  const { ask, url } = await place();
  const refused = await ask("tools/call", call("form"), { capabilities: { extensions: { [TASKS]: {} } } });
  expect([refused.status, refused.error?.code]).toEqual([400, -32021]);
  const _meta = { "io.modelcontextprotocol/clientCapabilities": withTasks, "sallyport/idempotencyKey": "once" };
  const { message, headers } = modern("tools/call", { ...call("form"), _meta });
  expect((await post(url, message, headers)).json()["result"]).toMatchObject({ resultType: "input_required" });
});

it("a task of a server since 2026-07-28 is reached under a handle of ours, and its result leads through us", async () => {
  const raw = await rawServer("modern", [{ name: "echo", inputSchema: { type: "object" } }]);
  const harness = proxyHarness();
  await harness.proxy.connect("raw", { url: raw.url });
  const ask = clientOf((await hosted(harness)).url);
  const task = { taskId: "t-1", status: "working", createdAt: "2026-01-01T00:00:00Z", lastUpdatedAt: "2026-01-01T00:00:00Z", ttlMs: null };
  raw.result = JSON.stringify({ resultType: "task", ...task, "x/unknown": 1 });
  const { result } = await ask("tools/call", { name: "raw__echo", arguments: {} }, { bearer: "ada" });
  expect(result).toMatchObject({ resultType: "task", status: "working", ttlMs: null, "x/unknown": 1 });
  expect(result.taskId).not.toContain("t-1");
  const inner = { content: [{ type: "resource_link", uri: "raw://r", name: "r" }], resultType: "complete" };
  raw.result = JSON.stringify({ resultType: "complete", ...task, status: "completed", result: inner });
  const told = await ask("tasks/get", { taskId: result.taskId }, { bearer: "ada" });
  expect(told.result).toMatchObject({
    taskId: result.taskId,
    status: "completed",
    result: { content: [{ uri: "sallyport:raw/raw://r" }] },
  });
  const sent = JSON.parse(raw.got.get("tasks/get")!) as { params: { taskId: string } };
  expect([sent.params.taskId, raw.headers.get("tasks/get")?.["mcp-name"]]).toEqual(["t-1", "t-1"]);
  expect((await ask("tasks/get", { taskId: result.taskId }, { bearer: "eve" })).error?.code).toBe(-32602);
  expect((await ask("tasks/get", { taskId: `${result.taskId}A` }, { bearer: "ada" })).error?.code).toBe(-32602);
  // A client that takes no tasks is given none.
  raw.result = JSON.stringify({ resultType: "task", ...task });
  expect((await ask("tools/call", { name: "raw__echo", arguments: {} }, { capabilities: {} })).error?.code).toBe(-32000);
  const offered = JSON.parse(raw.got.get("tools/call")!) as { params: { _meta: Record<string, object> } };
  expect(offered.params._meta["io.modelcontextprotocol/clientCapabilities"]).toEqual({});
});

it("subscriptions/listen acknowledges the tasks that there are, and tells of each as it moves", async () => {
  const { ask, url } = await place();
  const { taskId } = (await ask("tools/call", call("form"))).result;
  const meta = { "io.modelcontextprotocol/clientCapabilities": withTasks };
  const filter = { notifications: { taskIds: [taskId, "parked_none"], toolsListChanged: true }, _meta: meta };
  const { message, headers } = modern("subscriptions/listen", filter, "l");
  const abort = new AbortController();
  const stream = await fetch(url, {
    ...{ method: "POST", signal: abort.signal, body: JSON.stringify(message) },
    headers: { ...headers, "content-type": "application/json", accept: "text/event-stream" },
  });
  const reader = new SseReader(1_000_000);
  const heard: { method: string; params: Record<string, unknown> }[] = [];
  for await (const chunk of stream.body!) {
    for (const event of reader.push(chunk)) heard.push(JSON.parse(event.data) as (typeof heard)[number]);
    const last = heard.at(-1)?.params;
    if (last?.["status"] === "input_required")
      await ask("tasks/update", { taskId, inputResponses: { [Object.keys(last["inputRequests"] as object)[0]!]: answers.form } });
    if (last?.["status"] === "completed") break;
  }
  expect(heard[0]).toMatchObject({
    method: "notifications/subscriptions/acknowledged",
    params: { notifications: { taskIds: [taskId], toolsListChanged: true } },
  });
  expect(heard[1]).toMatchObject({ method: "notifications/tasks", params: { taskId, status: "input_required" } });
  expect(heard.at(-1)).toMatchObject({
    method: "notifications/tasks",
    params: { taskId, status: "completed", _meta: { "io.modelcontextprotocol/subscriptionId": "l" } },
  });
  const undeclared = modern("subscriptions/listen", { notifications: { taskIds: [taskId] } });
  const refused = await post(url, undeclared.message, undeclared.headers);
  expect([refused.status, (refused.json()["error"] as { code: number }).code]).toEqual([400, -32021]);
});

it("subscriptions/listen tells nothing more of a task whose tool a persona keeps back since", async () => {
  const { ask, url, harness } = await place();
  const { taskId } = (await ask("tools/call", call("form"))).result;
  const meta = { "io.modelcontextprotocol/clientCapabilities": withTasks };
  const filter = { notifications: { taskIds: [taskId], toolsListChanged: true }, _meta: meta };
  const { message, headers } = modern("subscriptions/listen", filter, "l");
  const abort = new AbortController();
  const stream = await fetch(url, {
    ...{ method: "POST", signal: abort.signal, body: JSON.stringify(message) },
    headers: { ...headers, "content-type": "application/json", accept: "text/event-stream" },
  });
  const reader = new SseReader(1_000_000);
  const statuses: unknown[] = [];
  for await (const chunk of stream.body!) {
    const heard = reader.push(chunk).map(({ data }) => JSON.parse(data) as { method: string; params: Record<string, unknown> });
    for (const { method, params } of heard) if (method === "notifications/tasks") statuses.push(params["status"]);
    if (statuses.at(-1) === "input_required" && heard.some(({ method }) => method === "notifications/tasks")) {
      const kept = personaSchema.parse({ users: ["*"], tools: { deny: ["asking__*"] } });
      Object.assign(harness.snapshot().config.access, { personas: { kept } });
      // The call fails, and the list of tools is another: what is told of that comes later.
      await harness.proxy.disconnect("asking");
    }
    if (heard.some(({ method }) => method === "notifications/tools/list_changed")) break;
  }
  abort.abort();
  expect(statuses).toEqual(["input_required"]);
  Object.assign(harness.snapshot().config.access, { personas: {} });
  expect((await ask("tasks/get", { taskId })).result.status).toBe("failed");
});
