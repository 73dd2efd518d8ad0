import assert from "node:assert/strict";
import type { Counters, Demand, Spending, Within } from "@sallyport/core/ports";
import { registerCases, type Case, type Make, type TestFunction } from "../contract.js";
import { rejectsWith } from "../expectations.js";
import { casesOf, repeat, type Time } from "./subject.js";

/** Counters that count nothing yet. */
export interface CountersSubject extends Time {
  readonly counters: Counters;
}

const demand = (over: Partial<Demand> = {}): Demand => ({ key: "k", cost: 1, limit: 10, windowMs: 1000, ...over });
const within = (time: Time): Within => ({ deadlineMs: time.now() + 15_000 });

/** How much longer than its window a spend may count: the hundredth that the port allows, and what a clock rounds. */
const lateMs = (windowMs: number): number => windowMs / 100 + 2;
/** What a spending came to, without its instants. */
const told = ({ ok, refusedBy, left }: Spending) => (ok ? { ok, left } : { ok, refusedBy, left });

const windows = casesOf<CountersSubject>("windows", {
  "a window holds its limit, then refuses and says when to come again": async (s) => {
    const before = s.now();
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 7 })], within(s))), { ok: true, left: [3] });
    const after = s.now();
    const refused = await s.counters.spend([demand({ cost: 4 })], within(s));
    assert.deepEqual(told(refused), { ok: false, refusedBy: "k", left: [3] });
    for (const atMs of [refused.retryAtMs, refused.freeAtMs[0]])
      assert.ok(atMs !== undefined && atMs >= before + 998 && atMs <= after + 1000 + lateMs(1000), `${atMs} after ${before}`);
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 3 })], within(s))), { ok: true, left: [0] });
  },
  "what was spent counts for a window, and then no longer, however often the key was used since": async (s) => {
    // Wide apart: a service is waited for in real time, on a machine that may be busy.
    const two = (cost: number) => [demand({ cost, windowMs: 2000 })];
    for (let i = 0; i < 4; i++) {
      await s.counters.spend(two(2), within(s));
      await s.pass(540);
    }
    // Spent 2,160, 1,620, 1,080 and 540 ms ago: the first is over.
    assert.deepEqual(told(await s.counters.spend(two(5), within(s))), { ok: false, refusedBy: "k", left: [4] });
    assert.deepEqual(told(await s.counters.spend(two(4), within(s))), { ok: true, left: [0] });
  },
  "it says when what does not fit will": async (s) => {
    const before = s.now();
    await s.counters.spend([demand({ cost: 4 })], within(s));
    await s.pass(400);
    await s.counters.spend([demand({ cost: 5 })], within(s));
    const [one, six] = [await s.counters.spend([demand({ cost: 5 })], within(s)), await s.counters.spend([demand({ cost: 6 })], within(s))];
    assert.ok(one.retryAtMs !== undefined && one.retryAtMs >= before + 1000 && one.retryAtMs < before + 1300, `${one.retryAtMs}`);
    assert.ok(six.retryAtMs !== undefined && six.retryAtMs >= before + 1400, `${six.retryAtMs}`);
  },
  "a window that is used all the time still ends: use puts nothing off": async (s) => {
    const often = [demand({ windowMs: 600, limit: 4 })];
    const startMs = s.now();
    let passed = 0;
    while (s.now() < startMs + 2000) {
      if ((await s.counters.spend(often, within(s))).ok) passed++;
      await s.pass(40);
    }
    // Four in each of more than three windows; if use lengthened them, it would be four for good.
    assert.ok(passed >= 8, `${passed} passed`);
  },
  "what was taken back is there at once, for somebody else too": async (s) => {
    const both = [demand({ key: "wide", limit: 3 }), demand({ key: "narrow", limit: 1 })];
    assert.equal((await s.counters.spend(both, within(s))).ok, true);
    for (let i = 0; i < 5; i++) assert.equal((await s.counters.spend(both, within(s))).ok, false);
    assert.deepEqual(told(await s.counters.spend([demand({ key: "wide", limit: 3, cost: 2 })], within(s))), { ok: true, left: [0] });
  },
  "a refusal counts for nothing": async (s) => {
    await s.counters.spend([demand({ cost: 10 })], within(s));
    for (let i = 0; i < 4; i++) {
      assert.equal((await s.counters.spend([demand()], within(s))).ok, i === 3);
      await s.pass(350);
    }
  },
  "either every demand is spent or none": async (s) => {
    const both = [demand({ key: "a", cost: 4 }), demand({ key: "b", cost: 4, limit: 5 }), demand({ key: "c", cost: 4 })];
    assert.equal((await s.counters.spend(both, within(s))).ok, true);
    assert.deepEqual(told(await s.counters.spend(both, within(s))), { ok: false, refusedBy: "b", left: [6, 1, 6] });
    assert.deepEqual(told(await s.counters.spend([demand({ key: "a", cost: 6 })], within(s))), { ok: true, left: [0] });
    assert.deepEqual(told(await s.counters.spend([demand({ key: "c", cost: 6 })], within(s))), { ok: true, left: [0] });
  },
  "a key that is named twice is spent twice": async (s) => {
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 3 }), demand({ cost: 4 })], within(s))), { ok: true, left: [3, 3] });
    assert.equal((await s.counters.spend([demand({ cost: 2 }), demand({ cost: 2 })], within(s))).ok, false);
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 3 })], within(s))), { ok: true, left: [0] });
  },
  "what is larger than the limit is refused for good, and nothing is counted": async (s) => {
    const refused = await s.counters.spend([demand({ cost: 11 })], within(s));
    assert.deepEqual(told(refused), { ok: false, refusedBy: "k", left: [10] });
    assert.deepEqual([refused.retryAtMs, refused.freeAtMs], [undefined, [0]]);
  },
  "no demands are no refusal": async (s) => {
    assert.deepEqual(told(await s.counters.spend([], within(s))), { ok: true, left: [] });
  },
  "keys do not share a window": async (s) => {
    await s.counters.spend([demand({ key: "a", cost: 10 })], within(s));
    assert.equal((await s.counters.spend([demand({ key: "b", cost: 10 })], within(s))).ok, true);
  },
  "a correction counts in either direction and never refuses": async (s) => {
    const { at } = await s.counters.spend([demand({ cost: 5 })], within(s));
    await s.counters.adjust({ key: "k", delta: -2, at }, within(s));
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 0 })], within(s))), { ok: true, left: [7] });
    await s.counters.adjust({ key: "k", delta: 20, at }, within(s));
    assert.deepEqual(told(await s.counters.spend([demand()], within(s))), { ok: false, refusedBy: "k", left: [0] });
    await s.counters.adjust({ key: "k", delta: -100, at }, within(s));
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 10 })], within(s))), { ok: true, left: [0] });
  },
  "a correction counts as long as what it corrects, and no longer": async (s) => {
    const { at } = await s.counters.spend([demand({ cost: 10 })], within(s));
    await s.pass(700);
    await s.counters.adjust({ key: "k", delta: 1, at }, within(s));
    await s.pass(400);
    await s.counters.adjust({ key: "k", delta: 5, at }, within(s));
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 10 })], within(s))), { ok: true, left: [0] });
  },
  "a correction of a key that spent nothing begins nothing": async (s) => {
    const { at } = await s.counters.spend([demand({ key: "other" })], within(s));
    await s.counters.adjust({ key: "k", delta: 5, at }, within(s));
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 10 })], within(s))), { ok: true, left: [0] });
  },
  "what is counted without a wait is in the same windows and slots": async (s) => {
    const { now } = s.counters;
    if (now === undefined) return;
    const { at } = now.spend([demand({ cost: 4 })]);
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 1 })], within(s))), { ok: true, left: [5] });
    now.adjust({ key: "k", delta: -1, at });
    assert.deepEqual(told(now.spend([demand({ cost: 7 })])), { ok: false, refusedBy: "k", left: [6] });
    const slot = { holder: "a", max: 1, untilMs: s.now() + 60_000 };
    assert.deepEqual([now.hold("s", slot), await s.counters.hold("s", { ...slot, holder: "b" }, within(s))], [true, false]);
    now.release("s", "a");
    assert.equal(await s.counters.hold("s", { ...slot, holder: "b" }, within(s)), true);
  },
  "a deadline that has passed is said so": async (s) => {
    const late = { deadlineMs: s.now() - 1 };
    await rejectsWith("deadline_exceeded", () => s.counters.spend([demand()], late));
    await rejectsWith("deadline_exceeded", () => s.counters.adjust({ key: "k", delta: 1, at: 0 }, late));
    await rejectsWith("deadline_exceeded", () => s.counters.hold("k", { holder: "h", max: 1, untilMs: s.now() + 10 }, late));
  },
});

