import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RunEngine } from "../../src/agents/run-engine.js";
import { SYSTEM_CALLER } from "../../src/calls/index.js";
import { allEntities } from "../../src/entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryWakeup } from "../../src/memory/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { clock } from "../../src/platform/system-clock.js";
import type { RecordStore } from "../../src/ports/index.js";
import { createSeams, EventHub } from "../../src/seams/index.js";
import { Log } from "../../src/util/log.js";
import { collect } from "../scripted-seams.js";
import { bundled, startChild, type Child } from "./child-bundle.js";
import type { RunWorkerOptions } from "./run-worker.js";
import { Redactor } from "../../src/secrets/redactor.js";

let workerFile: string;
beforeAll(async () => {
  workerFile = await bundled("run-worker.ts");
});
afterAll(() => rmSync(workerFile, { force: true }));

let folder: string;
let store: RecordStore;
/** Only looks: it carries out nothing. */
let engine: RunEngine;
const children: Child[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-runs-"));
  store = await sqlite(join(folder, "runs.db")).open({ entities: allEntities });
  const log = new Log("silent", () => undefined);
  const ports = {
    store,
    clock,
    crypto,
    wakeup: memoryWakeup(),
    bus: memoryBus(),
    cache: memoryCache(),
    counters: memoryCounters(),
    redactor: new Redactor(),
  };
  engine = new RunEngine(
    { ...ports, log, events: new EventHub(), seams: createSeams(), nodeId: "reader" },
    { eventView: (event) => event },
  );
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.process.kill("SIGKILL");
    await child.ended;
  }
  await engine.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function worker(over: Partial<RunWorkerOptions> = {}): Child {
  const options: RunWorkerOptions = {
    ...{ name: `worker_${children.length}`, database: join(folder, "runs.db"), effects: join(folder, "effects") },
    ...{ leaseMs: 3_000, modelMs: 20, dies: null, starts: false },
    ...over,
  };
  const child = startChild(workerFile, options);
  children.push(child);
  return child;
}
const effects = () => readFileSync(join(folder, "effects"), "utf8").trim().split("\n");

describe("a process that is killed while it carries out a run", () => {
  it.each([
    { at: "model.done", moment: "after", nth: 1, ends: "succeeded" },
    { at: "tool.begun", moment: "before", nth: 2, ends: "succeeded" },
    { at: "tool.begun", moment: "after", nth: 2, ends: "failed" },
    { at: "tool.done", moment: "before", nth: 3, ends: "failed" },
    { at: "tool.done", moment: "after", nth: 3, ends: "succeeded" },
  ] as const)("$moment $at number $nth: another one goes on, makes no call twice, and the run has $ends", async (o) => {
    const dead = worker({ starts: true, dies: o });
    const id = (await dead.said("started")).slice("started ".length);
    // A reader that looks on from the start, through both processes.
    const reading = collect(engine.open(id, SYSTEM_CALLER));
    expect(await dead.ended).toMatchObject({ signal: "SIGKILL", errors: "" });
    worker();
    const events = await reading;
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1)!.type).toBe(`run.${o.ends}`);
    expect(await collect(engine.open(id, SYSTEM_CALLER))).toEqual(events);
    const row = await engine.get(id, SYSTEM_CALLER);
    const keys = effects().map((line) => line.split(" ")[0]!);
    expect(new Set(keys).size).toBe(keys.length);
    if (o.ends === "succeeded") {
      expect(row).toMatchObject({ status: "succeeded", text: "Paid thrice.", steps: 3, attempt: 2, holder: "worker_1" });
      expect(keys).toEqual([`${id}:1:a`, `${id}:1:b`, `${id}:2:a`]);
    } else expect(row).toMatchObject({ status: "failed", error: { code: "outcome_unknown", step: o.nth === 2 ? 1 : 2 } });
  });
});

describe("a process that is told to end while it carries out a run", () => {
  it("gives it back: another one goes on at once, though the lease has an hour to go", async () => {
    const leaving = worker({ starts: true, leaseMs: 3_600_000, modelMs: 3_600_000 });
    const id = (await leaving.said("started")).slice("started ".length);
    await leaving.said("last answer");
    worker({ leaseMs: 3_600_000 });
    leaving.process.kill("SIGTERM");
    expect(await leaving.ended).toMatchObject({ code: 0 });
    expect(await engine.open(id, SYSTEM_CALLER)).toMatchObject({ text: "Paid thrice." });
    expect(effects()).toEqual([`${id}:1:a worker_0`, `${id}:1:b worker_0`, `${id}:2:a worker_0`]);
  });
});

describe("a process that is frozen for longer than its lease", () => {
  it("has lost its run when it wakes up, and writes nothing more", async () => {
    const zombie = worker({ starts: true, modelMs: 8_000 });
    const id = (await zombie.said("started")).slice("started ".length);
    await zombie.said("last answer");
    zombie.process.kill("SIGSTOP");
    worker();
    await engine.open(id, SYSTEM_CALLER);
    const events = await collect(engine.open(id, SYSTEM_CALLER));
    zombie.process.kill("SIGCONT");
    await zombie.said("warn run: left to whichever process takes it next");
    expect(await collect(engine.open(id, SYSTEM_CALLER))).toEqual(events);
    expect(await engine.get(id, SYSTEM_CALLER)).toMatchObject({ status: "succeeded", attempt: 2, holder: "worker_1" });
  });
});
