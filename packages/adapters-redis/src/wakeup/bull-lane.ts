import type { Queue, Worker } from "bullmq";
import type { Clock } from "@sallyport/core/ports";
import type { KeySpace } from "../key-space.js";
import type { BullConnection } from "./bull-connection.js";

export interface LaneOptions {
  readonly connection: BullConnection;
  readonly name: string;
  readonly clock: Clock;
  readonly keys: KeySpace;
  /** There is nobody to say goodbye to. */
  readonly isAway: () => boolean;
}

/** BullMQ's lowest is 2^21, and lower comes first. */
const ORDINARY = 2 ** 20;
const LEAST_URGENT = 2 ** 21 - 1;
/** More are not kept: whoever listens polls as well. */
const MOST_WAITING = 100_000;
/** How often it is looked how many wait, in offers. */
const LOOK_EVERY = 500;
/** How long a worker may take to close when nothing of its own is under way. */
const CLOSE_MS = 1_000;
const NAME = "hint";

export class BullLane {
  readonly #o: LaneOptions;
  readonly #stops = new Set<() => Promise<void>>();
  #queue: Queue | null = null;
  #offered = 0;
  #isFull = false;

  constructor(options: LaneOptions) {
    this.#o = options;
  }

  async offer(id: string, { dueAtMs, priority }: { readonly dueAtMs: number; readonly priority: number }): Promise<void> {
    const queue = (this.#queue ??= this.#newQueue());
    if (this.#offered++ % LOOK_EVERY === 0) this.#look(queue);
    if (this.#isFull) return;
    const delay = Math.max(0, Math.ceil(dueAtMs - this.#o.clock.now()));
    await queue.add(NAME, id, {
      delay,
      priority: Math.min(LEAST_URGENT, Math.max(1, ORDINARY - Math.trunc(priority))),
      attempts: 1,
      removeOnComplete: true,
      removeOnFail: true,
      // What waits for one instant waits once. What is due is told again, since its last telling may have come too early; so is the same row with another instant.
      ...(delay > 0 ? { jobId: `${encodeURIComponent(id)}@${dueAtMs}` } : {}),
    });
  }

  listen(o: { readonly concurrency: number }, onId: (id: string) => Promise<void>): () => Promise<void> {
    const running = new Set<Promise<void>>();
    let isStopped = false;
    const tell = async (id: unknown): Promise<void> => {
      if (isStopped || typeof id !== "string") return;
      const run = onId(id).catch(() => undefined); // a hint that failed is a hint lost
      running.add(run);
      await run.finally(() => void running.delete(run));
    };
    const worker = this.#newWorker(o.concurrency, tell);
    const stop = async (): Promise<void> => {
      isStopped = true;
      this.#stops.delete(stop);
      const closed = worker.close().catch(() => undefined);
      await Promise.all(running);
      await this.#ended(closed);
    };
    this.#stops.add(stop);
    return stop;
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#stops].map((stop) => stop()));
    await this.#ended(this.#queue?.close().catch(() => undefined));
  }

  #settings() {
    const { connection, name, keys } = this.#o;
    return { prefix: keys.group("wakeup", encodeURIComponent(name)), connection: connection.shared };
  }

  #newQueue(): Queue {
    const queue = new this.#o.connection.bullmq.Queue("hints", { ...this.#settings(), streams: { events: { maxLen: 10 } } });
    queue.on("error", () => undefined);
    return queue;
  }

  #newWorker(concurrency: number, tell: (id: unknown) => Promise<void>): Worker {
    const worker = new this.#o.connection.bullmq.Worker("hints", (job) => tell(job.data), {
      ...this.#settings(),
      ...{ concurrency, drainDelay: 2, runRetryDelay: 500 },
    });
    worker.on("error", () => undefined);
    return worker;
  }

  #look(queue: Queue): void {
    queue.getJobCountByTypes("waiting", "prioritized", "delayed").then(
      (count) => (this.#isFull = count >= MOST_WAITING),
      () => undefined,
    );
  }

  /** It, or a while. */
  async #ended(closing: Promise<unknown> | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const waitMs = this.#o.isAway() ? 50 : CLOSE_MS;
    await Promise.race([closing, new Promise((resolve) => (timer = setTimeout(resolve, waitMs)))]);
    clearTimeout(timer);
  }
}
