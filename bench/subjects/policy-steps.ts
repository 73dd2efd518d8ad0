// What a call pays for policy, step by step and without HTTP: bundled and run by scenarios/policy.mjs. A step of a domain is one row here.
import { clock, crypto } from "#platform";
import type { Answer, Caller, ModelCall, ModelEvent, ModelHead } from "../../packages/core/src/calls/index.js";
import { recordsOf } from "../../packages/core/src/config/records.js";
import { configSchema, type ConfigInput } from "../../packages/core/src/config/schema.js";
import type { Snapshot } from "../../packages/core/src/config/snapshot.js";
import { memoryCache, memoryCounters, memoryStore } from "../../packages/core/src/memory/index.js";
import { auditAndMeter } from "../../packages/core/src/policy/audit-and-meter.js";
import { authorise } from "../../packages/core/src/policy/authorise.js";
import { GroupCommit } from "../../packages/core/src/policy/group-commit.js";
import { GuardedCounters, Limiter, rateLimit } from "../../packages/core/src/policy/limits/index.js";
import { Guardrails } from "../../packages/core/src/policy/guardrails/index.js";
import { LiveCall } from "../../packages/core/src/policy/live-call.js";
import { Money } from "../../packages/core/src/policy/money/money.js";
import { ResponseCache } from "../../packages/core/src/policy/response-cache/index.js";
import { runSteps } from "../../packages/core/src/policy/run-steps.js";
import type { AttemptTarget, Step } from "../../packages/core/src/policy/step.js";
import { PriceList } from "../../packages/core/src/providers/prices.js";
import { createSeams, EventHub, type Services } from "../../packages/core/src/seams/index.js";
import { Log } from "../../packages/core/src/util/log.js";
import { openaiChat } from "../../packages/core/src/wire/openai-chat/index.js";

type ModelStep = Step<ModelHead, ModelEvent>;

const log = new Log("silent", () => undefined);
const events = new EventHub();
const head = (name: string): ModelHead => ({
  ...{ kind: "model", protocol: "openai-chat", operation: "generate", name, stream: false, maxOutputTokens: 500, bytes: 1_200 },
});
const caller: Caller = {
  ...{ kind: "key", id: "key_1", keyId: "key_1", name: "bench", projects: ["default"], userId: "user_1", teamId: "team_1" },
  grants: ["models:openai/*", "models:route/*"],
};
const body = new TextEncoder().encode(
  JSON.stringify({ model: "route/kept", messages: [{ role: "user", content: "x".repeat(1_000) }], max_tokens: 500 }),
);
/** The same size, in words: what a step reads that looks at content. */
const asked: ModelCall = {
  model: "m",
  messages: [{ role: "user", content: [{ type: "text", text: "Please tell me about the weather of tomorrow. ".repeat(22) }] }],
};
const completion = {
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "y".repeat(1_000) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 300, completion_tokens: 250, total_tokens: 550 },
};
const answer: Answer<ModelEvent> = {
  ...{ status: 200, headers: [["content-type", "application/json"]] },
  body: { kind: "bytes", bytes: new TextEncoder().encode(JSON.stringify(completion)) },
};

const amounts = { requestsPerMinute: 1_000_000_000, tokensPerMinute: 1_000_000_000, concurrency: 1_000_000 };
const config = configSchema.parse({ routes: { kept: { targets: [{ model: "openai/m" }], cache: { ttlMs: 3_600_000 } } } });
function snapshotOf(o: { perKey?: object; rows?: readonly object[]; budgets?: readonly object[] } = {}): Snapshot {
  const records = recordsOf(
    new Map([
      ["rateLimit", (o.rows ?? []) as never[]],
      ["budget", (o.budgets ?? []) as never[]],
    ]),
  );
  const limits = { perKey: o.perKey ?? {}, onCountersDown: "local" as const };
  return {
    version: 1,
    config: { ...config, limits },
    keys: new Map(),
    routes: new Map(Object.entries(config.routes)),
    records,
    readAtMs: 0,
  };
}

