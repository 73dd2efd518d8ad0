import { task, type TaskRow } from "../entities/index.js";
import { GatewayError, type ErrorCode } from "../errors/index.js";
import type { CommitQueue } from "../ports/commit-queue.js";
import { now, nowPlus, update, type Change, type Unit, type UnitResult } from "../ports/index.js";
import type { HeldLease, LeaseKeeper } from "../ports/lease-keeper.js";
import type { Services } from "../seams/index.js";
import { checkJson } from "../util/json-checks/check-json.js";
import { cutText, toWellFormed } from "../util/well-formed.js";
import { retryDelayMs } from "./backoff.js";
import type { TaskContext, TaskHandler } from "./task-handler.js";

export interface AttemptOptions {
  readonly services: Services;
  readonly queue: CommitQueue;
  readonly keeper: LeaseKeeper;
  readonly random: () => number;
  readonly handler: TaskHandler;
  /** The row as it was taken. */
  readonly row: TaskRow;
  /** Monotonic time just before it was taken, and the lease that it was taken with. */
  readonly takenAtMs: number;
  readonly takenLeaseMs: number;
}

/** What an attempt came to. `released`: given back, to be begun again elsewhere. */
type Outcome =
  | { readonly kind: "succeeded"; readonly result: unknown }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "cancelled" }
  | { readonly kind: "released" };

const MAX_RESULT_BYTES = 1_048_576;
const SYSTEM = { system: "a worker records what became of a task that it took" } as const;
/** How long a handler that was told to stop may take before its task is recorded without it. */
const CANCEL_GRACE_MS = 5000;
const SHUTDOWN_GRACE_MS = 250;
/** How long an outcome is tried to be written while the process is stopping; after it the lease runs out by itself. */
const LAST_WRITES_MS = 1500;
const REPEAT_MS = 100;

/**
 * One attempt at one task by this process: runs the handler under the lease and records one outcome, guarded by attempt and lease. A worker that lost the lease
 * records nothing. `recorded` resolves when the row needs nothing more from this process, `ended` when the handler has returned too.
 */
export class TaskAttempt {
  readonly task: TaskRow;
  /** Of those that count. */
  readonly attempt: number;
  readonly #o: AttemptOptions;
  readonly #lease: HeldLease;
  #controller: AbortController | null = null;
  #stop: GatewayError | null = null;
  #cancelReason: string | null;
  #lost: GatewayError | null = null;
  #giveUpAtMs = Number.POSITIVE_INFINITY;
  #settle: (outcome: Outcome) => void = () => undefined;

