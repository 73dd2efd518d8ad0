import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Caller, HttpAnswer, Outcome, ToolHead } from "../../src/calls/index.js";
import { noRecords } from "../../src/config/records.js";
import { configSchema, type ConfigInput } from "../../src/config/schema.js";
import type { Snapshot } from "../../src/config/snapshot.js";
import { McpProxy, type McpLimits } from "../../src/mcp/index.js";
import type { ToolSteps } from "../../src/mcp/tool-policy.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "../../src/memory/index.js";
import type { RecordStore } from "../../src/ports/index.js";
import { clock, crypto, httpClient } from "../../src/platform/node.js";
import { stdioSpawner, type StdioSpawnerOptions } from "../../src/platform/stdio/stdio-spawner.js";
import { auditAndMeter } from "../../src/policy/audit-and-meter.js";
import { authorise } from "../../src/policy/authorise.js";
import { GroupCommit } from "../../src/policy/group-commit.js";
import type { OpenCall, Step } from "../../src/policy/step.js";
import { createSeams, EventHub, type CallOptions, type GatewayEvents, type Services } from "../../src/seams/index.js";
import { newId } from "../../src/util/ids.js";
import { Log, type LogFields } from "../../src/util/log.js";
import { Redactor } from "../../src/secrets/redactor.js";
import { ownVault } from "../own-vault.js";

export interface HarnessOptions {
  readonly config?: Pick<ConfigInput, "mcpServers" | "namespaces" | "mcp">;
  readonly limits?: Partial<McpLimits>;
  readonly stdio?: StdioSpawnerOptions;
  /** After audit and authorise. */
  readonly steps?: ToolSteps;
  readonly timeoutMs?: number;
  /** Events to keep, as `heard`. */
  readonly listen?: readonly (keyof GatewayEvents)[];
  /** Of another harness: both are processes on one store. */
  readonly store?: RecordStore;
  /** Its name among them, and what all of them seal with. */
  readonly node?: { readonly id: string; readonly secret: Uint8Array };
}

export const OWNER = caller("owner", ["*"]);
/** A caller for each bearer token that a test may send. */
export function caller(id: string, grants: readonly string[]): Caller {
  return { kind: "key", id, name: id, projects: ["default"], grants };
}

export interface Ended {
  readonly head: ToolHead;
  readonly caller: string;
  readonly outcome: Outcome;
}

/** A real McpProxy over the in-memory store, with real processes and sockets; everything is closed when the test is over. */
export function proxyHarness(o: HarnessOptions = {}) {
  const { node } = o;
  const store = o.store ?? memoryStore({ clock });
  const events = new EventHub();
  const logged: { level: string; message: string; fields: LogFields }[] = [];
  const problems: unknown[] = [];
  events.on("internal.error", (e) => void problems.push(e.error));
  const heard: unknown[] = [];
  for (const name of o.listen ?? []) events.on(name, ((event: unknown) => void heard.push(event)) as never);
  const services: Services = {
    store,
    clock,
    crypto,
    wakeup: memoryWakeup({ clock }),
    bus: memoryBus(),
    cache: memoryCache(),
    counters: memoryCounters(),
    redactor: new Redactor(),
    events,
    log: new Log("debug", (level, message, fields) => void logged.push({ level, message, fields })),
    seams: sealedSeams(),
    nodeId: node?.id ?? "node_test",
  };
  const config = configSchema.parse(o.config ?? {});
  const snapshot = (): Snapshot => ({ version: 1, config, keys: new Map(), routes: new Map(), records: noRecords, readAtMs: clock.now() });
  const ledger = new GroupCommit({ store, clock, onError: (error) => void problems.push(error) });
  const ended: Ended[] = [];
  const recorder: Step<ToolHead> = {
    name: "recorder",
    enter: (call: OpenCall<ToolHead>) => call.defer((outcome) => void ended.push({ head: call.head, caller: call.caller.id, outcome })),
  };
  const steps: ToolSteps = [auditAndMeter({ ledger, clock, events }), recorder, authorise({ clock }), ...(o.steps ?? [])];
  const http = httpClient({ clock, connectMs: 5_000, allowPrivate: false });
  const proxy = new McpProxy(services, {
    snapshot,
    steps,
    http,
    spawner: stdioSpawner({ graceMs: 300, ...o.stdio }),
    owner: OWNER,
    limits: o.limits,
    ...(node === undefined ? {} : { fleet: { hasPeers: true }, parkedKey: () => node.secret }),
  });
  onTestFinished(async () => {
    await proxy.close();
    await http.close();
    await ledger.close(clock.now() + 1_000);
  });
  return { proxy, services, snapshot, store, ledger, logged, heard, ended, problems, options: o, waitFor: waiter(events) };
}
function sealedSeams(): Services["seams"] {
  const seams = createSeams();
  seams.vault.fill(ownVault());
  return seams;
}
export type ProxyHarness = ReturnType<typeof proxyHarness>;

