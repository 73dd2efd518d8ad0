import { Access, ensureOwnerKey, keyDigest, purposeKeys, readKeys, type AuthHook } from "../../src/access/index.js";
import { DEFAULT_PROJECT, type Caller, type HttpAnswer, type Inbound, type StoredRunEvent } from "../../src/calls/index.js";
import { noRecords } from "../../src/config/records.js";
import { configSchema, type ConfigInput } from "../../src/config/schema.js";
import type { Snapshot } from "../../src/config/snapshot.js";
import { gatewayKey, plainKey, type RunRow } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { StoredResponses } from "../../src/routing/index.js";
import { createFetch, Edge, type McpRequest } from "../../src/http/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "../../src/memory/index.js";
import { clock, crypto } from "../../src/platform/node.js";
import { insert } from "../../src/ports/index.js";
import {
  createSeams,
  EventHub,
  type CallOptions,
  type ListedModel,
  type ModelCaller,
  type RunRequest,
  type Services,
  type WireCall,
} from "../../src/seams/index.js";
import { Log, type LogFields } from "../../src/util/log.js";
import { Redactor } from "../../src/secrets/redactor.js";

export const OWNER_KEY = "owner-key-of-the-edge-tests-7d1f3b9c";
export const NARROW_KEY = "narrow-key-of-the-edge-tests-2c5e8a4d";
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const encoder = new TextEncoder();

export interface EdgeHarnessOptions {
  readonly server?: NonNullable<ConfigInput["server"]>;
  readonly auth?: AuthHook;
}

export interface Relayed {
  readonly call: WireCall;
  readonly options: CallOptions;
}

/**
 * A real Edge with real Access over the in-memory store. Behind the seams stand the shortest things that can: each call is recorded, and answered by a function that the test may
 * replace.
 */
export async function edgeHarness(o: EdgeHarnessOptions = {}) {
  const store = memoryStore({ clock });
  const logged: { level: string; message: string; fields: LogFields }[] = [];
  const log = new Log("debug", (level, message, fields) => void logged.push({ level, message, fields }));
  const common = {
    store,
    clock,
    crypto,
    log,
    wakeup: memoryWakeup({ clock }),
    bus: memoryBus(),
    cache: memoryCache({ clock }),
    counters: memoryCounters({ clock }),
    redactor: new Redactor(),
    events: new EventHub(),
  };
  const services: Services = { ...common, seams: createSeams(), nodeId: "node_test" };
  const keys = purposeKeys(crypto, crypto.random(32));
  const pepper = () => keys("gateway-keys");
  await storeKeys(services, pepper);
  const config = configSchema.parse({ server: o.server ?? {} });
  const stored = await readKeys(store, within);
  const snapshot = (): Snapshot => ({ version: 1, config, keys: stored, routes: new Map(), records: noRecords, readAtMs: clock.now() });

  const relayed: Relayed[] = [];
  const behind = {
    relay: (call: WireCall, _options: CallOptions): Promise<HttpAnswer> => Promise.resolve(bytesAnswer(call.bytes)),
    mcp: (request: McpRequest, _options: CallOptions): Promise<HttpAnswer> =>
      Promise.resolve(bytesAnswer(encoder.encode(JSON.stringify({ method: request.method, namespace: request.namespace })))),
  };
  const runs = new RunsInMemory();
  fillSeams(services, runs, (call, options) => (relayed.push({ call, options }), behind.relay(call, options)));

  const access = new Access(services, { pepper, snapshot, ...(o.auth === undefined ? {} : { auth: o.auth }) });
  const mcp = { serve: (request: McpRequest, options: CallOptions) => behind.mcp(request, options) };
  const edge = new Edge(services, { access, snapshot, version: "1.2.3", mcp });
  const handle = (inbound: Inbound) => edge.handle(inbound);
  return { edge, handle, fetch: createFetch(handle), services, config, behind, relayed, runs, logged };
}
export type EdgeHarness = Awaited<ReturnType<typeof edgeHarness>>;

async function storeKeys(services: Services, pepper: () => Uint8Array): Promise<void> {
  await ensureOwnerKey(services, { pepper, ownerKey: OWNER_KEY });
  const narrow = { id: "key_narrow", name: "narrow", kind: "key" as const, digest: keyDigest(crypto, pepper)(NARROW_KEY) };
  const rights = { projectId: DEFAULT_PROJECT, scopes: ["models:open/*", "runs:read"] };
  await services.store.commit([{ scope: { system: "test" }, writes: [insert(gatewayKey, { ...plainKey, ...narrow, ...rights })] }], within);
}

