import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { clock as systemClock, crypto, httpClient } from "#platform";
import type { Caller, HttpAnswer, ModelEvent, ModelHead } from "../../src/calls/index.js";
import { mergeRoutes } from "../../src/config/merge-routes.js";
import { noRecords } from "../../src/config/records.js";
import { configSchema, type ConfigInput } from "../../src/config/schema.js";
import { auditEntry, usageEntry, type AuditRow, type UsageRow } from "../../src/entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "../../src/memory/index.js";
import { auditAndMeter } from "../../src/policy/audit-and-meter.js";
import { authorise } from "../../src/policy/authorise.js";
import { GroupCommit } from "../../src/policy/group-commit.js";
import type { Step } from "../../src/policy/step.js";
import type { Clock } from "../../src/ports/index.js";
import { Providers, type ProviderOptions } from "../../src/providers/index.js";
import { RoutingModelCaller } from "../../src/routing/index.js";
import { createSeams, EventHub, type CallOptions, type Services } from "../../src/seams/index.js";
import { Log } from "../../src/util/log.js";
import { openaiChat } from "../../src/wire/openai-chat/index.js";
import { Redactor } from "../../src/secrets/redactor.js";

/** A request as an upstream got it. */
export interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly json: Record<string, unknown>;
}
export type Reply = (seen: Seen, answer: ServerResponse, incoming: IncomingMessage) => void | Promise<void>;

const open: (() => Promise<void> | void)[] = [];
/** Ends every server and client that a test made; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
}

/** A vendor on loopback that answers as the test says; `base` is what a provider takes as its base URL. */
export async function upstream(reply: Reply): Promise<{ readonly base: string; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, answer) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    incoming.on("end", () => {
      const request = {
        ...{ path: incoming.url ?? "", headers: incoming.headers, rawHeaders: incoming.rawHeaders, body },
        json: (body === "" ? {} : JSON.parse(body)) as Record<string, unknown>,
      };
      seen.push(request);
      void reply(request, answer, incoming);
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen };
}

/** A vendor's whole answer in OpenAI's dialect. */
export const completion = (text: string, rest: Record<string, unknown> = {}) =>
  JSON.stringify({
    ...{ id: "chatcmpl-1", object: "chat.completion", created: 1_700_000_000, model: "theirs" },
    choices: [{ index: 0, message: { role: "assistant", content: text, refusal: null }, logprobs: null, finish_reason: "stop" }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 } },
    ...rest,
  });
export const json =
  (body: string, status = 200, headers: Record<string, string> = {}): Reply =>
  (_seen, answer) =>
    void answer.writeHead(status, { "content-type": "application/json", ...headers }).end(body);

const chunk = (delta: object, rest: object = {}) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "theirs", choices: [{ index: 0, delta, finish_reason: null }], ...rest })}\n\n`;
/** The frames of a vendor's stream: a role, the words, the end, usage, the terminator. */
export const frames = (...words: readonly string[]) => [
  chunk({ role: "assistant", content: "" }),
  ...words.map((content) => chunk({ content })),
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
];
export const usageFrame = chunk({}, { choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } });
export const DONE = "data: [DONE]\n\n";
/** Streams a whole answer, with the usage frame when it was asked for. */
export const streamed =
  (...words: readonly string[]): Reply =>
  (seen, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    const asked = (seen.json["stream_options"] as { include_usage?: boolean } | undefined)?.include_usage === true;
    for (const frame of [...frames(...words), ...(asked ? [usageFrame] : []), DONE]) answer.write(frame);
    answer.end();
  };

export interface Setting {
  readonly providers?: Readonly<Record<string, Omit<ProviderOptions, "name">>>;
  readonly config?: ConfigInput;
  readonly steps?: readonly Step<ModelHead, ModelEvent>[];
  readonly random?: () => number;
  /** The process's own when left out. */
  readonly clock?: Clock;
}

/** Routing with everything real around it: memory store, ledgers, policy, the HTTP client. */
export function routing(setting: Setting = {}) {
  const config = configSchema.parse(setting.config ?? {});
  const clock = setting.clock ?? systemClock;
  const store = memoryStore({ clock });
  const internalErrors: unknown[] = [];
  const ledger = new GroupCommit({ store, clock, onError: (error) => internalErrors.push(error) });
  const events = new EventHub();
  events.on("internal.error", ({ error }) => internalErrors.push(error));
  const lines: string[] = [];
  const log = new Log("debug", (level, message, fields) => lines.push(JSON.stringify({ level, message, ...fields })));
  const services: Services = {
    ...{
      store,
      clock,
      crypto,
      wakeup: memoryWakeup(),
      bus: memoryBus(),
      cache: memoryCache(),
      counters: memoryCounters(),
      redactor: new Redactor(),
      events,
      log,
      seams: createSeams(),
      nodeId: "node_test",
    },
  };
  const http = httpClient({ clock, connectMs: config.server.timeouts.connectMs });
  open.push(() => http.close());
  const providers = new Providers({ clock, providers: setting.providers });
  const models = new RoutingModelCaller(services, {
    ...{ providers, http, codecs: [openaiChat], ...(setting.random === undefined ? {} : { random: setting.random }) },
    steps: [auditAndMeter({ ledger, clock, events }), authorise({ clock }), ...(setting.steps ?? [])],
    snapshot: () => ({ version: 1, config, keys: new Map(), routes: mergeRoutes(config, []), records: noRecords, readAtMs: clock.now() }),
  });
  const all = { orderBy: "atMs", limit: 1000 } as const;
  const within = () => ({ deadlineMs: clock.now() + 5_000 });
  /** The ledgers once every call so far has been written. */
  const ledgers = async (): Promise<{ usage: UsageRow[]; audit: AuditRow[] }> => {
    await ledger.drain(clock.now() + 5_000);
    const scope = { system: "a test" };
    const usage = await store.find(usageEntry, all, scope, within());
    const audit = await store.find(auditEntry, all, scope, within());
    return { usage: usage.rows, audit: audit.rows };
  };
  return { models, providers, ledgers, internalErrors, lines };
}

export const owner: Caller = { kind: "owner", id: "owner", name: "owner", projects: ["default"], grants: ["*"] };
export const options = (o: Partial<CallOptions> = {}): CallOptions => ({
  ...{ caller: owner, requestId: "req_1", signal: new AbortController().signal, deadlineMs: Date.now() + 30_000, depth: 0 },
  ...o,
});
export const chat = (body: Record<string, unknown>) => ({
  protocol: "openai-chat" as const,
  bytes: new TextEncoder().encode(JSON.stringify({ messages: [{ role: "user", content: "hello" }], ...body })),
});

/** What a client gets: the body as text, and then the call is over. */
export async function read(answer: HttpAnswer): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  if (answer.body.kind === "bytes") text = decoder.decode(answer.body.bytes);
  else if (answer.body.kind === "frames") for await (const frame of answer.body.frames) text += decoder.decode(frame, { stream: true });
  answer.done("sent");
  return text;
}
export const header = (answer: { readonly headers: HttpAnswer["headers"] }, name: string) =>
  answer.headers.find(([given]) => given === name)?.[1];
/** The contents of a stream in OpenAI's dialect, joined. */
export function contentOf(stream: string): string {
  const events = stream.split("\n\n").filter((frame) => frame.startsWith("data: {"));
  return events
    .flatMap((frame) => (JSON.parse(frame.slice(6)) as { choices?: { delta?: { content?: string } }[] }).choices ?? [])
    .map((choice) => choice.delta?.content ?? "")
    .join("");
}
/** Something that a test waits for and a server tells of. */
export function happening<T = void>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