function waiter(events: EventHub) {
  return <N extends keyof GatewayEvents>(name: N, matches: (event: Parameters<GatewayEvents[N]>[0]) => boolean) =>
    new Promise<Parameters<GatewayEvents[N]>[0]>((resolve) => {
      const stop = events.on(name, ((event: Parameters<GatewayEvents[N]>[0]) => {
        if (!matches(event)) return;
        stop();
        resolve(event);
      }) as GatewayEvents[N]);
    });
}

/** The proxy at /mcp and /ns/{namespace}/mcp of a free port. The bearer token is the caller's id; `grantsOf` says what each may do, `*` when it is not named. */
export async function hosted(harness: ProxyHarness, grantsOf: Readonly<Record<string, readonly string[]>> = {}) {
  const seen: { method: string; headers: IncomingMessage["headers"]; status: number }[] = [];
  const server = createServer((request, response) => void handle(request, response));
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const controller = new AbortController();
    response.once("close", () => controller.abort());
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const namespace = /^\/ns\/([^/]+)\/mcp$/.exec(request.url ?? "")?.[1] ?? null;
    const id = request.headers.authorization?.slice("Bearer ".length) ?? "owner";
    const options: CallOptions = {
      caller: caller(id, grantsOf[id] ?? ["*"]),
      requestId: newId("req"),
      signal: controller.signal,
      deadlineMs: clock.now() + (harness.options.timeoutMs ?? 15_000),
      depth: 0,
    };
    const header = (name: string) => request.headers[name]?.toString();
    const answer = await harness.proxy.serve({ method: request.method ?? "", header, bytes: Buffer.concat(chunks), namespace }, options);
    seen.push({ method: request.method ?? "", headers: request.headers, status: answer.status });
    await write(answer, response);
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => closed(server));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, origin, url: new URL(`${origin}/mcp`), namespace: (name: string) => new URL(`${origin}/ns/${name}/mcp`), seen };
}
export type Hosted = Awaited<ReturnType<typeof hosted>>;

async function write(answer: HttpAnswer, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  const { body } = answer;
  if (body.kind === "bytes") response.end(body.bytes);
  else if (body.kind === "frames") {
    response.flushHeaders();
    const frames = body.frames[Symbol.asyncIterator]();
    response.once("close", () => void frames.return?.());
    for (let next = await frames.next(); next.done !== true && !response.destroyed; next = await frames.next()) response.write(next.value);
    response.end();
  }
  if (!response.writableFinished && !response.destroyed) await Promise.race([once(response, "finish"), once(response, "close")]);
  answer.done(response.writableFinished ? "sent" : "left");
}

export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** One POST as bytes; the answer with its body as text. */
export async function post(url: URL, message: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: typeof message === "string" ? message : JSON.stringify(message),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Record<string, unknown> };
}

/** What a client of 2026-07-28 sends beside the message. */
export function modern(method: string, params: Record<string, unknown> = {}, id: string | number = 1) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    ...(params["_meta"] as object | undefined),
  };
  const subject = params["name"] ?? params["uri"];
  return {
    message: { jsonrpc: "2.0", id, method, params: { ...params, _meta } },
    headers: {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof subject === "string" ? { "mcp-name": subject } : {}),
    },
  };
}
