import fc from "fast-check";
import { expect } from "vitest";
import type { Caller, ModelHead, Usage } from "../../src/calls/index.js";
import { recordsOf } from "../../src/config/records.js";
import { configSchema } from "../../src/config/schema.js";
import type { Snapshot } from "../../src/config/snapshot.js";
import { budget, type BudgetRow, type UsageRow } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { auditAndMeter } from "../../src/policy/audit-and-meter.js";
import { GroupCommit } from "../../src/policy/group-commit.js";
import { LiveCall } from "../../src/policy/live-call.js";
import { Money } from "../../src/policy/money/money.js";
import { runSteps } from "../../src/policy/run-steps.js";
import type { AttemptTarget } from "../../src/policy/step.js";
import { insert, type RecordStore, type Unit } from "../../src/ports/index.js";
import { PriceList } from "../../src/providers/prices.js";
import { saneUsage } from "../../src/routing/lanes/sane-usage.js";
import { EventHub } from "../../src/seams/index.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { budgetRow, PRICES, scope, seen, TOKEN } from "./harness.js";

// Histories of money: calls that begin, go on at a dearer model, end in any way and are settled twice, processes that die, stores that do not say whether they wrote, clocks that jump.

const DAY_MS = 86_400_000;
const LEASE_MS = 3_600_000;
const LIMIT = 400;

export type Op =
  | { readonly op: "open"; readonly tokens: number; readonly dear: boolean }
  | { readonly op: "fallback"; readonly call: number; readonly tokens: number }
  | { readonly op: "settle"; readonly call: number; readonly output: number | undefined; readonly twice: boolean }
  | { readonly op: "crash" | "reconcile" | "raise" }
  | { readonly op: "lose"; readonly times: number }
  | { readonly op: "jump"; readonly ms: number };

