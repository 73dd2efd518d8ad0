import type { Within } from "@sallyport/core/ports";

export type SqlValue = string | number | null;

/** One text of SQL. The same object stands for the same text, so that a driver keeps what it prepared by identity. */
export interface Statement {
  readonly sql: string;
  readonly gives: "nothing" | "one" | "many";
}
export interface Query {
  readonly statement: Statement;
  readonly parameters: readonly SqlValue[];
}
export interface Answer {
  /** Values by position. Empty for a statement that gives nothing. */
  readonly rows: readonly (readonly unknown[])[];
  /** Rows inserted, updated or deleted; of a statement that gives rows, their number. */
  readonly changes: number;
  /** A unique constraint was in the way, and the statement did nothing. */
  readonly taken: boolean;
  /** A foreign key was in the way, of a row that would refer to none or of one that is referred to, and the statement did nothing. */
  readonly orphan: boolean;
  /** What the statement told, where the dialect has `telling`; 0 or nothing: it told nothing. */
  readonly told?: number;
}

/** Queries one after the other, each answered before the next: written once, run by synchronous and asynchronous drivers. */
export type Work<T> = Generator<Query, T, Answer>;
/** `nowMs` is the process's clock at the start of the transaction; only for stores whose clock that is. May be begun again from the start. */
export type Begin<T> = (nowMs: number) => Work<T>;
/** Works that several callers ask at once, done as one, so that they share statements. */
export interface Shared<P, T> {
  /** One result a part, in their order. May be begun again from the start, with other parts. */
  begin(nowMs: number, parts: readonly P[]): Work<readonly T[]>;
  /** Names of what a part locks: two parts that hold the same would only wait for each other in transactions of their own. */
  holds(part: P): readonly string[];
}

/**
 * How a database is reached: the part that differs most. Errors of every method: `store_unavailable` with `details.outcome`, `deadline_exceeded`, `cancelled`,
 * `state_corrupt`, `misconfigured`; an error that the work throws goes to its caller.
 */
export interface SqlDriver {
  /** One statement, or several that need no common snapshot. */
  read<T>(begin: Begin<T>, w: Within): Promise<T>;
  /**
   * In one transaction, or in a common one with other works: each then sees those before it. Conflicts with other connections are waited for or tried again, whole,
   * within the deadline.
   */
  write<T>(begin: Begin<T>, w: Within): Promise<T>;
  /** As `write`, together with other parts that wait; a driver without it gets a `write` for each. */
  writeShared?<P, T>(shared: Shared<P, T>, part: P, w: Within): Promise<T>;
  /** For migrations: alone over all processes, and in one transaction where the database can change tables in one. */
  exclusively<T>(begin: Begin<T>, w: Within): Promise<T>;
  /** Waits for what is under way, then refuses. Idempotent. */
  close(): Promise<void>;
}
