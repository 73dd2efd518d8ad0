import type { VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Services } from "../../seams/index.js";
import type { ObjectKind, ObjectRecords } from "./object-records.js";
import { LEASE_MS } from "./own-batch.js";

/** How often the store is asked for jobs that nobody told us of: those of processes that ended. */
const EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 600_000;
const VIDEOS_AT_ONCE = 16;
const BATCHES_AT_ONCE = 2;

export interface JobFollowerOptions {
  readonly records: ObjectRecords;
  /** Never rejects. */
  readonly video: (row: VendorObjectRow, signal: AbortSignal) => Promise<void>;
  readonly batch: (row: VendorObjectRow, signal: AbortSignal) => Promise<void>;
}

/** Takes films and batches that are due and goes on with them, whichever process began them. Keeps no state of a job: what ends with the process is taken by another. */
export class JobFollower {
  readonly #services: Services;
  readonly #o: JobFollowerOptions;
  readonly #stop = new AbortController();
  readonly #under = new Set<Promise<void>>();
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #batches = 0;
  #videos = 0;
  #isLooking = false;
  #isWorking = false;
  /** Something came due while the last look was under way. */
  #isKicked = false;
  #cancelTimer: () => void = () => undefined;

  constructor(services: Services, options: JobFollowerOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** From now on. Idempotent. */
  work(): void {
    if (this.#isWorking || this.#stop.signal.aborted) return;
    this.#isWorking = true;
    this.#schedule(0);
  }

  /** Something is due now. */
  kick(): void {
    this.#isKicked = true;
    if (this.#isWorking) this.#schedule(0);
  }

  /** Gives back what is under way. */
  async close(): Promise<void> {
    this.#isWorking = false;
    this.#cancelTimer();
    this.#stop.abort(new GatewayError("shutting_down", "The gateway is closing."));
    await Promise.allSettled(this.#under);
  }

  #schedule(inMs: number): void {
    const { clock } = this.#services;
    this.#cancelTimer();
    this.#cancelTimer = clock.at(clock.now() + inMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isLooking || !this.#isWorking) return;
    this.#isLooking = true;
    this.#isKicked = false;
    try {
      if (this.#services.clock.now() - this.#sweptAtMs > SWEEP_EVERY_MS) {
        this.#sweptAtMs = this.#services.clock.now();
        await this.#o.records.sweep();
      }
      await this.#take("video", VIDEOS_AT_ONCE - this.#videos);
      await this.#take("batch", BATCHES_AT_ONCE - this.#batches);
    } catch (error) {
      this.#services.log.warn("jobs could not be looked for", { code: GatewayError.from(error).code });
    } finally {
      this.#isLooking = false;
      if (this.#isWorking) this.#schedule(this.#isKicked ? 0 : EVERY_MS);
    }
  }

  async #take(kind: Exclude<ObjectKind, "file">, limit: number): Promise<void> {
    if (limit < 1) return;
    const rows = await this.#o.records.take(kind, { limit, leaseMs: kind === "video" ? 2 * LEASE_MS : LEASE_MS });
    for (const row of rows) {
      const work = (kind === "video" ? this.#video(row) : this.#batch(row)).finally(() => this.#under.delete(work));
      this.#under.add(work);
    }
  }

  async #video(row: VendorObjectRow): Promise<void> {
    this.#videos++;
    await this.#o.video(row, this.#stop.signal);
    this.#videos--;
  }

  async #batch(row: VendorObjectRow): Promise<void> {
    this.#batches++;
    try {
      await this.#o.batch(row, this.#stop.signal);
      this.kick();
    } catch (error) {
      const known = GatewayError.from(error);
      if (this.#stop.signal.aborted) await this.#giveBack(row);
      else if (known.code !== "lease_lost")
        this.#services.log.warn("a batch could not be gone on with", {
          batchId: row.id,
          code: known.code,
          message: known.message.slice(0, 200),
        });
    } finally {
      this.#batches--;
    }
  }

  /** So that another process need not wait for the lease to pass. */
  async #giveBack(row: VendorObjectRow): Promise<void> {
    const set = { readyAtMs: this.#services.clock.now() };
    await this.#o.records.change(row, { set }, { where: { attempt: row.attempt } }).catch(() => null);
  }
}
