import { assertWithin, GatewayError, type Within } from "@sallyport/core/ports";
import { NotForeseen, type Begin, type Shared, type SqlDriver } from "@sallyport/sql";
import type { Connections } from "./connections.js";
import { commitUnknown, driverError, isAnswer, isConflict, isGone, toGatewayError, unavailable } from "../mysql-errors.js";
import type { Session } from "./session.js";
import { isDue, WriteQueue, type Job, type QueueOptions } from "./write-queue.js";

export interface DriverOptions extends QueueOptions {
  readonly connections: Connections;
  /** What a transaction begins with. */
  readonly begin: readonly string[];
  /** Distinguishes the migrations of several prefixes in one database. */
  readonly prefix: string;
  /** Ends what the driver alone uses. */
  readonly end: () => Promise<void>;
}

/** A connection that was closed while it was idle shows when it is used; the next is new. */
const RECONNECTS = 3;
const LONGEST_PAUSE_MS = 50;
/** How often jobs that are in the way of other transactions are tried together, before fewer are. */
const TRIES_TOGETHER = 4;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Longer from try to try, and never two processes in step. */
const pauseMs = (attempt: number): number => Math.min(LONGEST_PAUSE_MS, 2 ** attempt) * (0.5 + Math.random() / 2);

/** The connection was lost before anything could be kept. */
const isLost = (error: unknown): boolean => driverError(error) !== null && (!isAnswer(error) || isGone(error));

/** What a caller learns of what was not done: its deadline, if that is over by now. */
function refusal(error: unknown, w: Within): GatewayError {
  const known = toGatewayError(error, "none");
  if (known.code !== "store_unavailable" || Date.now() < w.deadlineMs) return known;
  return new GatewayError("deadline_exceeded", `The deadline passed: ${known.message}`, {
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    details: { ...known.details, outcome: "none" },
    cause: error,
  });
}

/**
 * Transactions on several connections at once. Writes that are asked while all writers are at work share the next transaction: it costs one begin and one commit.
 */
