import { rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundled } from "./child-bundle.js";
import type { CrashPoint } from "./crash-points.js";
import { allDone, taskFarm, type TaskFarm } from "./task-farm.js";

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

describe("a worker process that is killed", () => {
  const points: CrashPoint[] = [
    { at: "take", moment: "before", nth: 4 },
    { at: "take", moment: "after", nth: 1 },
    { at: "effect", moment: "before", nth: 3 },
    { at: "effect", moment: "after", nth: 3 },
    { at: "succeeded", moment: "before", nth: 2 },
    { at: "succeeded", moment: "after", nth: 2 },
  ];

  it.each(points)("$moment its $at: no task is lost, each has one outcome, what is begun again keeps its key", async (dies) => {
    const created = await farm.create(12);
    const dead = farm.worker({ dies });
    expect(await dead.ended).toMatchObject({ signal: "SIGKILL", errors: "" });
    farm.worker();
    const all = await farm.until(allDone);
    expect(all.map(({ id }) => id).sort()).toEqual(created.map(({ id }) => id).sort());
    const done = farm.effects();
    expect([...done.keys()].sort()).toEqual(all.map(({ id }) => id).sort());
    // An effect is repeated only for what was begun and not yet recorded when the process died: the batch of one claim at most.
    const repeated = [...done.values()].filter((lines) => lines.length > 1);
    expect(repeated.length).toBeLessThanOrEqual(4);
    for (const { id, attempt } of all) expect(done.get(id)!.length).toBeLessThanOrEqual(attempt);
    // By the fourth claim those of the ones before it may have done their effect, and not recorded it.
    if (dies.at === "take" && dies.nth === 1) expect(repeated).toEqual([]);
  });

  it("again and again by what it runs: that becomes a dead letter, and the others are done", async () => {
    const poison = await farm.scheduler.create({ type: "poison", maxAttempts: 2, priority: 10 });
    await farm.create(30, { maxAttempts: 5 });
    let deaths = 0;
    const supervisor = (async () => {
      // Each time it dies it is started again, as a supervisor does.
      for (;;) {
        const { signal } = await farm.worker().ended;
        if (signal !== "SIGKILL" || (await farm.scheduler.get(poison.id))?.status === "failed") return;
        deaths++;
      }
    })();
    const all = await farm.until((rows) => rows.every(({ id, status }) => status === (id === poison.id ? "failed" : "succeeded")));
    const dead = all.find(({ id }) => id === poison.id)!;
    expect(dead).toMatchObject({ deadLetter: true, error: { code: "lease_lost" } });
    expect(dead.attempt - dead.uncounted).toBe(3);
    expect(deaths).toBe(2);
    for (const child of farm.children) child.process.kill("SIGKILL");
    await supervisor;
  });
});

describe("a worker process that is frozen for longer than its lease", () => {
  it("has lost its task when it wakes up: its handler is told, and nothing that it writes counts", async () => {
    const [created] = await farm.create(1);
    const zombie = farm.worker({ name: "zombie", taskMs: 3_600_000 });
    await zombie.said("begun");
    zombie.process.kill("SIGSTOP");
    farm.worker({ name: "other", taskMs: 5 });
    await farm.until(allDone);
    zombie.process.kill("SIGCONT");
    expect(await zombie.said("aborted")).toBe(`aborted ${created!.id} lease_lost`);
    expect(await farm.rows()).toMatchObject([{ status: "succeeded", attempt: 2, result: { by: "other" } }]);
    expect(farm.effects().get(created!.id)).toEqual(["zombie 1", "other 2"]);
  });
});

describe("a worker process that is told to end", () => {
  it("finishes what it can and exits 0; what takes longer begins elsewhere at once, and its attempt does not count", async () => {
    const [created] = await farm.create(1, { leaseMs: 3_600_000, maxAttempts: 1 });
    const leaving = farm.worker({ name: "leaving", taskMs: 3_600_000, graceMs: 50 });
    await leaving.said("begun");
    farm.worker({ name: "staying" });
    leaving.process.kill("SIGTERM");
    expect(await leaving.ended).toMatchObject({ code: 0 });
    // The lease had an hour to go: only giving it back lets this happen within the test's time.
    const [row] = await farm.until(allDone);
    expect(row).toMatchObject({ attempt: 2, uncounted: 1, result: { by: "staying" } });
    expect(farm.effects().get(created!.id)).toEqual(["leaving 1", "staying 2"]);
  });

  it("hurries at the second signal, whatever its handlers do", async () => {
    await farm.scheduler.create({ type: "deaf", maxAttempts: 1 });
    const leaving = farm.worker({ graceMs: 3_600_000 });
    await leaving.said("deaf");
    leaving.process.kill("SIGTERM");
    leaving.process.kill("SIGINT");
    expect(await leaving.ended).toMatchObject({ code: 0 });
    expect(await farm.rows()).toMatchObject([{ status: "pending", attempt: 1, uncounted: 1 }]);
  });
});
