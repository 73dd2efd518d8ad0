import { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, it } from "vitest";
import { z } from "zod";
import type { HttpAnswer } from "../../../src/calls/index.js";
import { newId } from "../../../src/util/ids.js";
import { caller, modern, proxyHarness, type ProxyHarness } from "../proxy-harness.js";
import { answers, everything } from "../questions/asked-clients.js";
import { oldHttpStory } from "../servers/http-story.js";

const SWAPS = 50_000;
const CLIENTS = 200;
const AT_ONCE = 50;
const PRINCIPALS = ["ada", "bob"] as const;
type Principal = (typeof PRINCIPALS)[number];
const withTasks = { ...everything, extensions: { "io.modelcontextprotocol/tasks": {} } };

/** A server that asks about the word it was given, and says it again. */
function repeating(): OldServer {
  const server = new OldServer({ name: "words", version: "1" }, { capabilities: { tools: {} } });
  server.registerTool("ask", { inputSchema: { word: z.string() } }, async ({ word }, extra) => {
    const requestedSchema = { type: "object" as const, properties: { name: { type: "string" as const } } };
    const params = { mode: "form" as const, message: `About ${word}?`, requestedSchema };
    const { action } = await extra.sendRequest({ method: "elicitation/create", params }, ElicitResultSchema, { timeout: 3_600_000 });
    return { content: [{ type: "text", text: `${action} ${word}` }] };
  });
  return server;
}

async function textOf({ body, done }: HttpAnswer): Promise<string> {
  const parts: Uint8Array[] = [];
  if (body.kind === "bytes") parts.push(body.bytes);
  if (body.kind === "frames") for await (const frame of body.frames) parts.push(frame);
  done("sent");
  return Buffer.concat(parts).toString();
}

function askerOf({ proxy }: ProxyHarness) {
  return async (who: Principal, message: object, headers: Readonly<Record<string, string>>) => {
    const given: Record<string, string> = { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers };
    const { signal } = new AbortController();
    const answer = await proxy.serve(
      { method: "POST", header: (name) => given[name], bytes: Buffer.from(JSON.stringify(message)), namespace: null },
      { caller: caller(who, ["*"]), requestId: newId("req"), signal, deadlineMs: Date.now() + 60_000, depth: 0 },
    );
    const text = await textOf(answer);
    return { status: answer.status, session: new Map(answer.headers).get("mcp-session-id") ?? "", text };
  };
}
type Ask = ReturnType<typeof askerOf>;

interface Client {
  readonly who: Principal;
  /** In everything that is its own, and in nothing else. */
  readonly word: string;
  readonly session: string;
  readonly state: string;
  readonly key: string;
  readonly taskId: string;
}
const request = (method: string, params: Record<string, unknown>, capabilities: object) =>
  modern(method, { ...params, _meta: { "io.modelcontextprotocol/clientCapabilities": capabilities } });
const asking = (word: string, more: object = {}) => ({ name: "words__ask", arguments: { word }, ...more });
const found = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? "";

async function clientOf(ask: Ask, i: number): Promise<Client> {
  const who = PRINCIPALS[i % 2]!;
  const word = `canary-${who}-${i}-end`;
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: word, version: "1" } };
  const { session } = await ask(who, { jsonrpc: "2.0", id: 0, method: "initialize", params }, {});
  const call = request("tools/call", asking(word), everything);
  const parked = await ask(who, call.message, call.headers);
  const task = request("tools/call", asking(word), withTasks);
  const made = await ask(who, task.message, task.headers);
  const state = found(parked.text, /"requestState":"([^"]+)"/);
  const key = found(parked.text, /"inputRequests":\{"([^"]+)"/);
  const taskId = found(made.text, /"taskId":"([^"]+)"/);
  for (const [handle, said] of [
    [session, "no session"],
    [state, parked.text],
    [key, parked.text],
    [taskId, made.text],
  ] as const)
    expect(handle, said).not.toBe("");
  return { who, word, session, state, key, taskId };
}

