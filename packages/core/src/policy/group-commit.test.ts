import { describe, expect, it, vi } from "vitest";
import { GatewayError } from "../errors/index.js";
import type { RecordStore, Unit, UnitResult } from "../ports/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { GroupCommit } from "./group-commit.js";

const unit: Unit = { scope: { projects: ["default"] }, writes: [] };

/** A store that only commits: it counts its flushes and can be told to fail or to wait. */
function committer(o: { fail?: () => boolean; gate?: Promise<void>; result?: UnitResult; refuses?: Unit } = {}) {
  const flushes: number[] = [];
  const commit: RecordStore["commit"] = async (units) => {
    await o.gate;
    const at = o.refuses === undefined ? -1 : units.indexOf(o.refuses);
    if (at >= 0) throw new GatewayError("validation_failed", "no text", { details: { unit: at, outcome: "none" } });
    if (o.fail?.() === true) throw new GatewayError("store_unavailable", "away");
    flushes.push(units.length);
    return units.map(() => o.result ?? { ok: true, versions: [], skipped: [] });
  };
  return { flushes, store: { commit } as RecordStore };
}

/** Enough for what is ready, and no time passes. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe("GroupCommit", () => {
  it("commits what was added in one turn as one flush, and no more than maxUnits at once", async () => {
    const clock = new FakeClock();
    const { flushes, store } = committer();
    const group = new GroupCommit({ store, clock, maxUnits: 4, onError: () => undefined });
    for (let i = 0; i < 10; i++) group.add(unit);
    await group.drain(clock.now() + 1000);
    expect(flushes).toEqual([4, 4, 2]);
  });

  it("collects units while a flush is in flight", async () => {
    const clock = new FakeClock();
    let open = (): void => undefined;
    const { flushes, store } = committer({ gate: new Promise((resolve) => (open = resolve)) });
    const group = new GroupCommit({ store, clock, onError: () => undefined });
    group.add(unit);
    await Promise.resolve();
    await Promise.resolve();
    for (let i = 0; i < 5; i++) group.add(unit);
    open();
    await group.drain(clock.now() + 1000);
    expect(flushes).toEqual([1, 5]);
  });

  it("gathers for a while after a flush, commits a full flush at once, and is hurried by who drains", async () => {
    const clock = new FakeClock();
    const { flushes, store } = committer();
    const group = new GroupCommit({ store, clock, maxUnits: 4, onError: () => undefined });
    group.add(unit);
    await turns();
    expect(flushes).toEqual([1]);
    for (let i = 0; i < 3; i++) group.add(unit);
    await turns();
    expect(flushes).toEqual([1]);
    group.add(unit);
    await turns();
    expect(flushes).toEqual([1, 4]);
    group.add(unit);
    await group.drain(clock.now() + 1000);
    expect(flushes).toEqual([1, 4, 1]);
  });

  it("writes what it gathered though nothing more comes", async () => {
    const clock = new FakeClock();
    const { flushes, store } = committer();
    const group = new GroupCommit({ store, clock, onError: () => undefined });
    group.add(unit);
    await turns();
    group.add(unit);
    group.add(unit);
    await vi.waitFor(() => expect(flushes).toEqual([1, 2]));
    await vi.waitFor(() => {
      group.add(unit);
      expect(flushes.length).toBeGreaterThan(2);
    });
  });

  it("sends a failed flush again until the store is back, and loses nothing", async () => {
    const clock = new FakeClock();
    let away = true;
    const errors: unknown[] = [];
    const { flushes, store } = committer({ fail: () => away });
    const group = new GroupCommit({ store, clock, onError: (error) => errors.push(error) });
    group.add(unit);
    group.add(unit);
    await clock.advance(1000);
    expect(flushes).toEqual([]);
    expect(errors.length).toBeGreaterThan(1);
    away = false;
    await clock.advance(1000);
    expect(flushes).toEqual([2]);
  });

  it("gives up the newest past its limit, and says so", async () => {
    const clock = new FakeClock();
    const lost: number[] = [];
    const { store } = committer({ fail: () => true });
    const group = new GroupCommit({ store, clock, maxWaiting: 3, onError: (_error, units) => lost.push(units) });
    for (let i = 0; i < 5; i++) group.add(unit);
    expect(lost).toEqual([1, 1]);
  });

  it("says how many it could not write when it is closed before the store came back", async () => {
    const clock = new FakeClock();
    const lost: number[] = [];
    const { store } = committer({ fail: () => true });
    const group = new GroupCommit({ store, clock, onError: (_error, units) => lost.push(units) });
    group.add(unit);
    group.add(unit);
    const closed = group.close(clock.now() + 100);
    await clock.advance(1000);
    await closed;
    expect(lost.at(-1)).toBe(2);
    group.add(unit);
    expect(lost.at(-1)).toBe(1);
  });

  it("gives up a unit that the store can never take, and writes its neighbours", async () => {
    const clock = new FakeClock();
    const lost: number[] = [];
    const never: Unit = { ...unit };
    const { flushes, store } = committer({ refuses: never });
    const group = new GroupCommit({ store, clock, onError: (_error, units) => lost.push(units) });
    for (const each of [unit, never, unit]) group.add(each);
    await group.drain(clock.now() + 1000);
    expect({ flushes, lost }).toEqual({ flushes: [2], lost: [1] });
  });

  it("keeps the process alive while it is closed with the store away, and no longer", async () => {
    const clock = new FakeClock();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const { store } = committer({ fail: () => true });
    const group = new GroupCommit({ store, clock, onError: () => undefined });
    group.add(unit);
    const before = timers();
    const closed = group.close(clock.now() + 100);
    expect(timers()).toBe(before + 1);
    await clock.advance(100);
    await closed;
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it("reports a unit that the store refused", async () => {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    const { store } = committer({ result: { ok: false, failed: 0, why: "missing", current: null } });
    const group = new GroupCommit({ store, clock, onError: (error) => errors.push(error) });
    group.add(unit);
    await group.drain(clock.now() + 1000);
    expect(errors).toMatchObject([{ code: "internal" }]);
  });
});
