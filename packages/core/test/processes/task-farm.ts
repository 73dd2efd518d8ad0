import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { allEntities, task, type TaskRow } from "../../src/entities/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryWakeup } from "../../src/memory/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { clock } from "../../src/platform/system-clock.js";
import type { RecordStore } from "../../src/ports/index.js";
import { createSeams, EventHub } from "../../src/seams/index.js";
import { TaskScheduler } from "../../src/tasks/task-scheduler.js";
import type { TaskRequest } from "../../src/tasks/task-request.js";
import { Log } from "../../src/util/log.js";
import { startChild, type Child } from "./child-bundle.js";
import type { TaskWorkerOptions } from "./task-worker.js";
import { Redactor } from "../../src/secrets/redactor.js";

export interface TaskFarm {
  readonly scheduler: TaskScheduler;
  readonly children: ReadonlySet<Child>;
  worker(over?: Partial<TaskWorkerOptions>): Child;
  create(count: number, over?: Partial<TaskRequest>): Promise<TaskRow[]>;
  rows(): Promise<TaskRow[]>;
  /** The rows as soon as they are so. */
  until(holds: (all: readonly TaskRow[]) => boolean): Promise<TaskRow[]>;
  /** What handlers did in the world outside, by idempotency key, in order: the worker's name and the attempt. */
  effects(): Map<string, string[]>;
  close(): Promise<void>;
}

/** Long enough for a worker that waits for a processor to renew it. */
export const LEASE_MS = 2_000;

/** A SQLite file, a scheduler here that only creates tasks, and worker processes. */
export async function taskFarm(workerFile: string): Promise<TaskFarm> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-tasks-"));
  const [database, effectsFile] = [join(folder, "tasks.db"), join(folder, "effects")];
  const store = await sqlite(database).open({ entities: allEntities });
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
  const log = new Log("silent", () => undefined);
  const services = { ...ports, log, events: new EventHub(), seams: createSeams(), nodeId: "creator" };
  const scheduler = new TaskScheduler(services, { leaseMs: LEASE_MS });
  const children = new Set<Child>();

  const rows = () => rowsOf(store);
  return {
    scheduler,
    children,
    rows,
    worker(over = {}) {
      const options: TaskWorkerOptions = {
        ...{ name: `worker_${children.size}`, database, effects: effectsFile, leaseMs: LEASE_MS },
        ...{ concurrency: 4, taskMs: 5, dies: null, graceMs: 10_000 },
        ...over,
      };
      const child = startChild(workerFile, options);
      children.add(child);
      return child;
    },
    create: (count, over = {}) =>
      Promise.all(
        Array.from({ length: count }, (_, i) => scheduler.create({ type: "work", payload: i, maxAttempts: 20, backoffMs: 10, ...over })),
      ),
    async until(holds) {
      for (;;) {
        const all = await rows();
        if (holds(all)) return all;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    effects: () => effectsIn(effectsFile),
    async close() {
      for (const child of children) {
        child.process.kill("SIGKILL");
        await child.ended;
      }
      await scheduler.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function rowsOf(store: RecordStore): Promise<TaskRow[]> {
  const all: TaskRow[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = { orderBy: "id", limit: 1000, cursor } as const;
    const page = await store.find(task, query, { system: "a test looks" }, { deadlineMs: Date.now() + 10_000 });
    all.push(...page.rows);
    if (page.next === null) return all;
    cursor = page.next;
  }
}

function effectsIn(file: string): Map<string, string[]> {
  const byKey = new Map<string, string[]>();
  if (!existsSync(file)) return byKey;
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const key = line.slice(0, line.indexOf(" "));
    byKey.set(key, [...(byKey.get(key) ?? []), line.slice(key.length + 1)]);
  }
  return byKey;
}

export const allDone = (all: readonly TaskRow[]): boolean => all.every(({ status }) => status === "succeeded");
