import { describe, expect, it } from "vitest";
import type { Clock, Within } from "../ports/index.js";
import { memoryCache, memoryCounters, memoryWakeup } from "./index.js";

/** A clock that stands where it is put; timers run when it is moved. */
function standingClock() {
  let nowMs = 1_000_000;
  const timers = new Set<{ atMs: number; fn: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    at: (atMs, fn) => {
      const timer = { atMs, fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const move = (ms: number): void => {
    nowMs += ms;
    for (const timer of [...timers])
      if (timer.atMs <= nowMs) {
        timers.delete(timer);
        timer.fn();
      }
  };
  return { clock, move, timers };
}
const forEver: Within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const bytes = (length: number): Uint8Array => new Uint8Array(length);

describe("the cache in memory", () => {
  it("drops what was used longest ago when it is full, and never more than it must", async () => {
    const { clock } = standingClock();
    const cache = memoryCache({ clock, maxBytes: 3500 });
    const until = { expiresAtMs: clock.now() + 1000 };
    for (const key of ["a", "b", "c"]) await cache.set(key, bytes(1000), until, forEver);
    await cache.get("a", forEver);
    await cache.set("d", bytes(1000), until, forEver);
    const kept = await Promise.all(["a", "b", "c", "d"].map(async (key) => (await cache.get(key, forEver)) !== null));
    expect(kept).toEqual([true, false, true, true]);
    await cache.set("huge", bytes(10_000), until, forEver);
    expect(await cache.get("huge", forEver)).toBeNull();
  });

  it("counts what it dropped, replaced and let expire", async () => {
    const { clock, move } = standingClock();
    const cache = memoryCache({ clock, maxBytes: 3500 });
    for (let i = 0; i < 100; i++) {
      await cache.set("same", bytes(1000), { expiresAtMs: clock.now() + 10 }, forEver);
      await cache.set("other", bytes(1000), { expiresAtMs: clock.now() + 10 }, forEver);
      expect(await cache.get("same", forEver)).not.toBeNull();
      if (i % 2 === 0) await cache.remove("other", null, forEver);
      else move(20);
    }
  });
});

describe("the counters in memory", () => {
  it("forget windows and slots that are over", async () => {
    const { clock, move } = standingClock();
    const counters = memoryCounters({ clock });
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 2000; i++) {
        await counters.spend([{ key: `k${round}-${i}`, cost: 1, limit: 1, windowMs: 100 }], forEver);
        await counters.hold(`s${round}-${i}`, { holder: "h", max: 1, untilMs: clock.now() + 100 }, forEver);
      }
      move(200);
    }
    // What is over is free again, and what is not is not.
    expect((await counters.spend([{ key: "k4-0", cost: 1, limit: 1, windowMs: 100 }], forEver)).ok).toBe(true);
    expect((await counters.spend([{ key: "k4-0", cost: 1, limit: 1, windowMs: 100 }], forEver)).ok).toBe(false);
    expect(await counters.hold("s4-0", { holder: "other", max: 1, untilMs: clock.now() + 100 }, forEver)).toBe(true);
  });
});

describe("the wakeup in memory", () => {
  it("tells the higher priority first, and keeps offers until somebody listens", async () => {
    const { clock } = standingClock();
    const wakeup = memoryWakeup({ clock });
    for (const [id, priority] of [
      ["low", -1],
      ["a", 0],
      ["b", 0],
      ["high", 9],
    ] as const)
      await wakeup.offer("lane", id, { dueAtMs: clock.now(), priority });
    const heard: string[] = [];
    let all = (): void => undefined;
    const done = new Promise<void>((resolve) => (all = resolve));
    const stop = await wakeup.listen("lane", { concurrency: 1 }, async (id) => {
      if (heard.push(id) === 4) all();
    });
    await done;
    expect(heard).toEqual(["high", "a", "b", "low"]);
    await stop();
  });

  it("keeps one timer a lane, and none when nobody listens", async () => {
    const { clock, move, timers } = standingClock();
    const wakeup = memoryWakeup({ clock });
    const heard: string[] = [];
    const stop = await wakeup.listen("lane", { concurrency: 9 }, async (id) => void heard.push(id));
    for (const inMs of [300, 100, 200, 100]) await wakeup.offer("lane", `in${inMs}`, { dueAtMs: clock.now() + inMs, priority: 0 });
    expect(timers.size).toBe(1);
    move(150);
    expect(timers.size).toBe(1);
    await stop();
    expect(heard).toEqual(["in100"]);
    expect(timers.size).toBe(0);
  });
});