function fillSeams(services: Services, runs: RunsInMemory, relay: ModelCaller["relay"]): void {
  const { seams } = services;
  const unused = () => Promise.reject(new GatewayError("internal", "no face calls this"));
  const models: ListedModel[] = ["a/one", "b/two/three"].map((id) => ({
    id,
    provider: id[0]!,
    createdAtMs: 1_700_000_000_500,
    ownedBy: id[0]!,
    title: id,
    contextTokens: null,
    maxOutputTokens: null,
  }));
  seams.models.fill({
    relay,
    call: unused,
    operate: unused,
    list: () => models,
    find: (_caller, name) => models.find(({ id }) => id === name) ?? null,
  });
  seams.tools.fill({
    list: () => Promise.resolve([]),
    assertSignedIn: unused,
    call: unused,
    status: () => ({ servers: 2, connected: 1, tools: 7 }),
  });
  seams.runs.fill(runs);
  seams.responses.fill(new StoredResponses(services));
}

export function bytesAnswer(bytes: Uint8Array): HttpAnswer {
  return { status: 200, headers: [["content-type", "application/json"]], body: { kind: "bytes", bytes }, done: () => undefined };
}

/** What a RunStarter promises, kept in a map: enough for a face that only passes things on. */
class RunsInMemory {
  readonly rows = new Map<string, RunRow>();
  readonly log = new Map<string, StoredRunEvent[]>();
  readonly started: RunRequest[] = [];
  #wake: (() => void)[] = [];

  wake(): Promise<void> {
    return Promise.resolve();
  }

  start(request: RunRequest, caller: Caller): Promise<RunRow> {
    this.started.push(request);
    const id = `run_${this.started.length}`;
    const nowMs = clock.now();
    const row = {
      id,
      version: 1,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      projectId: caller.projects[0],
      status: "queued",
      model: request.model,
      input: typeof request.input === "string" ? [{ role: "user", content: [{ type: "text", text: request.input }] }] : [...request.input],
      tools: [...(request.tools ?? [])],
      options: { maxSteps: request.maxSteps, timeoutMs: request.timeoutMs },
      caller: { ...caller },
      text: null,
      output: null,
      error: null,
      usage: {},
      steps: 0,
      cancelRequested: false,
      cancelReason: null,
      idempotencyKey: request.idempotencyKey ?? null,
      startedAtMs: null,
      finishedAtMs: null,
      waitingSinceMs: null,
      waitedMs: null,
    } as unknown as RunRow;
    this.rows.set(id, row);
    this.log.set(id, []);
    return Promise.resolve(row);
  }
  get(id: string): Promise<RunRow | null> {
    return Promise.resolve(this.rows.get(id) ?? null);
  }
  list(_caller: Caller, q: { limit: number; cursor?: string | undefined }) {
    const all = [...this.rows.values()].reverse();
    const from = q.cursor === undefined ? 0 : Number(q.cursor);
    const rows = all.slice(from, from + q.limit);
    return Promise.resolve({ rows, next: from + q.limit < all.length ? String(from + q.limit) : null });
  }
  add(id: string, event: StoredRunEvent): void {
    this.log.get(id)?.push(event);
    for (const wake of this.#wake.splice(0)) wake();
  }
  async *events(id: string, o: { after: number; signal: AbortSignal }): AsyncGenerator<StoredRunEvent> {
    for (let seq = o.after + 1; ; seq++) {
      const stored = this.log.get(id) ?? [];
      while (stored.length < seq) {
        if (o.signal.aborted) return;
        await new Promise<void>((resolve) => {
          this.#wake.push(resolve);
          o.signal.addEventListener("abort", () => resolve(), { once: true });
        });
        if (o.signal.aborted) return;
      }
      const event = stored[seq - 1]!;
      yield event;
      if (event.type === "run.succeeded" || event.type === "run.failed" || event.type === "run.cancelled") return;
    }
  }
  cancel(id: string, o: { reason: string }): Promise<RunRow> {
    const row = this.rows.get(id);
    if (row === undefined) return Promise.reject(new GatewayError("not_found", "There is no such run."));
    const cancelled = { ...row, status: "cancelled" as const, cancelRequested: true, cancelReason: o.reason };
    this.rows.set(id, cancelled);
    return Promise.resolve(cancelled);
  }
}
