import { sqlite } from "@sallyport/adapters-sqlite";
import { allEntities } from "../../src/entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryWakeup } from "../../src/memory/index.js";
import { clock } from "../../src/platform/system-clock.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { createSeams, EventHub } from "../../src/seams/index.js";
import { TaskScheduler } from "../../src/tasks/task-scheduler.js";
import { Log } from "../../src/util/log.js";
import { crash, crashing, effect, type CrashPoint } from "./crash-points.js";
import { Redactor } from "../../src/secrets/redactor.js";

// A worker process. It may be killed at any moment, and may kill itself at a point that it is told.

export interface TaskWorkerOptions {
  readonly name: string;
  readonly database: string;
  readonly effects: string;
  readonly leaseMs: number;
  readonly concurrency: number;
  readonly taskMs: number;
  /** In its store, or around its handler's effect. */
  readonly dies: CrashPoint | null;
  readonly graceMs: number;
}

const o = JSON.parse(process.argv[2] ?? "") as TaskWorkerOptions;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const store = await crashing(sqlite(o.database), o.dies).open({ entities: allEntities });
const scheduler = new TaskScheduler(
  {
    store,
    clock,
    crypto,
    wakeup: memoryWakeup(),
    bus: memoryBus(),
    cache: memoryCache(),
    counters: memoryCounters(),
    redactor: new Redactor(),
    events: new EventHub(),
    seams: createSeams(),
    nodeId: o.name,
    log: new Log("warn", (level, message, fields) => say(`${level} ${message} ${JSON.stringify(fields)}`)),
  },
  { leaseMs: o.leaseMs, pollMs: 100 },
);

let effects = 0;
const dies = (moment: CrashPoint["moment"]): boolean => o.dies?.at === "effect" && o.dies.moment === moment && o.dies.nth === effects;
scheduler.handle(
  "work",
  async ({ task, signal, idempotencyKey }) => {
    effects++;
    if (dies("before")) return crash();
    effect(o.effects, `${idempotencyKey} ${o.name} ${task.attempt}`);
    if (dies("after")) return crash();
    say(`begun ${task.id}`);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, o.taskMs);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        say(`aborted ${task.id} ${(signal.reason as { code?: string }).code ?? ""}`);
        reject(signal.reason as Error);
      });
    });
    return { by: o.name };
  },
  { concurrency: o.concurrency },
);
scheduler.handle("poison", () => crash());
scheduler.handle("deaf", () => {
  say("deaf");
  return new Promise(() => undefined);
});

// As a host does it: the first signal drains, the second one hurries.
let signals = 0;
const stop = async (): Promise<void> => {
  await scheduler.close({ graceMs: ++signals === 1 ? o.graceMs : 0 });
  await store.close();
  process.exit(0);
};
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
scheduler.start();
// What the embedding program is otherwise: something that keeps the process alive.
setInterval(() => undefined, 1 << 30);
say("ready");