function limitStep(): ModelStep {
  const counters = new GuardedCounters({
    ...{ counters: memoryCounters({ clock }), local: memoryCounters({ clock }).now, clock, log },
    whenDown: () => "local",
  });
  return rateLimit(new Limiter({ counters, clock }));
}
function ledgerStep(): ModelStep {
  const store = memoryStore({ clock, ledgerRows: 1_000 });
  return auditAndMeter({ ledger: new GroupCommit({ store, clock, onError: () => undefined }), clock, events });
}
/** The ledger with what calls cost beside it; the attempt's step stands among the call's, where each call has one attempt. */
function moneySteps(o: { readonly open?: true }): ModelStep[] {
  const store = memoryStore({ clock, ledgerRows: 1_000 });
  const ledger = new GroupCommit({ store, clock, onError: () => undefined });
  const money = new Money({ store, clock, events, ledger, durable: o.open === true });
  const attempt = money.budget();
  const budgetStep: ModelStep = { name: "budget", enter: (call) => attempt.enter(call, target) as undefined };
  return [auditAndMeter({ ledger, clock, events, money }), ...money.openCalls(), ...(o.open === true ? [] : [budgetStep])];
}
const prices = new PriceList({ input: 2, output: 8, cacheRead: 0.2, cacheWrite: 2.5 });
const target: AttemptTarget = {
  ...{ provider: "openai", model: "m", contextTokens: 128_000, maxOutputTokens: 16_000 },
  cost: (usage) => prices.costNanoUsd(usage),
};
const budgetRow = {
  ...{ id: "budget_1", version: 1, createdAtMs: 0, updatedAtMs: 0, projectId: "default", name: "b", scope: "key", scopeId: "key_1" },
  ...{ amountUsd: "4000000", period: "day", timezone: "UTC", hard: true, thresholds: [50, 80, 100], enabled: true },
};
function cacheStep(): ModelStep {
  const secret = crypto.random(32);
  return new ResponseCache({
    ...{ cache: memoryCache({ clock }), clock, crypto, log, events, secret: () => secret, readerOf: () => openaiChat },
    models: () => ({ operate: () => Promise.reject(new Error("no embeddings here")) }),
  });
}

/** Both steps of guardrails; what they read is the call's content, decoded once. */
function guardrailSteps(guardrails: ConfigInput["guardrails"]): ModelStep[] {
  const store = memoryStore({ clock, ledgerRows: 1_000 });
  const services = { store, clock, crypto, events, log, seams: createSeams() } as unknown as Services;
  const guards = new Guardrails(services, {
    ...{ config: configSchema.parse({ guardrails }), http: null as never, owner: caller, snapshot: () => snapshotOf() },
    ...{ ledger: new GroupCommit({ store, clock, onError: () => undefined }), webhookKey: () => new Uint8Array(32) },
  });
  return [guards.entering, guards.answering];
}

interface Row {
  readonly name: string;
  /** A part of the chain that every call with all policy on passes. */
  readonly inChain?: true;
  readonly steps: () => readonly ModelStep[];
  readonly snapshot?: Snapshot;
  readonly model?: string;
  readonly cacheControl?: string;
}

