import assert from "node:assert/strict";
import type { Wakeup } from "@sallyport/core/ports";
import { registerCases, type Case, type Make, type TestFunction } from "../contract.js";
import { casesOf, eventually, repeat, type Patience, type Time } from "./subject.js";

/** A wakeup that knows of nothing yet. */
export interface WakeupSubject extends Time, Patience {
  readonly wakeup: Wakeup;
}

/** A latch: work that goes on until it is opened. */
function latch() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** Everything that `Wakeup` promises. */
export const wakeupCases: readonly Case<WakeupSubject>[] = casesOf<WakeupSubject>("hints", {
  "what is due is told to who listens to its lane": async (s) => {
    const heard: string[] = [];
    const others: string[] = [];
    const stops = [
      await s.wakeup.listen("lane", { concurrency: 2 }, async (id) => void heard.push(id)),
      await s.wakeup.listen("other", { concurrency: 2 }, async (id) => void others.push(id)),
    ];
    await s.wakeup.offer("lane", "a", { dueAtMs: s.now(), priority: 0 });
    await s.wakeup.offer("lane", "b", { dueAtMs: s.now() - 1000, priority: 5 });
    await s.wakeup.offer("other", "c", { dueAtMs: s.now(), priority: 0 });
    await s.pass(10);
    await eventually(s, "all were heard", () => new Set(heard).size === 2 && others.length > 0);
    assert.deepEqual([[...new Set(heard)].sort(), [...new Set(others)]], [["a", "b"], ["c"]]);
    await Promise.all(stops.map((stop) => stop()));
  },
  "what is due later is told later": async (s) => {
    const heard: string[] = [];
    const stop = await s.wakeup.listen("lane", { concurrency: 1 }, async (id) => void heard.push(id));
    await s.wakeup.offer("lane", "late", { dueAtMs: s.now() + 900, priority: 0 });
    await s.wakeup.offer("lane", "soon", { dueAtMs: s.now() + 300, priority: 0 });
    await s.pass(100);
    assert.equal(heard.length, 0);
    await s.pass(400);
    await eventually(s, "the first was heard", () => heard.includes("soon"));
    assert.deepEqual(heard, ["soon"]);
    await s.pass(600);
    await eventually(s, "the second was heard", () => heard.includes("late"));
    await stop();
  },
  "no more are told at once than asked for, and all in the end": async (s) => {
    let running = 0;
    let most = 0;
    const done = new Set<string>();
    const gate = latch();
    const stop = await s.wakeup.listen("lane", { concurrency: 3 }, async (id) => {
      most = Math.max(most, ++running);
      await gate.opened;
      running--;
      done.add(id);
    });
    await Promise.all(repeat(20, (i) => s.wakeup.offer("lane", `r${i}`, { dueAtMs: s.now(), priority: 0 })));
    await s.pass(10);
    await eventually(s, "three are at work", () => running === 3);
    gate.open();
    await eventually(s, "all are done", () => done.size === 20);
    assert.equal(most, 3);
    await stop();
  },
  "work that fails does not stop what comes after": async (s) => {
    const heard: string[] = [];
    const stop = await s.wakeup.listen("lane", { concurrency: 1 }, async (id) => {
      heard.push(id);
      if (id === "broken") throw new Error("a broken worker");
    });
    await s.wakeup.offer("lane", "broken", { dueAtMs: s.now(), priority: 0 });
    await s.pass(10);
    await eventually(s, "the broken one was heard", () => heard.includes("broken"));
    await s.wakeup.offer("lane", "whole", { dueAtMs: s.now(), priority: 0 });
    await s.pass(10);
    await eventually(s, "the whole one was heard", () => heard.includes("whole"));
    await stop();
  },
  "the end of listening waits for what is under way, and nothing is told after it": async (s) => {
    const gate = latch();
    const heard: string[] = [];
    let ended = false;
    const stop = await s.wakeup.listen("lane", { concurrency: 1 }, async (id) => {
      heard.push(id);
      await gate.opened;
    });
    await s.wakeup.offer("lane", "a", { dueAtMs: s.now(), priority: 0 });
    await s.pass(10);
    await eventually(s, "it is at work", () => heard.length === 1);
    await s.wakeup.offer("lane", "b", { dueAtMs: s.now() + 100, priority: 0 });
    const ending = stop().then(() => (ended = true));
    await s.pass(200);
    assert.equal(ended, false);
    gate.open();
    await ending;
    await s.pass(200);
    assert.deepEqual(heard, ["a"]);
  },
});

export function wakeupContract(runner: { readonly test: TestFunction; readonly make: Make<WakeupSubject> }): void {
  registerCases(wakeupCases, runner);
}