export class MysqlDriver implements SqlDriver {
  readonly #o: DriverOptions;
  readonly #queue: WriteQueue;
  #writers = 0;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  constructor(o: DriverOptions) {
    this.#o = o;
    this.#queue = new WriteQueue(o);
  }

  read<T>(begin: Begin<T>, w: Within): Promise<T> {
    return this.#underway(this.#read(begin, w));
  }

  write<T>(begin: Begin<T>, w: Within): Promise<T> {
    return this.#enqueue(begin, [], w) as Promise<T>;
  }

  writeShared<P, T>(shared: Shared<P, T>, part: P, w: Within): Promise<T> {
    return this.#enqueue({ shared: shared as Shared<unknown, unknown>, part }, shared.holds(part), w) as Promise<T>;
  }

  exclusively<T>(begin: Begin<T>, w: Within): Promise<T> {
    return this.#underway(this.#exclusively(begin, w));
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay]);
      this.#queue.close();
      await this.#o.end();
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

  #underway<T>(promise: Promise<T>): Promise<T> {
    const settled = promise.then(
      () => void this.#underWay.delete(settled),
      () => void this.#underWay.delete(settled),
    );
    this.#underWay.add(settled);
    return promise;
  }

  #enqueue(work: Job["work"], holds: readonly string[], w: Within): Promise<unknown> {
    return this.#underway(
      new Promise((resolve, reject) => {
        this.#assertOpen();
        assertWithin(w, Date.now());
        this.#queue.add({ work, holds, w, resolve, reject });
        if (this.#writers < this.#o.writers) void this.#writer();
      }),
    );
  }

  async #read<T>(begin: Begin<T>, w: Within): Promise<T> {
    this.#assertOpen();
    for (let attempt = 0; ; attempt++) {
      assertWithin(w, Date.now());
      try {
        return await this.#abortable(this.#readOnce(begin, w), w);
      } catch (error) {
        if (!isConflict(error) && !(isLost(error) && attempt < RECONNECTS)) throw refusal(error, w);
        await pause(pauseMs(attempt));
      }
    }
  }

  async #readOnce<T>(begin: Begin<T>, w: Within): Promise<T> {
    const session = await this.#o.connections.acquire(w.deadlineMs);
    try {
      return await session.complete(begin(Date.now()));
    } catch (error) {
      this.#dropIfGone(session, error);
      throw error;
    } finally {
      this.#o.connections.release(session);
    }
  }

  /** An aborted caller does not wait; its connection comes back when the statement has ended, by its deadline. */
  #abortable<T>(promise: Promise<T>, { signal }: Within): Promise<T> {
    if (signal === undefined) return promise;
    return new Promise<T>((resolve, reject) => {
      const abort = (): void => reject(new GatewayError("cancelled", "The call was cancelled.", { details: { outcome: "none" } }));
      signal.addEventListener("abort", abort, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }

  #dropIfGone(session: Session, error: unknown): void {
    if (isGone(error)) session.break(error as Error);
  }

  async #writer(): Promise<void> {
    this.#writers++;
    // Gathers what this turn of the event loop still asks.
    await new Promise((resolve) => setImmediate(resolve));
    for (let jobs = this.#queue.next(); jobs.length > 0; jobs = this.#queue.next()) {
      if (!this.#queue.isEmpty && this.#writers < this.#o.writers) void this.#writer();
      await this.#writeBatch(jobs);
      this.#queue.done(jobs);
    }
    this.#writers--;
  }

  /** Settles every job. */
  async #writeBatch(batch: readonly Job[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const jobs = batch.filter(isDue);
      if (jobs.length === 0) return;
      batch = jobs;
      const error = await this.#transaction(jobs);
      if (error === null) return;
      if (error instanceof NotForeseen) continue;
      if (isConflict(error) || (isLost(error) && attempt < RECONNECTS)) {
        await pause(pauseMs(attempt));
        if (attempt < TRIES_TOGETHER || jobs.length === 1 || isLost(error)) continue;
      } else if (jobs.length === 1 || isLost(error) || GatewayError.is(error, "store_unavailable")) {
        for (const job of jobs) job.reject(refusal(error, job.w));
        return;
      }
      // Fewer, so that in the end only the one at fault fails, and each holds few locks.
      const half = Math.ceil(jobs.length / 2);
      await this.#writeBatch(jobs.slice(0, half));
      await this.#writeBatch(jobs.slice(half));
      return;
    }
  }

  /** All jobs in one transaction. Gives what went wrong when nothing was kept, and null when all are settled. */
  async #transaction(jobs: readonly Job[]): Promise<unknown> {
    let session: Session;
    try {
      session = await this.#o.connections.acquire(Math.min(...jobs.map(({ w }) => w.deadlineMs)));
    } catch (error) {
      return error;
    }
    try {
      const results = await this.#work(session, jobs);
      const unknown = await this.#commit(session);
      jobs.forEach((job, i) => (unknown === null ? job.resolve(results[i]) : job.reject(unknown)));
      return null;
    } catch (error) {
      this.#dropIfGone(session, error);
      return error;
    } finally {
      this.#o.connections.release(session);
    }
  }

  /** Throws with nothing kept. */
  async #work(session: Session, jobs: readonly Job[]): Promise<unknown[]> {
    try {
      for (const text of this.#o.begin) await session.text(text);
      const results: unknown[] = [];
      while (results.length < jobs.length) results.push(...(await this.#next(session, jobs.slice(results.length))));
      return results;
    } catch (error) {
      // What cannot be rolled back is destroyed, and the server rolls it back.
      if (!session.isBroken) await session.text("rollback").catch((failed: Error) => session.break(failed));
      throw error;
    }
  }

  /** The results of the first job, and of those after it that share its work. */
  async #next(session: Session, jobs: readonly Job[]): Promise<readonly unknown[]> {
    const { work } = jobs[0] as Job;
    if (typeof work === "function") return [await session.complete(work(Date.now()))];
    const parts: unknown[] = [];
    for (const job of jobs) {
      if (typeof job.work === "function" || job.work.shared !== work.shared) break;
      parts.push(job.work.part);
    }
    return session.complete(work.shared.begin(Date.now(), parts));
  }

  /** null: it was kept. An error to give: nobody knows. Throws when it was not. */
  async #commit(session: Session): Promise<GatewayError | null> {
    try {
      await session.text("commit");
      return null;
    } catch (error) {
      if (isAnswer(error) && isConflict(error)) throw error;
      session.break(error as Error);
      return commitUnknown(error);
    }
  }

  async #exclusively<T>(begin: Begin<T>, w: Within): Promise<T> {
    this.#assertOpen();
    assertWithin(w, Date.now());
    // Tables take as long to change as they take.
    const session = await this.#o.connections.acquire(w.deadlineMs, w.deadlineMs - Date.now());
    try {
      const seconds = Math.max(1, Math.floor((w.deadlineMs - Date.now()) / 1000));
      const name = `sallyport ${this.#o.prefix} `;
      const lock = { sql: "select get_lock(left(concat(?, database()), 64), ?)", gives: "one" } as const;
      const { rows } = await session.run({ statement: lock, parameters: [name, seconds] });
      if (rows[0]?.[0] !== 1)
        throw unavailable("Another process migrates the database and did not end in time.", {
          outcome: "none",
          hint: "Wait for it, or look for one that hangs.",
        });
      try {
        return await session.complete(begin(Date.now()));
      } finally {
        const unlock = { sql: "select release_lock(left(concat(?, database()), 64))", gives: "one" } as const;
        if (!session.isBroken) await session.run({ statement: unlock, parameters: [name] });
      }
    } catch (error) {
      throw toGatewayError(error, "none");
    } finally {
      this.#o.connections.release(session);
    }
  }
}
