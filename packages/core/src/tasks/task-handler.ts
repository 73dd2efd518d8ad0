import type { TaskRow } from "../entities/index.js";

/** What a handler is given: one attempt at one task. */
export interface TaskContext {
  /** The row as it was taken; `task.payload` is what `create` was given. */
  readonly task: TaskRow;
  /** 1 for the first attempt that counts. */
  readonly attempt: number;
  /**
   * Aborted when the task was cancelled (`reason.code` is `cancelled`), when its lease was lost to another worker (`lease_lost`: nothing that it does from now on counts), and when the grace of a
   * shutdown is over (`shutting_down`). Pass it on to whatever the handler waits for.
   */
  readonly signal: AbortSignal;
  /** The same for every attempt at this task: give it to whatever has effects, which may be attempted more than once. */
  readonly idempotencyKey: string;
  /**
   * Renews the lease at once and says whether it is still held. Not needed for work that waits: leases are renewed by themselves while the event loop is free.
   * Errors: `lease_lost`, `store_unavailable`.
   */
  heartbeat(): Promise<void>;
}

/**
 * Does the work of one type of task. What it returns is stored as the result: JSON up to 1 MiB, nothing is null. What it throws decides what comes next: a GatewayError that is not retryable (by the error
 * table) makes the task a dead letter at once; everything else is retried with backoff until `maxAttempts` are used up.
 */
export type TaskHandler = (context: TaskContext) => unknown;

export interface HandleOptions {
  /** Tasks of this type at the same time in this process; 10 when left out. */
  readonly concurrency?: number | undefined;
}