/** Small numbers in a fixed but patternless order. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** One attempt of `who` with somebody's handle: whether it was taken for theirs. */
const attempts: Readonly<Record<string, (ask: Ask, who: Principal, of: Client) => Promise<{ isServed: boolean; text: string }>>> = {
  session: async (ask, who, of) => {
    const headers = { "mcp-session-id": of.session, "mcp-protocol-version": "2025-11-25" };
    const { status, text } = await ask(who, { jsonrpc: "2.0", id: 1, method: "ping" }, headers);
    return { isServed: status === 200, text };
  },
  task: async (ask, who, of) => {
    const { message, headers } = request("tasks/get", { taskId: of.taskId }, withTasks);
    const { text } = await ask(who, message, { ...headers, "mcp-name": of.taskId });
    return { isServed: !text.includes('"error":{'), text };
  },
};
/** What nobody but its owner may do, since it changes something. */
const thefts: Readonly<Record<string, (ask: Ask, who: Principal, of: Client) => Promise<{ isServed: boolean; text: string }>>> = {
  state: async (ask, who, of) => {
    const responses = { requestState: of.state, inputResponses: { [of.key]: answers.form } };
    const { message, headers } = request("tools/call", asking(of.word, responses), everything);
    const { text } = await ask(who, message, headers);
    // Whose word it is, it said itself.
    return { isServed: !text.includes('"error":{'), text: "" };
  },
  update: async (ask, who, of) => {
    const params = { taskId: of.taskId, inputResponses: { [of.key]: answers.form } };
    const { message, headers } = request("tasks/update", params, withTasks);
    const { text } = await ask(who, message, { ...headers, "mcp-name": of.taskId });
    return { isServed: !text.includes('"error":{'), text };
  },
  cancel: async (ask, who, of) => {
    const { message, headers } = request("tasks/cancel", { taskId: of.taskId }, withTasks);
    const { text } = await ask(who, message, { ...headers, "mcp-name": of.taskId });
    return { isServed: !text.includes('"error":{'), text };
  },
};

it(`sessions, tasks and states that ${CLIENTS} clients of two principals swap at random ${SWAPS} times open nothing of the other's (T16)`, async () => {
  const harness = proxyHarness({ config: { mcp: { questions: { waitMs: 3_600_000, mostWaiting: CLIENTS * 2 } } } });
  // Over HTTP, where the server says which call each question is of.
  await harness.proxy.connect("words", { url: (await oldHttpStory({ make: repeating })).url });
  const ask = askerOf(harness);
  const clients: Client[] = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await clientOf(ask, i));
  const random = randomFrom(97);
  const one = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const crossed = { tried: 0, own: 0 };
  const swap = async (): Promise<void> => {
    const [of, who] = [one(clients), one(PRINCIPALS)];
    const isOwn = of.who === who;
    const [name, attempt] = one(Object.entries(isOwn ? attempts : { ...attempts, ...thefts }));
    crossed[isOwn ? "own" : "tried"]++;
    const { isServed, text } = await attempt(ask, who, of);
    expect([name, who, of.word, isServed]).toEqual([name, who, of.word, isOwn]);
    const other = who === "ada" ? "bob" : "ada";
    if (!isOwn) expect(text).not.toContain(`canary-${of.who}`);
    expect(text).not.toContain(`canary-${other}`);
  };
  for (let made = 0; made < SWAPS; made += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, swap));
  expect(Math.min(crossed.tried, crossed.own)).toBeGreaterThan(SWAPS / 3);
  // Nothing was spent or ended by those who may not: each of them still goes on, with what is its own.
  for (const of of clients) {
    const { message, headers } = request(
      "tools/call",
      asking(of.word, { requestState: of.state, inputResponses: { [of.key]: answers.form } }),
      everything,
    );
    expect((await ask(of.who, message, headers)).text).toContain(`accept ${of.word}`);
    expect((await attempts["task"]!(ask, of.who, of)).text).toContain(`About ${of.word}?`);
  }
});
