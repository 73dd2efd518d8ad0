/** Where a process keeps its rows. */
export type StoreAt = { readonly sqlite: string } | { readonly mysql: string };

/**
 * Where a process kills itself: before or after its nth write of a kind. `take`; a status that a task gets (`succeeded`); `renewal`; `usage`: a usage row; `effect`: what a handler does in the
 * world outside; `accept`: the insert of a task.
 */
export interface CrashPoint {
  readonly at: string;
  readonly moment: "before" | "after";
  readonly nth: number;
}

export interface WorkerOptions {
  readonly name: string;
  readonly store: StoreAt;
  readonly redis: string | null;
  /** The file that effects go to. */
  readonly sink: string;
  readonly concurrency: number;
  readonly taskMs: number;
  readonly graceMs: number;
  readonly dies: CrashPoint | null;
  /** The store is wrong on purpose: a name of `mutants`. */
  readonly mutant: string | null;
  /** This process's clock is so much ahead. */
  readonly skewMs: number;
  /** Serves HTTP with a vendor that takes `taskMs` for an answer. */
  readonly serves: boolean;
}

export const OWNER_KEY = "crash-owner-key-5e0c7a94b1d34f68-only-on-loopback";
