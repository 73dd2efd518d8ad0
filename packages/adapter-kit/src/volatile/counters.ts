import assert from "node:assert/strict";
import type { Counters, Demand, Within } from "@sallyport/core/ports";
import { registerCases, type Case, type Make, type TestFunction } from "../contract.js";
import { rejectsWith } from "../expectations.js";
import { casesOf, repeat, type Time } from "./subject.js";

/** Counters that count nothing yet. */
export interface CountersSubject extends Time {
  readonly counters: Counters;
}

const demand = (over: Partial<Demand> = {}): Demand => ({ key: "k", cost: 1, limit: 10, windowMs: 1000, ...over });
const within = (time: Time): Within => ({ deadlineMs: time.now() + 15_000 });

const windows = casesOf<CountersSubject>("windows", {
  "a window holds its limit, then refuses and says when to come again": async (s) => {
    const before = s.now();
    assert.deepEqual(await s.counters.spend([demand({ cost: 7 })], within(s)), { ok: true, left: [3] });
    const after = s.now();
    const refused = await s.counters.spend([demand({ cost: 4 })], within(s));
    assert.deepEqual([refused.ok, refused.refusedBy, refused.left], [false, "k", [3]]);
    assert.ok(refused.retryAtMs !== undefined && refused.retryAtMs >= before + 1000 && refused.retryAtMs <= after + 1000);
    assert.deepEqual(await s.counters.spend([demand({ cost: 3 })], within(s)), { ok: true, left: [0] });
  },
  "a window begins with its first use and is not made longer by use": async (s) => {
    for (let i = 0; i < 4; i++) {
      await s.counters.spend([demand({ cost: 2 })], within(s));
      await s.pass(300);
    }
    assert.deepEqual(await s.counters.spend([demand({ cost: 10 })], within(s)), { ok: true, left: [0] });
  },
  "a refusal does not make the window longer": async (s) => {
    await s.counters.spend([demand({ cost: 10 })], within(s));
    for (let i = 0; i < 4; i++) {
      assert.equal((await s.counters.spend([demand()], within(s))).ok, i === 3);
      await s.pass(350);
    }
  },
  "either every demand is spent or none": async (s) => {
    const both = [demand({ key: "a", cost: 4 }), demand({ key: "b", cost: 4, limit: 5 }), demand({ key: "c", cost: 4 })];
    assert.equal((await s.counters.spend(both, within(s))).ok, true);
    const refused = await s.counters.spend(both, within(s));
    assert.deepEqual([refused.ok, refused.refusedBy, refused.left], [false, "b", [6, 1, 6]]);
    assert.deepEqual(await s.counters.spend([demand({ key: "a", cost: 6 })], within(s)), { ok: true, left: [0] });
    assert.deepEqual(await s.counters.spend([demand({ key: "c", cost: 6 })], within(s)), { ok: true, left: [0] });
  },
  "a key that is named twice is spent twice": async (s) => {
    assert.deepEqual(await s.counters.spend([demand({ cost: 3 }), demand({ cost: 4 })], within(s)), { ok: true, left: [3, 3] });
    assert.equal((await s.counters.spend([demand({ cost: 2 }), demand({ cost: 2 })], within(s))).ok, false);
    assert.deepEqual(await s.counters.spend([demand({ cost: 3 })], within(s)), { ok: true, left: [0] });
  },
  "what is larger than the limit is refused for good, and nothing is counted": async (s) => {
    const refused = await s.counters.spend([demand({ cost: 11 })], within(s));
    assert.deepEqual([refused.ok, refused.refusedBy, refused.left, refused.retryAtMs], [false, "k", [10], undefined]);
  },
  "no demands are no refusal": async (s) => {
    assert.deepEqual(await s.counters.spend([], within(s)), { ok: true, left: [] });
  },
  "keys do not share a window": async (s) => {
    await s.counters.spend([demand({ key: "a", cost: 10 })], within(s));
    assert.equal((await s.counters.spend([demand({ key: "b", cost: 10 })], within(s))).ok, true);
  },
  "an adjustment counts in either direction and never refuses": async (s) => {
    await s.counters.spend([demand({ cost: 5 })], within(s));
    await s.counters.adjust("k", -2, within(s));
    assert.deepEqual(await s.counters.spend([demand({ cost: 1 })], within(s)), { ok: true, left: [6] });
    await s.counters.adjust("k", 20, within(s));
    const refused = await s.counters.spend([demand()], within(s));
    assert.deepEqual([refused.ok, refused.left], [false, [0]]);
    await s.counters.adjust("k", -100, within(s));
    assert.deepEqual(await s.counters.spend([demand({ cost: 10 })], within(s)), { ok: true, left: [0] });
  },
  "an adjustment neither makes a window longer nor begins one": async (s) => {
    await s.counters.spend([demand({ cost: 10 })], within(s));
    await s.pass(700);
    await s.counters.adjust("k", 1, within(s));
    await s.pass(400);
    await s.counters.adjust("k", 5, within(s));
    assert.deepEqual(await s.counters.spend([demand({ cost: 10 })], within(s)), { ok: true, left: [0] });
  },
  "a deadline that has passed is said so": async (s) => {
    const late = { deadlineMs: s.now() - 1 };
    await rejectsWith("deadline_exceeded", () => s.counters.spend([demand()], late));
    await rejectsWith("deadline_exceeded", () => s.counters.adjust("k", 1, late));
    await rejectsWith("deadline_exceeded", () => s.counters.hold("k", { holder: "h", max: 1, untilMs: s.now() + 10 }, late));
  },
});

