import type { HttpAnswer } from "../../calls/index.js";
import type { StoredResponseRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { CommitQueue } from "../../ports/commit-queue.js";
import { LeaseKeeper } from "../../ports/lease-keeper.js";
import type { Clock } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { BackgroundJob } from "./background-job.js";
import type { Own } from "./own-response.js";
import type { NewResponse, ResponseRecords } from "./records.js";

export interface BackgroundOptions {
  readonly records: ResponseRecords;
  readonly onNews: (id: string) => void;
  /** How long a process may be silent before its responses count as lost, ms. */
  readonly leaseMs: number;
}
export interface BackgroundStart {
  readonly row: Omit<NewResponse, "holder" | "leaseMs">;
  readonly own: Own;
  /** Makes the call; its signal is the job's, not that of who asked. */
  readonly call: (signal: AbortSignal) => Promise<HttpAnswer>;
}

/** A call that is refused within this time is refused to who asked; one that fails later fails the response. */
const REFUSED_WITHIN_MS = 1_000;

interface Running {
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/** The responses that this process makes in the background. They are lost with the process; whoever asks for one then is told that it failed. */
export class BackgroundResponses {
  readonly #services: Services;
  readonly #o: BackgroundOptions;
  readonly #queue: CommitQueue;
  readonly #leases: LeaseKeeper;
  readonly #running = new Map<string, Running>();
  #closed = false;

  constructor(services: Services, options: BackgroundOptions) {
    this.#services = services;
    this.#o = options;
    this.#queue = new CommitQueue({ store: services.store, clock: services.clock });
    this.#leases = new LeaseKeeper({ queue: this.#queue, clock: services.clock });
  }

  isHere(id: string): boolean {
    return this.#running.has(id);
  }

  /**
   * Keeps the response and begins to make it. The answer's headers, when it has begun by then.
   * Errors: `shutting_down`, those of the store, and those that the call is refused with at once; then nothing is kept.
   */
  async start(o: BackgroundStart): Promise<HttpAnswer["headers"]> {
    if (this.#closed) throw closing();
    const { records, leaseMs } = this.#o;
    const { clock, nodeId } = this.#services;
    const sinceMs = clock.monotonic();
    const row = await records.insert({ ...o.row, holder: nodeId, leaseMs }, []);
    if (this.#closed) {
      await records.remove(row);
      throw closing();
    }
    const controller = new AbortController();
    const job = new BackgroundJob({
      ...{ queue: this.#queue, clock, records, row, own: o.own, nodeId, leaseMs, controller },
      onNews: () => this.#o.onNews(row.id),
    });
    const lease = this.#leases.hold(
      { id: row.id, leaseMs, renewal: () => job.renewal(), onLost: (error) => controller.abort(error) },
      sinceMs,
    );
    // From here on: who closes waits for it, also before it is known whether the call is refused.
    const over = this.#run(row.id, controller);
    const answer = o.call(controller.signal);
    const early = await settledWithin(answer, clock, REFUSED_WITHIN_MS);
    if (early instanceof Error) {
      lease.release();
      await records.remove(row).finally(over);
      throw early;
    }
    void job.run(answer).finally(() => {
      lease.release();
      over();
    });
    return early?.headers ?? [];
  }

  /** Notes a response as one that is made here; gives what ends that. */
  #run(id: string, controller: AbortController): () => void {
    let settle = (): void => undefined;
    this.#running.set(id, { controller, done: new Promise((resolve) => (settle = resolve)) });
    return () => {
      this.#running.delete(id);
      settle();
    };
  }

  /** Somebody has ended the response: stops making it. */
  stop(row: Pick<StoredResponseRow, "id">): void {
    this.#running.get(row.id)?.controller.abort(new GatewayError("cancelled", "The response was cancelled."));
  }

  /** Begins no more, and fails what is still being made when the grace is over. Idempotent. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    const running = [...this.#running.values()];
    const all = Promise.all(running.map(({ done }) => done));
    await settledWithin(all, this.#services.clock, graceMs);
    const why = new GatewayError("shutting_down", "The gateway that made it was closed before it was done.");
    for (const { controller } of running) controller.abort(why);
    await all;
  }
}

function closing(): GatewayError {
  return new GatewayError("shutting_down", "The gateway is closing.");
}

/** What the promise gives, the error that it fails with, or null when it takes longer. */
function settledWithin<T>(promise: Promise<T>, clock: Clock, ms: number): Promise<T | Error | null> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now() + ms, () => resolve(null));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        resolve(GatewayError.from(error));
      },
    );
  });
}