const rows = (): readonly Row[] => {
  const every = { subjectId: "*", enabled: true, ...amounts };
  const everySubject = snapshotOf({
    perKey: amounts,
    rows: ["user", "team", "project", "global"].map((subject) => ({ subject, ...every })),
  });
  return [
    { name: "audit and meter, rows written to memory", inChain: true, steps: () => [ledgerStep()] },
    { name: "the same, with no budgets", steps: () => moneySteps({}) },
    { name: "the same, leaving a trace while calls are open", steps: () => moneySteps({ open: true }) },
    {
      name: "the same, with a hard budget: set aside, settled",
      steps: () => moneySteps({}),
      snapshot: snapshotOf({ budgets: [budgetRow] }),
    },
    { name: "authorise", inChain: true, steps: () => [authorise] },
    { name: "rate limit, nothing limited", steps: () => [limitStep()] },
    {
      name: "rate limit, requests of the key",
      steps: () => [limitStep()],
      snapshot: snapshotOf({ perKey: { requestsPerMinute: 1_000_000_000 } }),
    },
    {
      name: "rate limit, requests, tokens and calls at once of the key",
      inChain: true,
      steps: () => [limitStep()],
      snapshot: snapshotOf({ perKey: amounts }),
    },
    { name: "rate limit, the same of key, user, team, project and all", steps: () => [limitStep()], snapshot: everySubject },
    { name: "guardrails, none", inChain: true, steps: () => guardrailSteps({}) },
    {
      name: "guardrails, for another model",
      steps: () => guardrailSteps({ a: { kind: "words", settings: { words: ["x"] }, applies: { models: ["other/*"] } } }),
    },
    {
      name: "guardrails, words, secrets and injections in 1 KB of input",
      steps: () =>
        guardrailSteps({
          words: { kind: "words", stages: ["input"], settings: { words: ["tangerine", "kiwi", "lemon"] } },
          keys: { kind: "secrets", stages: ["input"], action: "mask" },
          injections: { kind: "injection", stages: ["input"] },
        }),
    },
    { name: "response cache, a model's own name", inChain: true, steps: () => [cacheStep()] },
    { name: "response cache, a hit", steps: () => [cacheStep()], model: "route/kept" },
    { name: "response cache, a miss that is kept", steps: () => [cacheStep()], model: "route/kept", cacheControl: "no-cache" },
  ];
};

let next = 1;
async function one(steps: readonly ModelStep[], row: Row, snapshot: Snapshot): Promise<void> {
  const call = new LiveCall<ModelHead>({
    ...{
      id: `call_${next++}`,
      requestId: "req_1",
      runId: null,
      caller,
      head: head(row.model ?? "openai/m"),
      snapshot,
      depth: 0,
      purpose: null,
    },
    ...{ signal: NEVER, deadlineMs: Date.now() + 60_000, startedAtMs: Date.now(), face: "openai-chat" as const },
    cacheControl: row.cacheControl,
    wire: { protocol: "openai-chat", bytes: body },
    decode: () => ({ kind: "model", call: asked }),
    onLeaveError: (error) => {
      throw error;
    },
  });
  const live = await runSteps(steps, call, () => {
    call.meter.note({ inputTokens: 300, outputTokens: 250 }, 1_000);
    return Promise.resolve(answer);
  });
  live.done("sent");
}
const NEVER = new AbortController().signal;

/** CPU µs of one call through the steps, the median of rounds. */
async function measure(row: Row, o: { readonly calls: number; readonly rounds: number }): Promise<number> {
  const steps = row.steps();
  const snapshot = row.snapshot ?? snapshotOf();
  const micros: number[] = [];
  for (let round = -1; round < o.rounds; round++) {
    const from = process.cpuUsage();
    for (let i = 0; i < o.calls; i++) await one(steps, row, snapshot);
    await new Promise((resolve) => setImmediate(resolve));
    const { user, system } = process.cpuUsage(from);
    if (round >= 0) micros.push((user + system) / o.calls);
  }
  return micros.sort((a, b) => a - b)[Math.floor(micros.length / 2)]!;
}

/** CPU µs a call, by step: what a call with the step costs above one with none; and all that every call passes together. */
export async function policySteps(o: { readonly calls: number; readonly rounds: number }) {
  const none: Row = { name: "no step", steps: () => [] };
  const empty = await measure(none, o);
  const measured: { name: string; micros: number }[] = [];
  for (const row of rows()) measured.push({ name: row.name, micros: Number(((await measure(row, o)) - empty).toFixed(2)) });
  const parts = rows().filter(({ inChain }) => inChain === true);
  const chain: Row = { name: "all", steps: () => parts.flatMap(({ steps }) => steps()), snapshot: snapshotOf({ perKey: amounts }) };
  return { emptyMicros: Number(empty.toFixed(2)), steps: measured, chainMicros: Number(((await measure(chain, o)) - empty).toFixed(2)) };
}