  constructor(options: AttemptOptions) {
    const { row } = options;
    this.#o = options;
    this.task = row;
    this.#cancelReason = row.cancelReason;
    this.attempt = row.attempt - row.uncounted;
    this.#lease = options.keeper.hold(
      {
        id: row.id,
        leaseMs: row.leaseMs,
        renewal: () => this.#guarded({ set: { readyAtMs: nowPlus(row.leaseMs) } }),
        onLost: (why) => this.#loseLease(why),
      },
      options.takenAtMs,
    );
  }

  /** Runs it to the end. Neither promise rejects. */
  run(): { readonly recorded: Promise<void>; readonly ended: Promise<void> } {
    const work = this.#begin();
    const recorded = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
      void work.then(resolve);
    })
      .then((outcome) => this.#record(outcome))
      .finally(() => this.#lease.release());
    return { recorded, ended: recorded.then(() => work).then(() => undefined) };
  }

  /** Tells the handler to stop: it was cancelled, or the process is closing. What it still returns within the grace counts. */
  stop(why: "cancelled" | "shutting_down", reason: string | null = null): void {
    const { clock } = this.#o.services;
    if (why === "cancelled") {
      if (this.#stop !== null) return;
      this.#cancelReason ??= reason;
      this.#abort(new GatewayError("cancelled", "The task was cancelled."));
      clock.at(clock.now() + CANCEL_GRACE_MS, () => this.#settle({ kind: "cancelled" }));
      return;
    }
    if (this.#giveUpAtMs < Number.POSITIVE_INFINITY) return;
    this.#giveUpAtMs = clock.monotonic() + SHUTDOWN_GRACE_MS + LAST_WRITES_MS;
    const outcome: Outcome = { kind: this.#stoppedBy() === "cancelled" ? "cancelled" : "released" };
    this.#abort(new GatewayError("shutting_down", "The worker is closing."));
    clock.at(clock.now() + SHUTDOWN_GRACE_MS, () => this.#settle(outcome));
  }

  async #begin(): Promise<Outcome> {
    const { row } = this.#o;
    if (row.cancelRequested) return { kind: "cancelled" };
    // Taken while the worker was closing: given back before it began.
    if (this.#stoppedBy() === "shutting_down") return { kind: "released" };
    if (this.attempt > row.maxAttempts) return { kind: "failed", error: silentDeath(row) };
    this.#emit("running");
    try {
      // Taken with another lease than its own: the first renewal sets that right.
      if (row.leaseMs !== this.#o.takenLeaseMs) await this.#lease.renew();
      const result: unknown = (await this.#o.handler(this.#context())) ?? null;
      checkJson(result, { what: "result", maxBytes: MAX_RESULT_BYTES });
      return { kind: "succeeded", result };
    } catch (error) {
      // What a handler throws because it was told to stop is no failure of the task.
      if (this.#stoppedBy() === "cancelled") return { kind: "cancelled" };
      if (this.#stoppedBy() === "shutting_down") return { kind: "released" };
      return { kind: "failed", error };
    }
  }

  #context(): TaskContext {
    const signal = () => this.#signal();
    return {
      task: this.task,
      attempt: this.attempt,
      idempotencyKey: this.task.id,
      get signal() {
        return signal();
      },
      heartbeat: async () => {
        if (this.#lost !== null) throw this.#lost;
        await this.#lease.renew();
      },
    };
  }

  /** Made when first asked for: most handlers of short tasks never do. */
  #signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#stop !== null) this.#controller.abort(this.#stop);
    }
    return this.#controller.signal;
  }

  async #record(outcome: Outcome): Promise<void> {
    let planned = this.#changeFor(outcome);
    let written: TaskRow["status"] | null;
    try {
      written = await this.#write(planned).catch((refused: unknown) => {
        // The store will never take this outcome: without it the work would be done again, for the same end.
        this.#o.services.events.emit("internal.error", { where: "recording what became of a task", error: refused });
        planned = this.#failed(
          new GatewayError("internal", `The store refused what the task came to (${GatewayError.from(refused).code}).`),
        );
        return this.#write(planned);
      });
    } catch (error) {
      this.#o.services.events.emit("internal.error", { where: "recording what became of a task", error });
      return;
    }
    if (written === null) return;
    this.#emit(written);
    if (written === "pending") this.#offer(planned.delayMs);
  }

  #changeFor(outcome: Outcome): { readonly status: TaskRow["status"]; readonly change: Change<TaskRow>; readonly delayMs: number } {
    switch (outcome.kind) {
      case "succeeded":
        return {
          status: "succeeded",
          change: { set: { status: "succeeded", result: outcome.result, error: null, finishedAtMs: now } },
          delayMs: 0,
        };
      case "cancelled":
        return { status: "cancelled", change: cancelledChange(this.#cancelReason), delayMs: 0 };
      case "released":
        return { status: "pending", change: { set: { status: "pending", readyAtMs: now }, add: { uncounted: 1 } }, delayMs: 0 };
      case "failed":
        return this.#failed(outcome.error);
    }
  }

  #failed(thrown: unknown): { readonly status: TaskRow["status"]; readonly change: Change<TaskRow>; readonly delayMs: number } {
    const error = asTaskError(thrown);
    const final = this.attempt >= this.task.maxAttempts || (GatewayError.is(thrown) && !thrown.retryable);
    if (final) return { status: "failed", change: { set: { status: "failed", error, deadLetter: true, finishedAtMs: now } }, delayMs: 0 };
    const delayMs = retryDelayMs({
      failures: this.attempt,
      backoffMs: this.task.backoffMs,
      retryAfterMs: GatewayError.is(thrown) ? thrown.retryAfterMs : undefined,
      random: this.#o.random,
    });
    return { status: "pending", change: { set: { status: "pending", error, readyAtMs: nowPlus(delayMs) } }, delayMs };
  }

  /**
   * Writes the outcome, or `cancelled` when that was asked for meanwhile; the status written, or null when the lease was lost. Safe to repeat: the guard lets it through once, and a refusal
   * shows whether the row already says what we wanted.
   */
  async #write(planned: { readonly status: TaskRow["status"]; readonly change: Change<TaskRow> }): Promise<TaskRow["status"] | null> {
    let { status, change } = planned;
    for (;;) {
      if (this.#lost !== null || this.#o.services.clock.monotonic() >= this.#giveUpAtMs) return null;
      let result: UnitResult;
      try {
        result = await this.#o.queue.commit(this.#guarded(change, status !== "cancelled"));
      } catch (error) {
        if (!GatewayError.is(error) || !error.retryable) throw error;
        this.#o.services.log.warn("task: its outcome is not written yet", { task: this.task.id, code: error.code });
        await this.#pause(REPEAT_MS);
        continue;
      }
      if (result.ok) return status;
      const current = result.current as TaskRow | null;
      if (current === null || current.attempt !== this.task.attempt || current.holder !== this.task.holder) return this.#fenced();
      if (current.status === status) return status;
      if (current.status !== "running" || !current.cancelRequested || status === "cancelled") return this.#fenced();
      status = "cancelled";
      change = cancelledChange(current.cancelReason);
    }
  }

  #fenced(): null {
    this.#o.services.log.warn("task: an outcome came after the lease was lost and was refused", {
      task: this.task.id,
      type: this.task.type,
      attempt: this.task.attempt,
    });
    return null;
  }

  #guarded(change: Change<TaskRow>, unlessCancelled = false): Unit {
    const { id, attempt, holder } = this.task;
    // The number alone is not enough: a store that was set back gives it a second time, to another.
    const where = { attempt, holder, status: "running", readyAtMs: { gt: now } } as const;
    return { scope: SYSTEM, writes: [update(task, id, { change, where: unlessCancelled ? { ...where, cancelRequested: false } : where })] };
  }

  #stoppedBy(): ErrorCode | undefined {
    return this.#stop?.code;
  }

  #loseLease(why: GatewayError): void {
    this.#lost = why;
    this.#abort(why);
    this.#settle({ kind: "released" }); // nothing is left to record
  }

  #abort(why: GatewayError): void {
    if (this.#stop !== null) return;
    this.#stop = why;
    this.#controller?.abort(why);
  }

  #emit(status: string): void {
    this.#o.services.events.emit("task.changed", { taskId: this.task.id, type: this.task.type, status });
  }

  #offer(delayMs: number): void {
    const { wakeup, clock, log } = this.#o.services;
    wakeup
      .offer(taskLane(this.task.type), this.task.id, { dueAtMs: clock.now() + delayMs, priority: this.task.priority })
      .catch(() => log.debug("task: the hint for its next attempt was not given; polling finds it", { task: this.task.id }));
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#o.services;
    return new Promise((resolve) => clock.at(clock.now() + ms, resolve));
  }
}

/** The wakeup lane of a type. */
export function taskLane(type: string): string {
  return `task.${type}`;
}

/** The end of a task that was cancelled, by its worker or before it had one. */
export function cancelledChange(reason: string | null): Change<TaskRow> {
  const message = reason === null || reason === "" ? "The task was cancelled." : `The task was cancelled: ${reason}`;
  return { set: { status: "cancelled", cancelRequested: true, error: { code: "cancelled", message }, finishedAtMs: now } };
}

function asTaskError(thrown: unknown): { code: string; message: string } {
  if (GatewayError.is(thrown)) return { code: thrown.code, message: toWellFormed(thrown.message) };
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : "The handler threw something that is not an Error.";
  return { code: "internal", message: cutText(text, 1000) };
}

function silentDeath(row: TaskRow): GatewayError {
  return new GatewayError("lease_lost", `None of its ${row.maxAttempts} attempts ended with an outcome that its worker could record.`, {
    hint: "The worker's process died or was blocked each time: look at its log around startedAtMs.",
    details: { task: row.id },
  });
}
