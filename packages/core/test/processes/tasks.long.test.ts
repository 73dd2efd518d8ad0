import { rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { bundled, type Child } from "./child-bundle.js";
import { LEASE_MS, taskFarm, type TaskFarm } from "./task-farm.js";

let workerFile: string;
let farm: TaskFarm;
beforeAll(async () => {
  workerFile = await bundled("task-worker.ts");
});
afterAll(() => rmSync(workerFile, { force: true }));
beforeEach(async () => {
  farm = await taskFarm(workerFile);
});
afterEach(() => farm.close());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Small numbers in a fixed but patternless order. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

it("survives three hundred killed and twenty frozen workers: nothing is lost, nothing has two outcomes, no stale write counts", async () => {
  const random = randomFrom(13);
  const workers = new Set<Child>();
  let kills = 0;
  let freezes = 0;
  let creating = true;
  const employ = (): void => {
    const child = farm.worker({ concurrency: 8, taskMs: 60 });
    workers.add(child);
    void child.ended.then(() => workers.delete(child));
  };
  const created = new Set<string>();
  const creator = (async () => {
    while (creating) {
      for (const { id } of await farm.create(4, { maxAttempts: 1000 })) created.add(id);
      await pause(40);
    }
  })();
  while (kills < 300) {
    while (workers.size < 4) employ();
    await pause(20 + random() * 300);
    const victims = [...workers];
    const victim = victims[Math.floor(random() * victims.length)];
    if (victim === undefined) continue;
    if (freezes < 20 && random() < 0.1) {
      freezes++;
      victim.process.kill("SIGSTOP");
      workers.delete(victim);
      setTimeout(() => victim.process.kill("SIGCONT"), LEASE_MS * 2.5);
      setTimeout(() => victim.process.kill("SIGKILL"), LEASE_MS * 5);
    } else {
      kills++;
      victim.process.kill("SIGKILL");
    }
  }
  creating = false;
  await creator;
  employ();
  const all = await farm.until((rows) => rows.every(({ status }) => status !== "pending" && status !== "running"));

  expect(all.map(({ id }) => id).sort()).toEqual([...created].sort());
  expect(all.filter(({ status }) => status !== "succeeded")).toEqual([]);
  const effects = farm.effects();
  expect([...effects.keys()].sort()).toEqual([...created].sort());
  for (const { id, attempt, result, holder } of all) {
    // The outcome is that of the last attempt, and of no other worker than the one that held it.
    expect((result as { by: string }).by).toBe(holder);
    expect(effects.get(id)).toContain(`${holder} ${attempt}`);
  }
  const fenced = [...farm.children].flatMap(({ lines }) =>
    lines.filter((line) => line.startsWith("aborted") && line.endsWith("lease_lost")),
  );
  expect(fenced.length).toBeGreaterThan(0);
});