/** Numbers that look random and are the same in every run. */
function drawn(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const rolling = casesOf<CountersSubject>("rolling windows", {
  "two bursts where two minutes would meet do not add up": async (s) => {
    await s.counters.spend([demand({ cost: 1 })], within(s));
    await s.pass(900);
    assert.equal((await s.counters.spend([demand({ cost: 9 })], within(s))).ok, true);
    await s.pass(200);
    // A second after the first use a window that was fixed then would begin anew.
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 2 })], within(s))), { ok: false, refusedBy: "k", left: [1] });
    assert.deepEqual(told(await s.counters.spend([demand({ cost: 1 })], within(s))), { ok: true, left: [0] });
  },
  "no span of a window's length holds more than the limit, and nothing is refused that has fitted for a while": async (s) => {
    for (const seed of [1, 2, 3]) {
      const random = drawn(seed);
      const spent: { readonly atMs: number; readonly doneMs: number; readonly cost: number }[] = [];
      const key = `k${seed}`;
      for (let i = 0; i < 40; i++) {
        await s.pass(1 + random(random(4) === 0 ? 120 : 20));
        const cost = 1 + random(3);
        const atMs = s.now();
        const { ok } = await s.counters.spend([demand({ key, cost, windowMs: 200 })], within(s));
        const doneMs = s.now();
        const since = (ms: number, end: "atMs" | "doneMs") => spent.filter((one) => one[end] > ms).reduce((sum, one) => sum + one.cost, 0);
        // What certainly lies within the last window, and what may still count at the latest.
        if (ok) assert.ok(since(doneMs - 200, "atMs") + cost <= 10, `seed ${seed}, use ${i}: more than the limit`);
        else assert.ok(since(atMs - 200 - lateMs(200), "doneMs") + cost > 10, `seed ${seed}, use ${i}: refused what fits`);
        if (ok) spent.push({ atMs, doneMs, cost });
      }
    }
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
  "no correction is lost": async (s) => {
    const { at } = await s.counters.spend([demand({ limit: 1000, windowMs: 60_000 })], within(s));
    await Promise.all(repeat(100, () => s.counters.adjust({ key: "k", delta: 2, at }, within(s))));
    assert.deepEqual((await s.counters.spend([demand({ cost: 0, limit: 1000, windowMs: 60_000 })], within(s))).left, [799]);
  },
  "racers who hold, let go and hold again are never more than may": async (s) => {
    let holding = 0;
    let most = 0;
    const race = async (i: number): Promise<void> => {
      for (let round = 0; round < 5; round++) {
        if (!(await s.counters.hold("k", { holder: `h${i}`, max: 2, untilMs: s.now() + 60_000 }, within(s)))) continue;
        most = Math.max(most, ++holding);
        await Promise.resolve();
        holding--;
        await s.counters.release("k", `h${i}`);
      }
    };
    await Promise.all(repeat(20, race));
    assert.ok(most >= 1 && most <= 2, `${most} held at once`);
  },
  "of fifty racers for three slots three hold": async (s) => {
    const hold = (i: number) => s.counters.hold("k", { holder: `h${i}`, max: 3, untilMs: s.now() + 60_000 }, within(s));
    assert.equal((await Promise.all(repeat(50, hold))).filter(Boolean).length, 3);
  },
});

/** Everything that `Counters` promises. */
export const countersCases: readonly Case<CountersSubject>[] = [...windows, ...rolling, ...slots, ...racing];

export function countersContract(runner: { readonly test: TestFunction; readonly make: Make<CountersSubject> }): void {
  registerCases(countersCases, runner);
}
