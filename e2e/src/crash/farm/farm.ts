import { rmSync } from "node:fs";
import type { Gateway } from "@sallyport/core";
import { checkTasks } from "../check/check-tasks.js";
import type { Recorded } from "../check/recorded.js";
import { gatewayOf, storageAt } from "../worker/gateway-of.js";
import { mutated } from "../worker/mutants.js";
import type { WorkerOptions } from "../worker/worker-options.js";
import { bundled } from "../../bundled.js";
import { startChild, type Child } from "./child.js";
import { historyTables, readHistory, readTasks } from "./history.js";
import type { Place } from "./places.js";
import { Producer } from "./producer.js";
import { Recoveries } from "./recoveries.js";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ENDED = "('succeeded', 'failed', 'cancelled')";

/** A producer in this process, workers in theirs, one store, and what is needed to say afterwards whether all was well. */
export class Farm {
  readonly place: Place;
  readonly gateway: Gateway;
  readonly producer: Producer;
  readonly recoveries: Recoveries;
  /** Those that were not killed by `kill`. */
  readonly workers = new Set<Child>();
  readonly #file: string;
  readonly #over: Partial<WorkerOptions>;
  readonly #all: Child[] = [];

  private constructor(o: {
    readonly place: Place;
    readonly gateway: Gateway;
    readonly file: string;
    readonly over: Partial<WorkerOptions>;
  }) {
    this.place = o.place;
    this.gateway = o.gateway;
    this.#file = o.file;
    this.#over = o.over;
    this.producer = new Producer(o.gateway);
    this.recoveries = new Recoveries(o.place, this.producer);
  }

  /** `mutant`: of this process's own store. */
  static async start(
    place: Place,
    o: { readonly over?: Partial<WorkerOptions>; readonly mutant?: string; readonly at?: Place["at"] } = {},
  ): Promise<Farm> {
    const file = await bundled(new URL("../worker/crash-worker.ts", import.meta.url));
    // Before anybody has prepared a statement: MariaDB 10.11 dies of a trigger that is made beneath one.
    await storageAt(place.at).migrate();
    await place.run(historyTables(place.kind));
    const gateway = gatewayOf(mutated(storageAt(o.at ?? place.at), o.mutant ?? null), { redis: place.redisUrl });
    await gateway.start();
    return new Farm({ place, gateway, file, over: o.over ?? {} });
  }

  worker(over: Partial<WorkerOptions> = {}): Child {
    const { place } = this;
    const child = startChild(this.#file, {
      ...{ name: `worker_${this.#all.length}`, store: place.at, redis: place.redisUrl, sink: place.sink },
      ...{ concurrency: 8, taskMs: 20, graceMs: 10_000, dies: null, mutant: null, skewMs: 0, serves: false },
      ...this.#over,
      ...over,
    } satisfies WorkerOptions);
    this.#all.push(child);
    this.workers.add(child);
    void child.ended.then(() => this.workers.delete(child));
    return child;
  }

  /** What every worker so far has printed. */
  lines(): string[] {
    return this.#all.flatMap(({ lines }) => lines);
  }

  /** Resolves when all accepted tasks have ended; rejects when that takes longer than `withinMs`. */
  async settled(withinMs = 120_000): Promise<void> {
    const untilMs = Date.now() + withinMs;
    for (;;) {
      const [[open = ""] = []] = await this.place.rows(`select count(*) from tasks where status not in ${ENDED}`);
      if (open === "0") return;
      if (Date.now() > untilMs)
        throw new Error(`${open} tasks have not ended after ${withinMs} ms:\n${this.lines().slice(-20).join("\n")}`);
      await pause(100);
    }
  }

  /** Resolves when a task that is asked for now has ended: work goes on. */
  async works(): Promise<void> {
    const probe = await this.producer.create();
    for (;;) {
      const [[open = ""] = []] = await this.place.rows(`select count(*) from tasks where id = '${probe?.id}' and status in ${ENDED}`);
      if (open === "1") return;
      await pause(50);
    }
  }

  /** Ends the workers and gives what was recorded. */
  async recorded(): Promise<Recorded> {
    for (const worker of this.workers) await worker.kill();
    const { accepted, unknown } = this.producer;
    return { accepted, unknown, rows: await readTasks(this.place), history: await readHistory(this.place), seen: this.place.seen() };
  }

  /**
   * What was promised and not kept. `frozenMs`: so long a worker was frozen, perhaps in the middle of a transaction of SQLite, which kept everybody else from writing and counts as of its
   * beginning.
   */
  async faults(o: { readonly frozenMs?: number } = {}): Promise<string[]> {
    const slackMs = this.place.kind === "sqlite" ? 1000 + (o.frozenMs ?? 0) : 5;
    return checkTasks(await this.recorded(), { slackMs, maxAttempts: null });
  }

  async close(): Promise<void> {
    for (const child of this.#all) await child.kill();
    await this.gateway.close({ graceMs: 0 });
    rmSync(this.#file, { force: true });
    await this.place.dispose();
  }
}
