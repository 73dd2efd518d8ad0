import { expect, it } from "vitest";
import { SseReader } from "../../../src/util/sse.js";
import { modern, post } from "../proxy-harness.js";
import { oldHttpStory } from "../servers/http-story.js";
import { answers, everything } from "./asked-clients.js";
import { oldAsking } from "./asking-servers.js";
import { parked, rawCall } from "./raw-calls.js";
import { twoProcesses } from "./two-processes.js";

const waiting = { timeout: 30_000, interval: 50 };

/** Two processes before one server up to 2025-11-25 that asks. */
async function twoNodes() {
  const begun: string[] = [];
  const cancelled: string[] = [];
  const { url } = await oldHttpStory({ make: () => oldAsking({ begun, cancelled }) });
  return { begun, cancelled, ...(await twoProcesses({ url })) };
}

it("a call that waits at one process goes on from another, as often as its server asks", async () => {
  const { a, b, rows } = await twoNodes();
  const first = await parked(a.url, { name: "asking__twice" });
  const second = await rawCall(b.url, { name: "asking__twice", state: first.state, responses: { [first.key]: answers.form } });
  expect(second.result?.resultType).toBe("input_required");
  // Asked at once, told in one or two rounds.
  let told = second;
  for (const url of [a.url, b.url, a.url]) {
    if (told.result?.resultType !== "input_required") break;
    const responses = Object.fromEntries(Object.keys(told.result.inputRequests!).map((key) => [key, answers.form]));
    told = await rawCall(url, { name: "asking__twice", state: told.result.requestState!, responses });
  }
  expect(JSON.parse(told.result!.content![0]!.text)).toEqual([answers.form, answers.form, answers.form]);
  await expect.poll(rows, waiting).toEqual([]);
});

it("of requests with one state at both processes one goes on (T45)", async () => {
  const { a, b, begun } = await twoNodes();
  const { state, key } = await parked(a.url);
  const all = await Promise.all([a, b, a, b].map(({ url }, id) => rawCall(url, { state, responses: { [key]: answers.form }, id })));
  expect(all.filter(({ result }) => result?.resultType === "complete")).toHaveLength(1);
  expect(begun).toEqual(["form"]);
});

it("a call whose process is gone has an unknown outcome, and says so", async () => {
  const { a, b, dies } = await twoNodes();
  const { state, key } = await parked(a.url);
  await dies("node_a");
  for (let tries = 0; tries < 2; tries++) {
    const told = await rawCall(b.url, { state, responses: { [key]: answers.form } });
    expect(told.error).toMatchObject({ code: -32000, data: { code: "outcome_unknown" } });
  }
});

it("a process that is stopped says so of the calls that it keeps", async () => {
  const { a, b, rows } = await twoNodes();
  const { state, key } = await parked(a.url);
  await a.harness.proxy.close();
  expect(await rows()).toMatchObject([{ state: "lost" }]);
  const told = await rawCall(b.url, { state, responses: { [key]: answers.form } });
  expect(told.error?.data.code).toBe("outcome_unknown");
});

it.each([0, 1])(
  "a client that leaves after its answer, at the keeper or another process (%i), cancels the call at its server",
  async (at) => {
    const { a, b, begun, cancelled, rows } = await twoNodes();
    const { state, key } = await parked(a.url, { name: "asking__linger" });
    const abort = new AbortController();
    const responses = { [key]: answers.form };
    const left = rawCall([a, b][at]!.url, { name: "asking__linger", state, responses, signal: abort.signal });
    await expect.poll(() => begun, waiting).toEqual(["linger"]);
    expect(cancelled).toEqual([]);
    abort.abort();
    await expect(left).rejects.toThrow();
    await expect.poll(() => cancelled, waiting).toEqual(["linger"]);
    await expect.poll(rows, waiting).toEqual([]);
  },
);

it("a task is known, answered and cancelled at every process, and has failed when its own is gone", async () => {
  const { a, b, dies } = await twoNodes();
  const capabilities = { ...everything, extensions: { "io.modelcontextprotocol/tasks": {} } };
  const ask = async (url: URL, method: string, params: Record<string, unknown>) => {
    const { message, headers } = modern(method, { ...params, _meta: { "io.modelcontextprotocol/clientCapabilities": capabilities } });
    const answer = await post(url, message, { ...headers, "mcp-name": String(params["taskId"] ?? params["name"]) });
    return answer.json()["result"] as { taskId: string; status: string; inputRequests?: object; error?: { data: { code: string } } };
  };
  const begin = async () => (await ask(a.url, "tools/call", { name: "asking__form", arguments: {} })).taskId;
  const [answered, left, lost] = [await begin(), await begin(), await begin()];
  const asked = await ask(b.url, "tasks/get", { taskId: answered });
  const inputResponses = { [Object.keys(asked.inputRequests!)[0]!]: answers.form };
  await ask(b.url, "tasks/update", { taskId: answered, inputResponses });
  const status = (taskId: string) => async () => (await ask(b.url, "tasks/get", { taskId })).status;
  await expect.poll(status(answered), waiting).toBe("completed");
  await ask(b.url, "tasks/cancel", { taskId: left });
  await expect.poll(status(left), waiting).toBe("cancelled");
  await dies("node_a");
  const told = await ask(b.url, "tasks/get", { taskId: lost });
  expect([told.status, told.error?.data.code]).toEqual(["failed", "outcome_unknown"]);
});

it("a client with a session may answer at another process than the one that asked it", async () => {
  const { a, b } = await twoNodes();
  const say = (url: URL, body: object, more: Record<string, string> = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...more },
      body: JSON.stringify({ jsonrpc: "2.0", ...body }),
    });
  const opened = await say(a.url, {
    ...{ id: 1, method: "initialize" },
    params: { protocolVersion: "2025-11-25", capabilities: everything, clientInfo: { name: "raw", version: "1" } },
  });
  const session = { "mcp-session-id": opened.headers.get("mcp-session-id")! };
  await opened.text();
  const called = await say(a.url, { id: 2, method: "tools/call", params: { name: "asking__form", arguments: {} } }, session);
  const reader = new SseReader(1_000_000);
  const messages: { id?: string | number; method?: string; result?: { content: { text: string }[] } }[] = [];
  for await (const chunk of called.body!)
    for (const event of reader.push(chunk)) {
      const message = JSON.parse(event.data) as (typeof messages)[number];
      messages.push(message);
      if (message.method !== "elicitation/create") continue;
      // A stranger's session, and a made-up question, are nothing.
      const made = await say(b.url, { id: "question_made_up", result: answers.form }, session);
      const stranger = await say(b.url, { id: message.id, result: { action: "decline" } }, { ...session, authorization: "Bearer eve" });
      const answered = await say(b.url, { id: message.id, result: answers.form }, session);
      expect([made.status, stranger.status, answered.status]).toEqual([202, 404, 202]);
    }
  expect(messages.map(({ method, id }) => method ?? id)).toEqual(["elicitation/create", 2]);
  expect(JSON.parse(messages[1]!.result!.content[0]!.text)).toEqual(answers.form);
});
