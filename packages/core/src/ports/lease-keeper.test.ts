import { expect, it } from "vitest";
import { GatewayError } from "../errors/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import type { CommitQueue } from "./commit-queue.js";
import type { Unit, UnitResult } from "./index.js";
import { LeaseKeeper } from "./lease-keeper.js";

function keeper() {
  const clock = new FakeClock();
  const sentAtMs: number[] = [];
  let answer: () => Promise<UnitResult> = () => Promise.resolve({ ok: true, versions: [2], skipped: [] });
  const queue = {
    commit: (_unit: Unit) => {
      sentAtMs.push(clock.now());
      return answer();
    },
  } as unknown as CommitQueue;
  const lost: string[] = [];
  const leases = new LeaseKeeper({ queue, clock });
  const hold = (id: string, leaseMs: number) =>
    leases.hold(
      { id, leaseMs, renewal: () => ({ scope: { system: "a test" }, writes: [] }), onLost: (why) => lost.push(`${id} ${why.code}`) },
      clock.monotonic(),
    );
  return { clock, sentAtMs, lost, hold, answers: (with_: () => Promise<UnitResult>) => (answer = with_) };
}
const refused = (): Promise<UnitResult> => Promise.resolve({ ok: false, failed: 0, why: "guard", current: null });

it("renews each lease after a third of its time, and not once it is released", async () => {
  const { clock, sentAtMs, hold, lost } = keeper();
  const start = clock.now();
  const held = hold("a", 3000);
  await clock.advance(3000);
  expect(sentAtMs.map((at) => at - start)).toEqual([1000, 2000, 3000]);
  held.release();
  await clock.advance(10_000);
  expect(sentAtMs).toHaveLength(3);
  expect(lost).toEqual([]);
  expect(clock.pending).toBe(0);
});

it("looks more often as soon as a shorter lease is held", async () => {
  const { clock, sentAtMs, hold } = keeper();
  hold("long", 60_000);
  await clock.advance(1);
  const start = clock.now();
  hold("short", 600);
  await clock.advance(600);
  expect(sentAtMs.map((at) => at - start)).toEqual([200, 400, 600]);
});

it("says once that a lease is lost when its renewal is refused", async () => {
  const { clock, hold, lost, answers, sentAtMs } = keeper();
  answers(refused);
  hold("a", 3000);
  await clock.advance(10_000);
  expect(lost).toEqual(["a lease_lost"]);
  expect(sentAtMs).toHaveLength(1);
});

it("survives a store that is away for a while, and gives the lease up when its time is over", async () => {
  const { clock, hold, lost, answers } = keeper();
  const away = () => Promise.reject(new GatewayError("store_unavailable", "away"));
  hold("a", 3000);
  answers(away);
  await clock.advance(2400);
  answers(() => Promise.resolve({ ok: true, versions: [2], skipped: [] }));
  await clock.advance(5000);
  expect(lost).toEqual([]);
  answers(away);
  await clock.advance(4000);
  expect(lost).toEqual(["a lease_lost"]);
});

it("gives the lease up in time also when a renewal hangs", async () => {
  const { clock, hold, lost, answers } = keeper();
  answers(() => new Promise(() => undefined));
  hold("a", 3000);
  await clock.advance(3500);
  expect(lost).toEqual(["a lease_lost"]);
});

it("does not call a lease lost that was released while its renewal was refused", async () => {
  const { clock, hold, lost, answers } = keeper();
  let refuse = (): void => undefined;
  answers(() => new Promise((resolve) => (refuse = () => resolve({ ok: false, failed: 0, why: "guard", current: null }))));
  const held = hold("a", 3000);
  await clock.advance(1000);
  held.release();
  refuse();
  await clock.advance(5000);
  expect(lost).toEqual([]);
});

it("renews on demand, and says when that was too late", async () => {
  const { hold, lost, answers } = keeper();
  const held = hold("a", 3000);
  await held.renew();
  answers(refused);
  await expect(held.renew()).rejects.toMatchObject({ code: "lease_lost" });
  expect(lost).toEqual(["a lease_lost"]);
});

it("counts from a write that renewed the lease on the way", async () => {
  const { clock, hold, sentAtMs } = keeper();
  const held = hold("a", 3000);
  for (let i = 0; i < 6; i++) {
    await clock.advance(900);
    held.renewed(clock.monotonic());
  }
  expect(sentAtMs).toEqual([]);
});
