import { afterEach, describe, expect, it } from "vitest";
import { checkLedger } from "./check/check-ledger.js";
import { addBudget, Callers, reconciled, urlOf } from "./farm/callers.js";
import { onSqlite } from "./farm/every-place.js";
import { Farm } from "./farm/farm.js";
import { employ, freezeWorkers } from "./farm/faults.js";
import { LEASE_MS } from "./farm/producer.js";

// A checker that nothing can turn red shows nothing: the same harness over stores that are wrong on purpose.

let farm: Farm;
afterEach(() => farm.close());
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Calls enough for every mutant to bite. */
const CALLS = 300;
const kindsOf = (faults: readonly string[]): string[] => [...new Set(faults.map((fault) => fault.split(":")[0] ?? ""))];

/** How a mutant bites is a matter of luck: it is let work again, on the same farm, until the checker finds it. */
async function found(isFound: (kinds: readonly string[]) => boolean, work: () => Promise<void>): Promise<readonly string[]> {
  let kinds: string[] = [];
  for (let rounds = 0; rounds < 5 && !isFound(kinds); rounds++) {
    await work();
    kinds = kindsOf(await farm.faults());
  }
  return kinds;
}

describe("the checker of tasks", () => {
  it("G30: finds what frozen workers write once the fence is off", async () => {
    farm = await Farm.start(await onSqlite.open(), { over: { taskMs: 500, concurrency: 4, mutant: "the fence is off" } });
    const isFound = (kinds: readonly string[]): boolean => kinds.some((kind) => ["stale", "doubled"].includes(kind));
    const kinds = await found(isFound, async () => {
      farm.producer.start({ perSecond: 12 });
      await freezeWorkers(farm, { times: 6, leaseMs: LEASE_MS, workers: 3 });
      await farm.producer.stop();
      await farm.settled();
    });
    expect(isFound(kinds), kinds.join()).toBe(true);
  });

  it.each([
    { mutant: "a task goes to two", finds: "claimed twice" },
    { mutant: "what is done is done again", finds: "doubled" },
  ])("G30: finds that $mutant", async ({ mutant, finds }) => {
    farm = await Farm.start(await onSqlite.open(), { over: { mutant, taskMs: 50 } });
    const kinds = await found(
      (all) => all.includes(finds),
      async () => {
        for (let i = 0; i < 60; i++) await farm.producer.create();
        await employ(farm, 3);
        await pause(2000);
        farm.producer.start({ perSecond: 40 });
        await pause(2000);
        await farm.producer.stop();
        await farm.settled(30_000).catch(() => undefined);
      },
    );
    expect(kinds).toContain(finds);
  });

  it("G30: finds that what was accepted was only in memory", async () => {
    farm = await Farm.start(await onSqlite.open(), { mutant: "what was accepted was only in memory" });
    for (let i = 0; i < 40; i++) await farm.producer.create();
    await pause(300);
    await employ(farm, 2);
    await farm.settled();
    expect(kindsOf(await farm.faults())).toContain("lost");
  });
});

describe("the checker of the ledger", () => {
  it.each([
    { mutant: "what is spent is read before it is added", finds: /budget (says|does not add up)/ },
    { mutant: "a usage row is forgotten", finds: /lost|budget/ },
    { mutant: "a usage row is written twice", finds: /doubled/ },
  ])("G30: finds that $mutant", async ({ mutant, finds }) => {
    farm = await Farm.start(await onSqlite.open(), { over: { serves: true, taskMs: 20, mutant } });
    await addBudget(farm.gateway);
    const workers = [farm.worker(), farm.worker()];
    await Promise.all(workers.map((worker) => worker.said("serving")));
    expect(workers.map(urlOf)).not.toContain(undefined);
    const callers = new Callers(farm);
    callers.start(12);
    await expect.poll(() => callers.accepted.length, { timeout: 120_000, interval: 50 }).toBeGreaterThan(CALLS);
    await callers.stop();
    await pause(500);
    for (const worker of workers) await worker.kill();
    await reconciled(farm);
    expect(checkLedger(await callers.recorded()).join("\n")).toMatch(finds);
  });
});
