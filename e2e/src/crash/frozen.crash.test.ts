import { afterEach, describe, expect, it } from "vitest";
import { Farm } from "./farm/farm.js";
import { onMariadb, onSqlite } from "./farm/every-place.js";
import { dose, freezeWorkers, frozenMs } from "./farm/faults.js";
import { expectHealed } from "./farm/healed.js";
import { LEASE_MS } from "./farm/producer.js";

let farm: Farm;
afterEach(() => farm.close());
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([onSqlite, ...onMariadb])("a worker that loses its lease and does not know it, on $name", ({ open }) => {
  it("F06: frozen past its lease and thawed: what it writes is refused, what it runs is told", async () => {
    farm = await Farm.start(await open(), { over: { taskMs: 400, concurrency: 4 } });
    farm.producer.start({ perSecond: 12 });
    await freezeWorkers(farm, { times: dose(8), leaseMs: LEASE_MS, workers: 3 });
    await farm.producer.stop();
    await farm.settled();
    await expectHealed(farm, "frozen past the lease");
    const { seen } = await farm.recorded();
    expect(await farm.faults({ frozenMs: frozenMs(LEASE_MS) })).toEqual([]);
    const fenced = seen.filter(({ saw, code }) => saw === "refused" || (saw === "aborted" && code === "lease_lost"));
    process.stdout.write(`  fenced: ${fenced.length}\n`);
    expect(fenced.length).toBeGreaterThan(0);
  });

  it("F07: a handler that blocks its event loop for longer than its lease: it is begun elsewhere, and what the first one made of it does not count", async () => {
    farm = await Farm.start(await open(), { over: { concurrency: 1 } });
    const workers = [farm.worker({ name: "first" }), farm.worker({ name: "second" })];
    await Promise.all(workers.map((worker) => worker.said("ready")));
    const blocking = await farm.producer.create({ payload: { blockMs: LEASE_MS * 4 } });
    await Promise.race(workers.map((worker) => worker.said(`begun ${blocking?.id}`)));
    for (let i = 0; i < 5; i++) await farm.producer.create();
    await farm.settled();
    // The one that blocked has yet to hear of it.
    await expect
      .poll(() => farm.place.seen().filter(({ saw, code }) => saw === "refused" || code === "lease_lost").length, { timeout: 30_000 })
      .toBeGreaterThan(0);
    const { rows } = await farm.recorded();
    expect(await farm.faults()).toEqual([]);
    expect(rows.find(({ id }) => id === blocking?.id)?.attempt).toBeGreaterThan(1);
  });
});

describe.each([onSqlite, ...onMariadb])("clocks that are wrong, on $name", ({ open, name }) => {
  // The processes of one SQLite file are on one machine, and so have one clock.
  it.skipIf(name === "SQLite")(
    "F18: workers five minutes fast and five minutes slow take nothing too early, and lose no lease to each other",
    async () => {
      farm = await Farm.start(await open());
      const [fast, slow] = [farm.worker({ name: "fast", skewMs: 300_000 }), farm.worker({ name: "slow", skewMs: -300_000 })];
      const right = farm.worker({ name: "right" });
      await Promise.all([fast, slow, right].map((worker) => worker.said("ready")));
      const taking = () => new Set(farm.place.seen().map(({ worker }) => worker)).size;
      // Some are held for longer than their lease; all the while each of the three has some to take.
      for (let i = 0; i < dose(60) || taking() < 3; i++) {
        // No lease that a worker which merely waits for a processor would lose.
        await farm.producer.create({ leaseMs: 12_000, payload: { taskMs: i % 10 === 0 ? 14_000 : 50 } });
        await pause(20);
      }
      await farm.settled();
      const { rows, seen } = await farm.recorded();
      expect(await farm.faults()).toEqual([]);
      expect(rows.filter(({ attempt }) => attempt !== 1)).toEqual([]);
      expect(new Set(seen.map(({ worker }) => worker))).toEqual(new Set(["fast", "slow", "right"]));
    },
  );
});
