import { SYSTEM_CALLER, type Caller } from "../calls/index.js";
import { task, type TaskRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { CommitQueue } from "../ports/commit-queue.js";
import { insert, now, update, type Change, type Scope, type UnitResult, type Where } from "../ports/index.js";
import { LeaseKeeper } from "../ports/lease-keeper.js";
import type { Services } from "../seams/index.js";
import { cutText } from "../util/well-formed.js";
import { KeepAlive } from "../util/keep-alive.js";
import { cancelledChange, taskLane } from "./task-attempt.js";
import type { HandleOptions, TaskHandler } from "./task-handler.js";
import { Isolation, TaskLane } from "./task-lane.js";
import { invalid, newTask, whole, type TaskRequest } from "./task-request.js";

export interface TaskSchedulerOptions {
  /** Who acts when a call names no caller; the gateway itself when left out. */
  readonly owner?: Caller | undefined;
  /** How often due tasks, lost tasks and cancellations are looked for beside the hints; 1,000 when left out. */
  readonly pollMs?: number | undefined;
  /** How long a worker may be silent before a task that does not say is given to another one; 30,000 when left out. */
  readonly leaseMs?: number | undefined;
  /** 0 to below 1: the jitter of polls and retries; `Math.random` when left out. */
  readonly random?: (() => number) | undefined;
}
export interface TaskQuery {
  readonly type?: string | undefined;
  readonly status?: TaskRow["status"] | undefined;
  /** 1 to 1,000; 50 when left out. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

const STORE_TIMEOUT_MS = 10_000;
const CANCEL_TOPIC = "task.cancel";
const SYSTEM = { system: "a worker looks for tasks that it should stop" } as const;

/**
 * Stores tasks and runs them with the handlers of this process. The row is the truth: an accepted task is never lost, has exactly one recorded outcome, and its handler may be run more than once for it, each
 * time with the same idempotency key. Any number of processes on one store share the work; each task is leased to one worker at a time, and a worker that lost its lease cannot change it.
 *
 * A task whose worker died is taken again when its lease has run out and a poll has found it. A handler that blocks the event loop for longer than the lease loses it:
 * work that computes belongs in a thread of its own. Ways to end: `succeeded`; `cancelled`; `failed` with `deadLetter`, from where only `retry` brings it back.
 */
export class TaskScheduler {
  readonly #services: Services;
  readonly #owner: Caller;
  readonly #pollMs: number;
  readonly #leaseMs: number;
  readonly #random: () => number;
  readonly #queue: CommitQueue;
  readonly #keeper: LeaseKeeper;
  readonly #isolation = new Isolation();
  readonly #keepAlive = new KeepAlive();
  readonly #lanes = new Map<string, TaskLane>();
  #state: "idle" | "started" | "closing" = "idle";
  #cancelPoll: () => void = () => undefined;
  #unsubscribe: Promise<(() => Promise<void>) | null> = Promise.resolve(null);
  #closing: Promise<void> | null = null;

  constructor(services: Services, options: TaskSchedulerOptions = {}) {
    this.#services = services;
    this.#owner = options.owner ?? SYSTEM_CALLER;
    this.#pollMs = options.pollMs ?? 1000;
    this.#leaseMs = options.leaseMs ?? 30_000;
    this.#random = options.random ?? Math.random;
    this.#queue = new CommitQueue({ store: services.store, clock: services.clock, timeoutMs: STORE_TIMEOUT_MS });
    this.#keeper = new LeaseKeeper({ queue: this.#queue, clock: services.clock });
  }

  /**
   * Says how tasks of a type are done in this process; before or after `start`. Errors: `conflict` when the type has a handler, `validation_failed`, `shutting_down`.
   */
  handle(type: string, handler: TaskHandler, options: HandleOptions = {}): void {
    const concurrency = options.concurrency ?? 10;
    if (typeof type !== "string" || type.length < 1 || type.length > 100)
      throw invalid("type", "a name of 1 to 100 characters is expected.");
    if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > 10_000)
      throw invalid("concurrency", "a whole number from 1 to 10000 is expected.");
    if (this.#state === "closing") throw closing();
    if (this.#lanes.has(type))
      throw new GatewayError("conflict", `Tasks of type "${type}" already have a handler in this process.`, {
        hint: "Register each type once.",
      });
    const lane = new TaskLane({
      services: this.#services,
      queue: this.#queue,
      keeper: this.#keeper,
      random: this.#random,
      type,
      handler,
      concurrency,
      leaseMs: this.#leaseMs,
      isolation: this.#isolation,
      keepAlive: this.#keepAlive,
    });
    this.#lanes.set(type, lane);
    if (this.#state === "started") lane.start();
  }

  /** What has a handler in this process. */
  get types(): readonly string[] {
    return [...this.#lanes.keys()].sort();
  }

  /**
   * Accepts a task: when this resolves it is stored. With an idempotency key that stands already, the task that has it, whatever became of it.
   * Errors: `validation_failed`, `payload_too_large`, `idempotency_key_reuse` when the key stands with another payload, `shutting_down`, `store_unavailable`: with `details.outcome` "unknown"
   * the task may have been stored, and only a creation with an idempotency key is repeated safely.
   */
  async create(request: TaskRequest, caller: Caller = this.#owner): Promise<TaskRow> {
    if (this.#state === "closing") throw closing();
    const row = newTask(request, caller, { crypto: this.#services.crypto, leaseMs: this.#leaseMs });
    const scope = scopeOf(caller);
    const result = await this.#insert(row, scope);
    if (!result.ok) {
      const standing = result.current as TaskRow | null;
      if (standing === null || (standing.id !== row.id && standing.payloadHash !== row.payloadHash))
        throw new GatewayError("idempotency_key_reuse", "The idempotency key stands with another task.", {
          hint: "Use a new key for a new task, or repeat the creation exactly.",
        });
      if (standing.id !== row.id) return standing;
    }
    const stored = await this.#stored(row.id, scope);
    this.#changed(stored);
    if (stored.status === "pending") this.#offer(stored);
    return stored;
  }

  /** null: there is none that the caller may see. */
  get(id: string, caller: Caller = this.#owner): Promise<TaskRow | null> {
    return this.#services.store.get(task, id, scopeOf(caller), this.#within());
  }

  /** Newest first. Errors: `bad_request` for a cursor of another query, `validation_failed`. */
  async list(query: TaskQuery = {}, caller: Caller = this.#owner): Promise<{ rows: TaskRow[]; next: string | null }> {
    const where: Where<TaskRow> = {
      ...(query.type === undefined ? {} : { type: query.type }),
      ...(query.status === undefined ? {} : { status: query.status }),
    };
    return this.#services.store.find(
      task,
      { where, orderBy: "createdAtMs", desc: true, limit: whole("limit", query.limit ?? 50, [1, 1000]), cursor: query.cursor },
      scopeOf(caller),
      this.#within(),
    );
  }

  /**
   * Ends a task. One that nobody works on is `cancelled` at once. The worker of a running one is told (its signal is aborted), here at once, in another process within a poll; from now on the task can only end
   * as `cancelled`, when its handler has returned or five seconds later. A task that has ended stays as it is. Resolves to the row as it then is. Errors: `not_found`.
   */
  async cancel(id: string, o: { readonly reason?: string; readonly caller?: Caller } = {}): Promise<TaskRow> {
    const scope = scopeOf(o.caller ?? this.#owner);
    const reason = o.reason === undefined ? null : cutText(o.reason, 500);
    const free: Where<TaskRow> = { any: [{ status: "pending" }, { status: "running", readyAtMs: { lte: now } }] };
    const ended = await this.#update(id, { change: { set: { ...cancelledChange(reason).set, cancelReason: reason } }, where: free }, scope);
    if (!ended.ok) {
      if (ended.current === null) throw notFound(id);
      const asked = await this.#update(
        id,
        { change: { set: { cancelRequested: true, cancelReason: reason } }, where: { status: "running", cancelRequested: false } },
        scope,
      );
      if (asked.ok) this.#stopHere(id, reason);
    }
    const row = await this.#mustGet(id, scope);
    // Between the two writes it went back to waiting, for a retry: nobody holds it now.
    if (row.status === "pending") return this.cancel(id, o);
    if (ended.ok) this.#changed(row);
    return row;
  }

  /** Brings a dead letter back: due at once, with all its attempts before it. Errors: `not_found`, `conflict` when it is no dead letter. */
  async retry(id: string, caller: Caller = this.#owner): Promise<TaskRow> {
    const scope = scopeOf(caller);
    const dead = await this.#mustGet(id, scope);
    const change: Change<TaskRow> = {
      set: { status: "pending", deadLetter: false, readyAtMs: now, uncounted: dead.attempt, finishedAtMs: null, holder: null },
    };
    const result = await this.#update(id, { change, where: { status: "failed", attempt: dead.attempt } }, scope);
    if (!result.ok)
      throw new GatewayError("conflict", `The task is ${dead.status === "failed" ? "no longer a dead letter" : dead.status}.`, {
        hint: "Only a task that has failed can be retried.",
        details: { id, status: dead.status },
      });
    const row = await this.#mustGet(id, scope);
    this.#changed(row);
    this.#offer(row);
    return row;
  }

  /** Begins to take tasks of the types that have a handler. Idempotent. Errors: `shutting_down`. */
  start(): void {
    if (this.#state === "closing") throw closing();
    if (this.#state === "started") return;
    this.#state = "started";
    const { bus, log } = this.#services;
    this.#unsubscribe = bus
      .subscribe(
        CANCEL_TOPIC,
        () => this.#stopCancelled(),
        () => this.#stopCancelled(),
      )
      .catch((error: unknown) => {
        log.warn("task: cancellations are only polled", { code: GatewayError.from(error).code });
        return null;
      });
    for (const lane of this.#lanes.values()) lane.start();
    this.#armPoll();
  }

  /**
   * Takes nothing more from now on, lets running tasks end for `graceMs`, then tells them to stop and gives them back, so that another worker starts them at once; the attempt does not count.
   * Called again, the shorter grace holds. Resolves when nothing of this process holds a task; a handler that heeds no signal may still be running, and what it does no longer counts.
   */
  close(o: { readonly graceMs?: number } = {}): Promise<void> {
    const graceMs = o.graceMs ?? 10_000;
    const { clock } = this.#services;
    this.#state = "closing";
    const cancelForce = clock.at(clock.now() + graceMs, () => this.#stopAll());
    this.#closing ??= this.#close();
    return this.#closing.finally(cancelForce);
  }

  async #close(): Promise<void> {
    this.#cancelPoll();
    const unsubscribe = await this.#unsubscribe;
    await unsubscribe?.().catch(() => undefined);
    const lanes = [...this.#lanes.values()];
    await Promise.all(lanes.map((lane) => lane.quiesce()));
    await Promise.all(lanes.map((lane) => lane.recorded()));
  }

  #stopAll(): void {
    for (const lane of this.#lanes.values()) for (const attempt of lane.running.values()) attempt.stop("shutting_down");
  }

  #armPoll(): void {
    const { clock } = this.#services;
    // Jittered, so that the processes of a fleet that started together do not ask together.
    const inMs = Math.round(this.#pollMs * (0.75 + this.#random() / 2));
    this.#cancelPoll = clock.at(clock.now() + inMs, () => {
      for (const lane of this.#lanes.values()) lane.wake({ poll: true });
      this.#stopCancelled();
      this.#armPoll();
    });
  }

  #stopHere(id: string, reason: string | null): void {
    for (const lane of this.#lanes.values()) {
      const attempt = lane.running.get(id);
      if (attempt !== undefined) return attempt.stop("cancelled", reason);
    }
    this.#services.bus.publish(CANCEL_TOPIC, [id]).catch(() => undefined); // the worker's poll finds it
  }

  /** Stops what runs here and was cancelled by another process. */
  #stopCancelled(): void {
    if (![...this.#lanes.values()].some((lane) => lane.running.size > 0)) return;
    const query = { where: { status: "running", cancelRequested: true }, orderBy: "id", limit: 1000 } as const;
    this.#services.store.find(task, query, SYSTEM, this.#within()).then(
      ({ rows }) => {
        for (const row of rows) {
          const attempt = this.#lanes.get(row.type)?.running.get(row.id);
          if (attempt?.task.attempt === row.attempt) attempt.stop("cancelled", row.cancelReason);
        }
      },
      (error: unknown) => this.#services.log.warn("task: cancellations were not read", { code: GatewayError.from(error).code }),
    );
  }

  /** Safe to repeat by the row's own id, when the store cannot say whether it was stored. */
  async #insert(row: ReturnType<typeof newTask>, scope: Scope): Promise<UnitResult> {
    const unit = { scope, writes: [insert(task, row)] };
    try {
      return await this.#queue.commit(unit);
    } catch (error) {
      if (!GatewayError.is(error, "store_unavailable") || error.details?.["outcome"] !== "unknown") throw error;
      return this.#queue.commit(unit).catch((again: unknown) => {
        throw perhapsStored(again);
      });
    }
  }

  /** The row that has just been stored. */
  async #stored(id: string, scope: Scope): Promise<TaskRow> {
    try {
      return await this.#mustGet(id, scope);
    } catch (error) {
      throw perhapsStored(error);
    }
  }

  #update(id: string, o: { readonly change: Change<TaskRow>; readonly where: Where<TaskRow> }, scope: Scope): Promise<UnitResult> {
    return this.#queue.commit({ scope, writes: [update(task, id, o)] });
  }

  async #mustGet(id: string, scope: Scope): Promise<TaskRow> {
    const row = await this.#services.store.get(task, id, scope, this.#within());
    if (row === null) throw notFound(id);
    return row;
  }

  #changed(row: TaskRow): void {
    this.#services.events.emit("task.changed", { taskId: row.id, type: row.type, status: row.status });
  }

  #offer(row: TaskRow): void {
    if (row.priority > 0) this.#lanes.get(row.type)?.expectUrgent();
    // A hint that is not given costs a poll.
    this.#services.wakeup.offer(taskLane(row.type), row.id, { dueAtMs: row.readyAtMs, priority: row.priority }).catch(() => undefined);
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + STORE_TIMEOUT_MS };
  }
}

/** The store failed after it may have stored the task: what it says of its last call is not what became of the creation. */
function perhapsStored(error: unknown): unknown {
  if (!GatewayError.is(error) || !error.retryable) return error;
  return new GatewayError("store_unavailable", "The store went away before it could say whether the task was stored.", {
    hint: "Repeat the creation with the same idempotency key; one without a key may be stored twice.",
    details: { outcome: "unknown" },
    cause: error,
  });
}
function scopeOf(caller: Caller): Scope {
  return { projects: caller.projects };
}
function notFound(id: string): GatewayError {
  return new GatewayError("not_found", "There is no such task, or you may not see it.", { details: { id } });
}
function closing(): GatewayError {
  return new GatewayError("shutting_down", "The task scheduler is closing.", { hint: "Send it to another process, or again in a moment." });
}
