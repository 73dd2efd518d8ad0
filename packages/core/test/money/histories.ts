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

export async function live(ops: readonly Op[]): Promise<void> {
  const clock = new FakeClock(Date.UTC(2026, 5, 15, 12));
  const losing = new Losing(memoryStore({ clock }));
  const store = losing.store;
  let budgets: BudgetRow[] = [
    { ...budgetRow({ amountUsd: String(LIMIT / 1_000) }), version: 1 },
    { ...budgetRow({ amountUsd: String(LIMIT / 2_000), scope: "team", scopeId: "team_1", period: "total" }), version: 1 },
    { ...budgetRow({ amountUsd: "0.05", scope: "provider", scopeId: "dear", hard: false, period: "month" }), version: 1 },
  ].map((row) => ({ createdAtMs: 0, updatedAtMs: 0, ...row }));
  await store.commit([{ scope, writes: budgets.map(({ version: _v, createdAtMs: _c, updatedAtMs: _u, ...row }) => insert(budget, row)) }], {
    deadlineMs: Infinity,
  });
  const config = configSchema.parse({});
  const snapshot = (): Snapshot => ({ config, records: recordsOf(new Map([["budget", budgets]])) }) as unknown as Snapshot;
  const internal: unknown[] = [];
  const process = () => {
    const events = new EventHub();
    events.on("internal.error", ({ error }) => internal.push(error));
    const ledger = new GroupCommit({ store: losing.over(), clock, onError: () => undefined });
    const money = new Money({ store: losing.over(), clock, events, ledger, durable: true, leaseMs: LEASE_MS });
    return { ledger, money, steps: [auditAndMeter({ ledger, clock, events, money }), ...money.openCalls()] };
  };
  let now = process();
  const all = new Set<string>();
  let running: { call: LiveCall<ModelHead>; dear: boolean; done: (code?: "sent" | "failed") => void }[] = [];
  let n = 0;
  const flush = async (): Promise<void> => {
    let over = false;
    const done = now.ledger.drain(Infinity).then(() => (over = true));
    while (!over) await clock.advance(300);
    await done;
  };

  for (const op of ops) {
    if (op.op === "open") {
      const call = new LiveCall<ModelHead>({
        ...{ id: `call_${n++}`, requestId: `req_${n}`, runId: null, caller, head: head(op.tokens), snapshot: snapshot() },
        ...{ signal: new AbortController().signal, deadlineMs: Infinity, depth: 0, purpose: null, startedAtMs: clock.now() },
        decode: () => ({ kind: "tool", name: "", arguments: "" }),
        onLeaveError: (error) => internal.push(error),
      });
      all.add(call.id);
      const { money, steps } = now;
      try {
        const answer = await runSteps(steps, call, async () => {
          await money.budget().enter(call, target(op.dear));
          call.meter.attempts++;
          call.meter.provider = op.dear ? "dear" : "v";
          return { status: 200, headers: [], body: { kind: "bytes", bytes: new Uint8Array() } };
        });
        running.push({ call, dear: op.dear, done: (how = "sent") => answer.done(how) });
      } catch (error) {
        expect(["budget_exceeded", "conflict", "store_unavailable"]).toContain(GatewayError.from(error).code);
      }
    } else if (op.op === "fallback" && running.length > 0) {
      const one = running[op.call % running.length]!;
      one.call.meter.failed("upstream_unavailable", { status: 503, nowMs: clock.now() });
      try {
        await now.money.budget().enter(one.call, target(true));
        one.dear = true;
        one.call.meter.attempts++;
        one.call.meter.provider = "dear";
      } catch (error) {
        expect(["budget_exceeded", "lease_lost", "conflict", "store_unavailable"]).toContain(GatewayError.from(error).code);
        one.done("failed");
        running = running.filter((other) => other !== one);
      }
    } else if (op.op === "settle" && running.length > 0) {
      const one = running.splice(op.call % running.length, 1)[0]!;
      const usage = op.output === undefined ? {} : saneUsage({ inputTokens: 3, outputTokens: op.output }, MODEL);
      one.call.meter.note(usage, target(one.dear).cost(usage));
      one.done();
      if (op.twice) one.done();
    } else if (op.op === "crash") {
      // Whatever it had in hand is gone; what it had begun to write may be written or not.
      if (n % 2 === 0) await flush();
      running = [];
      now = process();
    } else if (op.op === "reconcile") {
      await clock.advance(LEASE_MS / 2);
      await now.money.look();
    } else if (op.op === "raise") {
      budgets = budgets.map((row, i) =>
        i === 0 ? { ...row, version: row.version + 1, amountUsd: String(Number(row.amountUsd) + 0.1) } : row,
      );
    } else if (op.op === "lose") losing.next = op.times;
    else if (op.op === "jump") {
      if (op.ms > 0) await clock.advance(op.ms);
      else (clock as unknown as { now: () => number }).now = shifted(clock, op.ms);
    }
    await check(store);
  }
  losing.next = 0;
  for (const one of running.splice(0)) one.done();
  await flush();
  // Everything that died is settled once its lease is over.
  for (let i = 0; i < 3; i++) {
    await clock.advance(i === 0 ? 50 * DAY_MS : 2 * LEASE_MS);
    await now.money.look();
    await flush();
  }
  const rows = await check(store);
  const { reservations, open, windows } = seen(store);
  expect(await reservations()).toEqual([]);
  expect(await open()).toEqual([]);
  for (const window of await windows()) expect(window.reservedNanoUsd).toBe(0);
  // Exactly one row for every call.
  expect(rows.map(({ id }) => id).sort()).toEqual([...all].sort());
  expect(internal.filter((error) => !GatewayError.is(error, "store_unavailable"))).toEqual([]);
}

function shifted(clock: FakeClock, ms: number): () => number {
  const before = clock.now.bind(clock);
  return () => before() + ms;
}

/** What holds at every moment. */
async function check(store: RecordStore): Promise<UsageRow[]> {
  const { rows, windows, reservations } = seen(store);
  const [usage, all, held] = [await rows(), await windows(), await reservations()];
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
