import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Demand } from "../ports/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { memoryCounters } from "./counters.js";

const WINDOW_MS = 60_000;
/** What a bucket may hold a spend too long. */
const LATE_MS = WINDOW_MS / 256 + 1;

interface Accepted {
  readonly atMs: number;
  cost: number;
}

/** Every accepted spend by its instant: what a window is by definition. */
class Oracle {
  readonly accepted: Accepted[] = [];

  /** What was accepted in the `windowMs` up to and with `nowMs`. */
  sum(nowMs: number, windowMs: number): number {
    let sum = 0;
    for (let i = this.accepted.length - 1; i >= 0 && this.accepted[i]!.atMs > nowMs - windowMs; i--) sum += this.accepted[i]!.cost;
    return sum;
  }
}

const step = fc.record({
  passMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 }), fc.constant(0)),
  cost: fc.integer({ min: 0, max: 12 }),
  correct: fc.option(fc.integer({ min: -12, max: 12 }), { freq: 4 }),
});

describe("rolling windows against an oracle (G18)", () => {
  it("let no span of a window's length pass its limit, and refuse nothing that has fitted for a 256th of a window", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), fc.integer({ min: 1, max: 40 }), (steps, limit) => {
        let nowMs = 1_000_000;
        const clock = Object.assign(new FakeClock(), { now: () => nowMs, monotonic: () => nowMs });
        const { now } = memoryCounters({ clock });
        const oracle = new Oracle();
        for (const { passMs, cost } of steps) {
          nowMs += passMs;
          const spending = now.spend([{ key: "k", cost, limit, windowMs: WINDOW_MS }]);
          if (spending.ok) {
            if (cost > 0) oracle.accepted.push({ atMs: nowMs, cost });
            expect(oracle.sum(nowMs, WINDOW_MS)).toBeLessThanOrEqual(limit);
          } else {
            expect(oracle.sum(nowMs, WINDOW_MS + LATE_MS) + cost).toBeGreaterThan(limit);
            if (spending.retryAtMs !== undefined) {
              const atMs = spending.retryAtMs;
              expect(oracle.sum(atMs, WINDOW_MS) + cost).toBeLessThanOrEqual(limit);
              expect(atMs).toBeGreaterThan(nowMs);
            } else expect(cost).toBeGreaterThan(limit);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("count corrections as if the other amount had been spent then", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        let nowMs = 1_000_000;
        const clock = Object.assign(new FakeClock(), { now: () => nowMs, monotonic: () => nowMs });
        const { now } = memoryCounters({ clock });
        const spent: Accepted[] = [];
        const limit = Number.MAX_SAFE_INTEGER;
        for (const { passMs, cost, correct } of steps) {
          nowMs += passMs + 300; // each in a bucket of its own: there the oracle is exact
          const { at, left } = now.spend([{ key: "k", cost, limit, windowMs: WINDOW_MS }]);
          spent.push({ atMs: nowMs, cost });
          const counted = spent.filter(({ atMs }) => atMs > nowMs - WINDOW_MS).reduce((sum, one) => sum + one.cost, 0);
          expect(limit - left[0]!).toBe(counted);
          if (correct === null) continue;
          now.adjust({ key: "k", delta: correct, at });
          spent.at(-1)!.cost = Math.max(0, cost + (cost === 0 ? 0 : correct));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("let through the limit to within 1 %, when three times as much is asked for, without a pause", () => {
    const clock = Object.assign(new FakeClock(), { now: () => nowMs, monotonic: () => nowMs });
    let nowMs = 0;
    const { now } = memoryCounters({ clock });
    const demand: Demand = { key: "k", cost: 1, limit: 600, windowMs: WINDOW_MS };
    const accepted: number[] = [];
    const WINDOWS = 20;
    for (; nowMs < WINDOWS * WINDOW_MS; nowMs += 33) if (now.spend([demand]).ok) accepted.push(nowMs);
    let from = 0;
    for (const [i, atMs] of accepted.entries()) {
      while (accepted[from]! <= atMs - WINDOW_MS) from++;
      expect(i - from + 1).toBeLessThanOrEqual(600);
    }
    expect(accepted.length).toBeGreaterThan(WINDOWS * 600 * 0.99);
  });

  it("keep a bounded number of buckets, however high the limit and however many the spends", () => {
    const clock = Object.assign(new FakeClock(), { now: () => nowMs, monotonic: () => nowMs });
    let nowMs = 0;
    const { now } = memoryCounters({ clock });
    const demand: Demand = { key: "k", cost: 1, limit: 1_000_000_000, windowMs: WINDOW_MS };
    for (let i = 0; i < 50_000; i++, nowMs += 10) now.spend([demand]);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200_000; i++, nowMs += 10) now.spend([demand]);
    expect(now.spend([demand]).left[0]).toBeGreaterThan(demand.limit - 6_100);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  });

  it("is neither opened nor closed by a clock that is set back (T30)", () => {
    const clock = Object.assign(new FakeClock(), { now: () => wallMs, monotonic: () => monoMs });
    let wallMs = 10_000_000;
    let monoMs = 5;
    const { now } = memoryCounters({ clock });
    const demand: Demand = { key: "k", cost: 1, limit: 1, windowMs: WINDOW_MS };
    expect(now.spend([demand]).ok).toBe(true);
    wallMs -= 3_600_000;
    monoMs += 30_000;
    expect(now.spend([demand])).toMatchObject({ ok: false, retryAtMs: wallMs + 30_000 });
    wallMs += 7_200_000;
    expect(now.spend([demand]).ok).toBe(false);
    monoMs += 30_000;
    expect(now.spend([demand]).ok).toBe(true);
  });
});
