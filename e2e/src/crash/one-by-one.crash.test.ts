import { afterEach, describe, expect, it } from "vitest";
import { Farm } from "./farm/farm.js";
import { onMariadb, onSqlite } from "./farm/every-place.js";
import { dose } from "./farm/faults.js";
import { healsWithinMs } from "./farm/healed.js";

let farm: Farm;
afterEach(() => farm.close());
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([onSqlite, ...onMariadb])("tasks of a kind, on $name", ({ open }) => {
  it("F19: one that kills whoever runs it becomes a dead letter, and the others are done", async () => {
    farm = await Farm.start(await open());
    const poison = await farm.producer.create({ type: "poison", ends: "dead", maxAttempts: 2, priority: 10 });
    for (let i = 0; i < 30; i++) await farm.producer.create({ maxAttempts: 10 });
    let deaths = 0;
    // Each time it dies it is started again, as a supervisor does.
    for (;;) {
      const { signal } = await Promise.race([farm.worker().ended, farm.settled().then(() => ({ signal: null }))]);
      if (signal !== "SIGKILL") break;
      deaths++;
    }
    expect(deaths).toBe(2);
    const { rows } = await farm.recorded();
    expect(await farm.faults()).toEqual([]);
    expect(rows.find(({ id }) => id === poison?.id)).toMatchObject({ status: "failed", deadLetter: true });
  });

  it("F22: a parent that dies with its children running has each child once", async () => {
    farm = await Farm.start(await open());
    const parent = await farm.producer.create({ payload: { children: 5 } });
    // Some of the children stand, some do not, when it dies: at the third creation of a task.
    const first = farm.worker({ name: "first", dies: { at: "accept", moment: "after", nth: 3 } });
    expect(await first.ended).toMatchObject({ signal: "SIGKILL" });
    farm.worker({ name: "second" });
    await farm.settled();
    const recorded = await farm.recorded();
    const children = recorded.rows.filter(({ key }) => key?.startsWith(`${parent?.id}:`));
    expect(children.map(({ key }) => key).sort()).toEqual(Array.from({ length: 5 }, (_, i) => `${parent?.id}:${i}`));
    expect(await farm.faults()).toEqual([]);
  });

  it("F12: many processes' worth of creations with one key at once are one task, and each hears of it", async () => {
    farm = await Farm.start(await open());
    const create = () => farm.gateway.tasks.create({ type: "work", payload: { same: true }, idempotencyKey: "one", leaseMs: 1500 });
    const made = await Promise.all(Array.from({ length: 64 }, create));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    await expect(farm.gateway.tasks.create({ type: "work", payload: { other: true }, idempotencyKey: "one" })).rejects.toMatchObject({
      code: "idempotency_key_reuse",
    });
    expect(await farm.place.rows("select count(*) from tasks")).toEqual([["1"]]);
  });

  it("F21: a cancel that races the end of a task: it ends once, as whoever was first has it", async () => {
    farm = await Farm.start(await open());
    const worker = farm.worker();
    await worker.said("ready");
    const ends: Promise<string>[] = [];
    // From ended at once to 625 ms: some ends meet their cancel, however busy this machine is.
    for (let i = 0; i < dose(60); i++) {
      const made = await farm.gateway.tasks.create({ type: "work", payload: { taskMs: (i % 6) ** 4 }, leaseMs: 1500 });
      const cancel = async (): Promise<string> => {
        await worker.said(`begun ${made.id}`);
        await pause(25);
        return `${made.id} ${(await farm.gateway.tasks.cancel(made.id)).status}`;
      };
      ends.push(cancel());
    }
    const told = await Promise.all(ends);
    await farm.settled();
    const { rows, history } = await farm.recorded();
    for (const { id, status } of rows) {
      const ended = history.filter(
        ({ task, from, to }) => task === id && from !== to && ["succeeded", "failed", "cancelled"].includes(to ?? ""),
      );
      expect(ended, id).toHaveLength(1);
      // Who heard an end heard the one that stands.
      const said = told.find((line) => line.startsWith(id))?.split(" ")[1];
      if (said !== "running") expect(said).toBe(status);
    }
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(["succeeded", "cancelled"]));
  });

  it("F23, F24: told to end it finishes what it can, gives back the rest, which begins elsewhere at once; told twice it hurries", async () => {
    farm = await Farm.start(await open());
    const long = await farm.producer.create({ payload: { firstMs: 3_600_000 }, leaseMs: 3_600_000, maxAttempts: 1 });
    const leaving = farm.worker({ name: "leaving", graceMs: 50 });
    await leaving.said(`begun ${long?.id}`);
    const staying = farm.worker({ name: "staying" });
    await staying.said("ready");
    leaving.process.kill("SIGTERM");
    expect(await leaving.ended).toMatchObject({ code: 0 });
    // The lease had an hour to go.
    await farm.settled(60_000);
    const deaf = await farm.gateway.tasks.create({ type: "deaf", maxAttempts: 1 });
    await staying.said(`deaf ${deaf.id}`);
    staying.process.kill("SIGTERM");
    await pause(100);
    const atMs = Date.now();
    staying.process.kill("SIGINT");
    expect(await staying.ended).toMatchObject({ code: 0 });
    expect(Date.now() - atMs).toBeLessThan(healsWithinMs());
    expect(await farm.gateway.tasks.get(deaf.id)).toMatchObject({ status: "pending", attempt: 1, uncounted: 1 });
    expect(await farm.gateway.tasks.get(long?.id ?? "")).toMatchObject({ status: "succeeded", attempt: 2, uncounted: 1 });
  });
});