const slots = casesOf<CountersSubject>("slots", {
  "so many hold, and no more until one lets go": async (s) => {
    const hold = (holder: string) => s.counters.hold("k", { holder, max: 2, untilMs: s.now() + 60_000 }, within(s));
    assert.deepEqual([await hold("a"), await hold("b"), await hold("c")], [true, true, false]);
    await s.counters.release("k", "a");
    assert.deepEqual([await hold("c"), await hold("a")], [true, false]);
  },
  "holding again renews and takes no second slot": async (s) => {
    const hold = (holder: string, forMs: number) => s.counters.hold("k", { holder, max: 2, untilMs: s.now() + forMs }, within(s));
    assert.deepEqual([await hold("a", 500), await hold("a", 1500), await hold("b", 500)], [true, true, true]);
    await s.pass(1000);
    assert.deepEqual([await hold("c", 500), await hold("d", 500)], [true, false]);
  },
  "a slot is free when its time is over": async (s) => {
    const hold = (holder: string) => s.counters.hold("k", { holder, max: 1, untilMs: s.now() + 500 }, within(s));
    assert.equal(await hold("a"), true);
    assert.equal(await hold("b"), false);
    await s.pass(600);
    assert.equal(await hold("b"), true);
  },
  "letting go of what one does not hold is harmless": async (s) => {
    await s.counters.release("k", "nobody");
    assert.equal(await s.counters.hold("k", { holder: "a", max: 1, untilMs: s.now() + 60_000 }, within(s)), true);
    await s.counters.release("k", "b");
    await s.counters.release("other", "a");
    assert.equal(await s.counters.hold("k", { holder: "b", max: 1, untilMs: s.now() + 60_000 }, within(s)), false);
  },
});

const racing = casesOf<CountersSubject>("concurrency", {
  "two hundred racers spend exactly the limit": async (s) => {
    const results = await Promise.all(repeat(200, () => s.counters.spend([demand({ limit: 50, windowMs: 60_000 })], within(s))));
    assert.equal(results.filter(({ ok }) => ok).length, 50);
  },
  "racers on several keys leave nothing spent that was refused": async (s) => {
    const both = [demand({ key: "wide", limit: 1000, windowMs: 60_000 }), demand({ key: "narrow", limit: 30, windowMs: 60_000 })];
    const results = await Promise.all(repeat(100, () => s.counters.spend(both, within(s))));
    assert.equal(results.filter(({ ok }) => ok).length, 30);
    assert.deepEqual((await s.counters.spend([demand({ key: "wide", cost: 0, limit: 1000 })], within(s))).left, [970]);
  },
  "no adjustment is lost": async (s) => {
    await s.counters.spend([demand({ limit: 1000, windowMs: 60_000 })], within(s));
    await Promise.all(repeat(100, () => s.counters.adjust("k", 2, within(s))));
    assert.deepEqual((await s.counters.spend([demand({ cost: 0, limit: 1000, windowMs: 60_000 })], within(s))).left, [799]);
  },
  "of fifty racers for three slots three hold": async (s) => {
    const hold = (i: number) => s.counters.hold("k", { holder: `h${i}`, max: 3, untilMs: s.now() + 60_000 }, within(s));
    assert.equal((await Promise.all(repeat(50, hold))).filter(Boolean).length, 3);
  },
});

/** Everything that `Counters` promises. */
export const countersCases: readonly Case<CountersSubject>[] = [...windows, ...slots, ...racing];

export function countersContract(runner: { readonly test: TestFunction; readonly make: Make<CountersSubject> }): void {
  registerCases(countersCases, runner);
}