const strange = fc.constantFrom(0, -1, NaN, Infinity, 1e308, -1e308, 2 ** 53, 1.5, 5e8);
const output = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: strange },
  fc.constant(undefined),
);
const call = fc.nat({ max: 30 });
export const history: fc.Arbitrary<Op[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant("open" as const), tokens: fc.integer({ min: 1, max: 120 }), dear: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("fallback" as const), call, tokens: fc.integer({ min: 1, max: 60 }) }) },
    { weight: 5, arbitrary: fc.record({ op: fc.constant("settle" as const), call, output, twice: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constantFrom("crash" as const, "reconcile" as const, "raise" as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("lose" as const), times: fc.integer({ min: 1, max: 4 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant("jump" as const),
        ms: fc.constantFrom(-DAY_MS, -5_000, 1_000, LEASE_MS, DAY_MS, 40 * DAY_MS),
      }),
    },
  ),
  { maxLength: 40 },
);

const list = new PriceList(PRICES);
const dearList = new PriceList({ ...PRICES, output: 3_000 });
const MODEL = { contextTokens: 10_000, maxOutputTokens: 100 };
const target = (dear: boolean): AttemptTarget => ({
  ...{ provider: dear ? "dear" : "v", model: "m", ...MODEL },
  cost: (usage: Usage) => (dear ? dearList : list).costNanoUsd(usage),
});
const caller: Caller = { kind: "key", id: "key_1", name: "k", projects: ["default"], grants: ["*"], teamId: "team_1" };
const head = (maxOutputTokens: number): ModelHead => ({
  ...{ kind: "model", protocol: "openai-chat", operation: "generate", name: "v/m", stream: false, maxOutputTokens, bytes: 30 },
});

/** What a commit comes to, when nobody says: it is written, and its writer hears that the connection broke. */
class Losing {
  next = 0;
  constructor(readonly store: RecordStore) {}
  over(): RecordStore {
    return new Proxy(this.store, {
      get: (store, name) => {
        if (name !== "commit") return (store[name as "find"] as (...a: unknown[]) => unknown).bind(store);
        return async (units: readonly Unit[], w: never) => {
          const results = await store.commit(units, w);
          if (this.next === 0) return results;
          this.next--;
          throw new GatewayError("store_unavailable", "The connection broke.", { details: { outcome: "unknown" } });
        };
      },
    });
  }
}

const BUDGETS: BudgetRow[] = [
  { ...budgetRow({ amountUsd: String(LIMIT / 1_000) }), version: 1 },
  { ...budgetRow({ amountUsd: String(LIMIT / 2_000), scope: "team", scopeId: "team_1", period: "total" }), version: 1 },
  { ...budgetRow({ amountUsd: "0.05", scope: "provider", scopeId: "dear", hard: false, period: "month" }), version: 1 },
].map((row) => ({ createdAtMs: 0, updatedAtMs: 0, ...row }));

interface Running {
  readonly call: LiveCall<ModelHead>;
  dear: boolean;
  readonly done: (how?: "sent" | "failed") => void;
}

/** One store, and the processes that come and go on it. */
class World {
  readonly clock = new FakeClock(Date.UTC(2026, 5, 15, 12));
  readonly losing = new Losing(memoryStore({ clock: this.clock }));
  readonly store = this.losing.store;
  readonly internal: unknown[] = [];
  readonly calls = new Set<string>();
  #budgets: BudgetRow[] = BUDGETS;
  #running: Running[] = [];
  #now = this.#process();
  readonly #config = configSchema.parse({});

  async start(): Promise<void> {
    const rows = this.#budgets.map(({ version: _v, createdAtMs: _c, updatedAtMs: _u, ...row }) => row);
    await this.store.commit([{ scope, writes: rows.map((row) => insert(budget, row)) }], { deadlineMs: Infinity });
  }

  async does(op: Op): Promise<void> {
    if (op.op === "open") await this.#open(op);
    else if (op.op === "fallback" && this.#running.length > 0) await this.#fallBack(this.#running[op.call % this.#running.length]!);
    else if (op.op === "settle" && this.#running.length > 0) this.#settle(op);
    else if (op.op === "crash") await this.#crash();
    else if (op.op === "reconcile") {
      await this.clock.advance(LEASE_MS / 2);
      await this.#now.money.look();
    } else if (op.op === "raise") this.#raise();
    else if (op.op === "lose") this.losing.next = op.times;
    else if (op.op === "jump") {
      if (op.ms > 0) await this.clock.advance(op.ms);
      else Object.assign(this.clock, { now: shifted(this.clock, op.ms) });
    }
  }

  /** Everything ends, and what died is settled once its lease is over. */
  async end(): Promise<void> {
    this.losing.next = 0;
    for (const one of this.#running.splice(0)) one.done();
    await this.#flush();
    for (let i = 0; i < 3; i++) {
      await this.clock.advance(i === 0 ? 50 * DAY_MS : 2 * LEASE_MS);
      await this.#now.money.look();
      await this.#flush();
    }
  }

  #process() {
    const { clock, losing, internal } = this;
    const events = new EventHub();
    events.on("internal.error", ({ error }) => internal.push(error));
    const ledger = new GroupCommit({ store: losing.over(), clock, onError: () => undefined });
    const money = new Money({ store: losing.over(), clock, events, ledger, nodeId: "node_1", durable: true, leaseMs: LEASE_MS });
    return { ledger, money, steps: [auditAndMeter({ ledger, clock, events, money }), ...money.openCalls()] };
  }

  async #open(op: Extract<Op, { op: "open" }>): Promise<void> {
    const n = this.calls.size;
    const records = recordsOf(new Map([["budget", this.#budgets]]));
    const call = new LiveCall<ModelHead>({
      ...{ id: `call_${n}`, requestId: `req_${n}`, runId: null, caller, head: head(op.tokens) },
      ...{ snapshot: { config: this.#config, records } as unknown as Snapshot, signal: new AbortController().signal },
      ...{ deadlineMs: Infinity, depth: 0, purpose: null, startedAtMs: this.clock.now() },
      decode: () => ({ kind: "tool", name: "", arguments: "" }),
      onLeaveError: (error) => this.internal.push(error),
    });
    this.calls.add(call.id);
    const { money, steps } = this.#now;
    try {
      const answer = await runSteps(steps, call, async () => {
        await money.budget().enter(call, target(op.dear));
        call.meter.attempts++;
        call.meter.provider = op.dear ? "dear" : "v";
        return { status: 200, headers: [], body: { kind: "bytes", bytes: new Uint8Array() } };
      });
      this.#running.push({ call, dear: op.dear, done: (how = "sent") => answer.done(how) });
    } catch (error) {
      expect(["budget_exceeded", "conflict", "store_unavailable"]).toContain(GatewayError.from(error).code);
    }
  }

  async #fallBack(one: Running): Promise<void> {
    one.call.meter.failed("upstream_unavailable", { status: 503, nowMs: this.clock.now() });
    try {
      await this.#now.money.budget().enter(one.call, target(true));
      one.dear = true;
      one.call.meter.attempts++;
      one.call.meter.provider = "dear";
    } catch (error) {
      expect(["budget_exceeded", "lease_lost", "conflict", "store_unavailable"]).toContain(GatewayError.from(error).code);
      one.done("failed");
      this.#running = this.#running.filter((other) => other !== one);
    }
  }

  #settle(op: Extract<Op, { op: "settle" }>): void {
    const one = this.#running.splice(op.call % this.#running.length, 1)[0]!;
    const usage = op.output === undefined ? {} : saneUsage({ inputTokens: 3, outputTokens: op.output }, MODEL);
    one.call.meter.note(usage, target(one.dear).cost(usage));
    one.done();
    if (op.twice) one.done();
  }

  /** What the process had in hand is gone; what it had begun to write may be written or not. */
  async #crash(): Promise<void> {
    if (this.calls.size % 2 === 0) await this.#flush();
    this.#running = [];
    this.#now = this.#process();
  }

  #raise(): void {
    const [first, ...rest] = this.#budgets as [BudgetRow, ...BudgetRow[]];
    this.#budgets = [{ ...first, version: first.version + 1, amountUsd: String(Number(first.amountUsd) + 0.1) }, ...rest];
  }

  async #flush(): Promise<void> {
    let over = false;
    const done = this.#now.ledger.drain(Infinity).then(() => (over = true));
    while (!over) await this.clock.advance(300);
    await done;
  }
}

export async function live(ops: readonly Op[]): Promise<void> {
  const world = new World();
  await world.start();
  for (const op of ops) {
    await world.does(op);
    await check(world.store);
  }
  await world.end();
  const rows = await check(world.store);
  const { reservations, open, windows } = seen(world.store);
  expect(await reservations()).toEqual([]);
  expect(await open()).toEqual([]);
  for (const window of await windows()) expect(window.reservedNanoUsd).toBe(0);
  // Exactly one row for every call.
  expect(rows.map(({ id }) => id).sort()).toEqual([...world.calls].sort());
  expect(world.internal.filter((error) => !GatewayError.is(error, "store_unavailable"))).toEqual([]);
}

function shifted(clock: FakeClock, ms: number): () => number {
  const before = clock.now.bind(clock);
  return () => before() + ms;
}

/** What holds at every moment. */
async function check(store: RecordStore): Promise<UsageRow[]> {
  const { rows, windows, reservations } = seen(store);
  // At once: the memory store answers in the turn in which it is asked.
  const [usage, all, held] = await Promise.all([rows(), windows(), reservations()]);
  for (const window of all) {
    expect(window.leftNanoUsd).toBe(window.limitNanoUsd - window.spentNanoUsd - window.reservedNanoUsd);
    const shares = held.flatMap((row) => row.shares.filter(({ windowId }) => windowId === window.id));
    expect(window.reservedNanoUsd).toBe(shares.reduce((sum, share) => sum + share.amountNanoUsd, 0));
    // A count may be larger than what was set aside for it, up to what the model can write; nothing else goes beyond.
    if (window.limitNanoUsd > 60 * TOKEN) expect(window.leftNanoUsd).toBeGreaterThanOrEqual(-400 * TOKEN);
  }
  for (const { costNanoUsd } of usage) expect(costNanoUsd === null || (Number.isSafeInteger(costNanoUsd) && costNanoUsd >= 0)).toBe(true);
  // What the windows of the project's budget say is spent is what its rows say.
  const first = all.filter(({ limitNanoUsd }) => limitNanoUsd >= LIMIT * TOKEN);
  const spent = first.reduce((sum, window) => sum + window.spentNanoUsd, 0);
  const cost = usage.reduce((sum, row) => sum + (row.costNanoUsd ?? 0), 0);
  expect(spent).toBe(cost);
  return usage;
}
