import { assertWithin, GatewayError, type Within } from "@sallyport/core/ports";
import type { Answer, Begin, SqlDriver, Work } from "@sallyport/sql";
import type Database from "libsql";
import { PreparedStatements } from "./prepared.js";
import { isBusy, toGatewayError } from "./sqlite-errors.js";

interface Job {
  readonly begin: Begin<unknown>;
  readonly w: Within;
  /** In a transaction of its own. */
  readonly alone: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A flush that took this long leaves the rest to the next turn of the event loop. */
const FLUSH_MS = 8;
const LONGEST_PAUSE_MS = 25;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function locked(): GatewayError {
  return new GatewayError("deadline_exceeded", "Another process held the database's lock until the deadline.", {
    hint: "Look for a program that keeps a transaction open on the file.",
    details: { outcome: "none" },
  });
}

/**
 * One connection, used synchronously. Writes that were asked in one turn of the event loop share a transaction: they cost one commit. A lock that another process holds is
 * waited for off the event loop.
 */
export class LibsqlDriver implements SqlDriver {
  readonly #db: Database.Database;
  readonly #now: () => number;
  readonly #statements: PreparedStatements;
  #waiting: Job[] = [];
  #flushing: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(db: Database.Database, now: () => number) {
    this.#db = db;
    this.#now = now;
    this.#statements = new PreparedStatements(db);
  }

  async read<T>(begin: Begin<T>, w: Within): Promise<T> {
    this.#assertOpen();
    for (let attempt = 0; ; attempt++) {
      assertWithin(w, this.#now());
      try {
        return this.#complete(begin(this.#now()));
      } catch (error) {
        if (!isBusy(error)) throw toGatewayError(error, "none");
        await this.#pause(attempt, w);
      }
    }
  }

  write<T>(begin: Begin<T>, w: Within): Promise<T> {
    return this.#enqueue(begin, w, false);
  }

  exclusively<T>(begin: Begin<T>, w: Within): Promise<T> {
    return this.#enqueue(begin, w, true);
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#flushing;
      this.#statements.forget();
      this.#writeBack();
      this.#db.close();
    })();
    return this.#closing;
  }

  #assertOpen(): void {
    if (this.#closing !== null)
      throw new GatewayError("store_unavailable", "The store is closed.", {
        hint: "Do not use a gateway after close().",
        details: { outcome: "none" },
      });
  }

  #enqueue<T>(begin: Begin<T>, w: Within, alone: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen();
      assertWithin(w, this.#now());
      this.#waiting.push({ begin, w, alone, resolve: resolve as (value: unknown) => void, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    for (let attempt = 0; this.#waiting.length > 0; ) {
      // Gathers what this turn of the event loop still asks.
      await new Promise((resolve) => setImmediate(resolve));
      const written = this.#writeSome();
      attempt = written ? 0 : attempt + 1;
      if (!written) await pause(this.#pauseMs(attempt));
    }
    this.#flushing = null;
  }

  /** One transaction with as many jobs as fit. False: the lock is held by another process, and all wait on. */
  #writeSome(): boolean {
    this.#waiting = this.#waiting.filter((job) => this.#isDue(job));
    const first = this.#waiting[0];
    if (first === undefined) return true;
    const batch = first.alone ? [first] : this.#waiting.slice(0, firstAlone(this.#waiting));
    let done: number;
    try {
      done = this.#writeBatch(batch);
    } catch (error) {
      if (isBusy(error)) return false;
      // One of several failed: each by itself, so that only the one at fault does.
      if (batch.length > 1) done = this.#writeEach(batch);
      else {
        first.reject(toGatewayError(error, "none"));
        done = 1;
      }
    }
    this.#waiting.splice(0, done);
    return done > 0;
  }

  /** Rejects a job whose caller no longer waits. */
  #isDue(job: Job): boolean {
    try {
      assertWithin(job.w, this.#now());
      return true;
    } catch (error) {
      job.reject(GatewayError.is(error, "deadline_exceeded") ? locked() : error);
      return false;
    }
  }

  /** Runs jobs from the front in one transaction and gives how many. Throws with nothing done. */
  #writeBatch(batch: readonly Job[]): number {
    const startedAt = performance.now();
    const results: unknown[] = [];
    this.#rollBack(); // what an earlier failure could not
    // Not prepared: a prepared "begin" that met a lock counts as a statement in progress, and no commit succeeds until it is collected.
    this.#db.exec("begin immediate");
    try {
      const nowMs = this.#now();
      for (const job of batch) {
        results.push(this.#complete(job.begin(nowMs)));
        if (performance.now() - startedAt > FLUSH_MS) break;
      }
    } catch (error) {
      this.#rollBack();
      throw error;
    }
    try {
      this.#db.exec("commit");
    } catch (error) {
      this.#rollBack();
      const unknown = toGatewayError(error, "unknown");
      results.forEach((_, i) => batch[i]?.reject(unknown));
      return results.length;
    }
    results.forEach((result, i) => batch[i]?.resolve(result));
    return results.length;
  }

  #writeEach(batch: readonly Job[]): number {
    let done = 0;
    for (const job of batch) {
      try {
        this.#writeBatch([job]);
      } catch (error) {
        if (isBusy(error)) break;
        job.reject(toGatewayError(error, "none"));
      }
      done++;
    }
    return done;
  }

  /** Moves the write-ahead log into the file, so that the file alone is the whole database. Somebody who reads it now may keep that from being done. */
  #writeBack(): void {
    try {
      this.#db.pragma("wal_checkpoint(truncate)");
    } catch {
      // The next connection does it.
    }
  }

  /** SQLite rolls back by itself after some errors. */
  #rollBack(): void {
    if (this.#db.inTransaction) this.#db.exec("rollback");
  }

  #complete<T>(work: Work<T>): T {
    let step = work.next();
    while (step.done !== true) {
      let answer: Answer;
      try {
        answer = this.#statements.run(step.value);
      } catch (error) {
        work.return(undefined as T);
        throw error;
      }
      step = work.next(answer);
    }
    return step.value;
  }

  /** Longer from try to try, and never two processes in step. */
  #pauseMs(attempt: number): number {
    return Math.min(LONGEST_PAUSE_MS, 2 ** attempt) * (0.5 + Math.random() / 2);
  }

  async #pause(attempt: number, w: Within): Promise<void> {
    await pause(this.#pauseMs(attempt));
    if (this.#now() > w.deadlineMs) throw locked();
    this.#assertOpen();
  }
}

function firstAlone(jobs: readonly Job[]): number {
  const at = jobs.findIndex((job) => job.alone);
  return at < 0 ? jobs.length : at;
}
