import { assertWithin, type Within } from "@sallyport/core/ports";
import type { Begin, Shared } from "@sallyport/sql";
import { busy } from "./connections.js";

/** A part of a work that several share. */
export interface Part {
  readonly shared: Shared<unknown, unknown>;
  readonly part: unknown;
}
export interface Job {
  readonly work: Begin<unknown> | Part;
  /** What it locks, as far as that is known. */
  readonly holds: readonly string[];
  readonly w: Within;
  /** When it no longer waits for a transaction. */
  readonly patientUntilMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface QueueOptions {
  /** Transactions at once. */
  readonly writers: number;
  /** Jobs that may wait, and for how long. */
  readonly maxWaiting: number;
  readonly waitMs: number;
}

/** Jobs of one transaction: bounds how long it holds its locks. */
const JOBS_AT_ONCE = 64;
const FEWEST_JOBS = 8;
const SWEEP_MS = 20;

/** Rejects a job whose caller no longer waits. */
export function isDue(job: Job): boolean {
  try {
    assertWithin(job.w, Date.now());
    return true;
  } catch (error) {
    job.reject(error);
    return false;
  }
}

/**
 * Writes that wait for a transaction. Two that lock the same row are never in two transactions of this process at once: one would only wait for the other on the server, and hold a
 * connection and its own locks meanwhile.
 */
export class WriteQueue {
  readonly #o: QueueOptions;
  readonly #held = new Set<string>();
  #waiting: Job[] = [];
  #watch: NodeJS.Timeout | null = null;

  constructor(o: QueueOptions) {
    this.#o = o;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Throws when too many wait. */
  add(job: Omit<Job, "patientUntilMs">): void {
    if (this.#waiting.length >= this.#o.maxWaiting) throw busy("Too many writes wait for the database.");
    this.#waiting.push({ ...job, patientUntilMs: Date.now() + this.#o.waitMs });
    this.#watch ??= setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** The jobs of a transaction, the oldest first; what they lock is theirs until they are `done`. Empty: nothing waits, or only what others hold. */
  next(): readonly Job[] {
    // Writers share what waits, but not so that each has next to nothing.
    const share = Math.min(JOBS_AT_ONCE, Math.max(FEWEST_JOBS, Math.ceil(this.#waiting.length / this.#o.writers)));
    const jobs: Job[] = [];
    const left: Job[] = [];
    const ours = new Set<string>();
    // A job that has to wait is not overtaken by one that locks the same.
    const passed = new Set<string>();
    for (const job of this.#waiting) {
      const fits = jobs.length < share || (jobs.length < JOBS_AT_ONCE && job.holds.some((name) => ours.has(name)));
      const isFree = fits && !job.holds.some((name) => this.#held.has(name) || passed.has(name));
      (isFree ? jobs : left).push(job);
      for (const name of job.holds) (isFree ? ours : passed).add(name);
    }
    this.#waiting = left;
    for (const name of ours) this.#held.add(name);
    return jobs;
  }

  done(jobs: readonly Job[]): void {
    for (const { holds } of jobs) for (const name of holds) this.#held.delete(name);
  }

  /** Jobs that waited long enough, or whose caller went, are told so. */
  #sweep(): void {
    const nowMs = Date.now();
    this.#waiting = this.#waiting.filter((job) => {
      if (!isDue(job)) return false;
      if (nowMs < job.patientUntilMs) return true;
      job.reject(busy("The database did not get to the write in time."));
      return false;
    });
    if (this.#waiting.length > 0 || this.#watch === null) return;
    clearInterval(this.#watch);
    this.#watch = null;
  }

  close(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
  }
}
