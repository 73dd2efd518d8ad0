import { task, type TaskRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { CommitQueue } from "../ports/commit-queue.js";
import { now, nowPlus, update, type Change, type Where } from "../ports/index.js";
import type { LeaseKeeper } from "../ports/lease-keeper.js";
import type { Services } from "../seams/index.js";
import type { KeepAlive } from "../util/keep-alive.js";
import { TaskAttempt, taskLane, type AttemptOptions } from "./task-attempt.js";
import type { TaskHandler } from "./task-handler.js";

export interface LaneOptions {
  readonly services: Services;
  readonly queue: CommitQueue;
  readonly keeper: LeaseKeeper;
  readonly random: () => number;
  readonly type: string;
  readonly handler: TaskHandler;
  readonly concurrency: number;
  /** Of tasks that do not say. */
  readonly leaseMs: number;
  /** One for all lanes of a process. */
  readonly isolation: Isolation;
  readonly keepAlive: KeepAlive;
}

/** A row as it was taken: the monotonic time just before, and the lease that it was taken with. */
type Taken = Pick<AttemptOptions, "row" | "takenAtMs" | "takenLeaseMs">;

/** Lets one task at a time be on its last attempt after a lost one: see `TaskLane`. */
export class Isolation {
  #busy = false;
  enter(): boolean {
    if (this.#busy) return false;
    return (this.#busy = true);
  }
  leave(): void {
    this.#busy = false;
  }
}

/**
 * The lease of a claim by a lane that does not know yet what its tasks ask for: whoever dies between it and the renewal that sets it right keeps the task from others for no longer than
 * this, though a lease may be an hour.
 */
const FIRST_LEASE_MS = 5000;
/** Rows of one claim at the most. */
const MAX_BATCH = 64;
const STORE_TIMEOUT_MS = 10_000;
const HANDED_BACK_MS = 1000;
/** How long a busy lane may overlook that something urgent has come from another process. */
const ORDINARY_MS = 100;
/** A hint may come before the store's clock says that it is time: how long to wait before looking again, each time. */
const LOOK_AGAIN_MS = [10, 50, 250] as const;
const SYSTEM = { system: "a worker looks for tasks of the types that it handles" } as const;

/**
 * The tasks of one type in this process: takes as many as its concurrency has room for, highest priority first and then the one that has been due longest, and runs them. Claims are
 * prompted by hints and by polling, and repeated while they come back full.
 *
 * Tasks whose lease ran out without a word are taken again when the lane is polled. One of them that is on its last attempt may be what killed its workers: no two such run in one process at a time, so that a task that
 * merely stood beside the guilty one is not condemned with it.
 */
export class TaskLane {
  readonly #o: LaneOptions;
  /** The shortest that tasks of the last claim asked for: the next is made with it, and a task that asks for another lease renews at once. */
  #leaseMs: number;
  readonly #running = new Map<string, TaskAttempt>();
  readonly #recording = new Set<Promise<void>>();
  /** Handlers that have not returned, also those whose task is settled already. */
  #occupied = 0;
  #open = false;
  #claiming = false;
  #claims: Promise<void> = Promise.resolve();
  #again = false;
  #lookForLost = false;
  /** Until when nothing above the ordinary priority is looked for: there was none a moment ago. */
  #ordinaryUntilMs = Number.NEGATIVE_INFINITY;
  /** The last claim of ordinary tasks left none, as far as it saw. */
  #ranOut = true;
  /** How often the last hint was followed in vain; null: no hint is waiting to be followed. */
  #inVain: number | null = null;
  #stopListening: Promise<(() => Promise<void>) | null> = Promise.resolve(null);

  constructor(options: LaneOptions) {
    this.#o = options;
    this.#leaseMs = Math.min(options.leaseMs, FIRST_LEASE_MS);
  }

  get running(): ReadonlyMap<string, TaskAttempt> {
    return this.#running;
  }

  start(): void {
    const { services, type } = this.#o;
    this.#open = true;
    this.#stopListening = services.wakeup
      .listen(taskLane(type), { concurrency: 1 }, () => {
        this.#inVain = 0;
        this.wake();
        return Promise.resolve();
      })
      .catch((error: unknown) => {
        services.log.warn("task: no hints for a type; polling goes on", { type, code: GatewayError.from(error).code });
        return null;
      });
    this.wake({ poll: true });
  }

  /** Claims soon, if there is room. `poll`: also tasks whose lease ran out. */
  wake(o: { readonly poll?: boolean } = {}): void {
    if (!this.#open) return;
    if (o.poll === true) this.#lookForLost = true;
    this.#again = true;
    if (this.#claiming) return;
    this.#claiming = true;
    this.#claims = this.#claimAll();
  }

  /** This process has just made one that goes before the ordinary. */
  expectUrgent(): void {
    this.#ordinaryUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Takes nothing more. Resolves when no claim is under way. */
  async quiesce(): Promise<void> {
    this.#open = false;
    const stop = await this.#stopListening;
    await stop?.().catch(() => undefined);
    await this.#claims;
  }

  /** Resolves when every task taken so far is recorded. */
  async recorded(): Promise<void> {
    await Promise.all(this.#recording);
  }

  async #claimAll(): Promise<void> {
    const { services } = this.#o;
    await Promise.resolve(); // lets what ends in this turn make room for one claim
    while (this.#open && this.#again && this.#occupied < this.#o.concurrency) {
      this.#again = false;
      try {
        if (this.#lookForLost) await this.#claimLost();
        await this.#claimDue();
      } catch (error) {
        const known = GatewayError.from(error);
        services.log.warn("task: a claim failed; the next poll repeats it", { type: this.#o.type, code: known.code });
        if (!known.retryable) services.events.emit("internal.error", { where: `claiming tasks of type ${this.#o.type}`, error });
      }
    }
    this.#claiming = false;
    if (this.#inVain !== null && this.#occupied < this.#o.concurrency) this.#lookAgain();
  }

  #lookAgain(): void {
    const inMs = LOOK_AGAIN_MS[this.#inVain ?? 0];
    this.#inVain = inMs === undefined ? null : (this.#inVain ?? 0) + 1;
    const { clock } = this.#o.services;
    if (inMs !== undefined) clock.at(clock.now() + inMs, () => this.wake());
  }

  async #claimLost(): Promise<void> {
    this.#lookForLost = false;
    const limit = this.#room();
    const lost = { status: "running", type: this.#o.type, readyAtMs: { lte: now } } as const;
    if (!(await this.#isThere(lost, "priority"))) return;
    const took = await this.#take(lost, limit);
    if (took.length === limit) this.#lookForLost = this.#again = true;
    for (const taken of took) {
      const { row } = taken;
      const lastChance = row.attempt - row.uncounted === row.maxAttempts && !row.cancelRequested;
      if (!lastChance) this.#run(taken);
      else if (this.#o.isolation.enter()) this.#run(taken, () => this.#o.isolation.leave());
      else this.#handBack(row);
    }
  }

  /**
   * The levels above and below 0 are looked up, 0 itself is simply tried. A lane that is busy with ordinary tasks looks for urgent ones now and then; one that has room left looks everywhere.
   */
  async #claimDue(): Promise<void> {
    const nowMs = this.#o.services.clock.monotonic();
    const looked = nowMs >= this.#ordinaryUntilMs;
    if (looked && (await this.#claimLevels({ gt: 0 }))) this.#ordinaryUntilMs = nowMs + ORDINARY_MS;
    if (!(await this.#claimLevel(0))) return;
    if (!looked) await this.#claimLevels({ gt: 0 });
    await this.#claimLevels({ lt: 0 });
  }

  /** True: nothing is left there. */
  async #claimLevels(priority: { gt: number } | { lt: number }): Promise<boolean> {
    while (this.#room() > 0) {
      const level = await this.#nextPriority(priority);
      if (level === null) return true;
      await this.#claimLevel(level);
    }
    return false;
  }

  async #nextPriority(priority: { gt: number } | { lt: number }): Promise<number | null> {
    const { services, type } = this.#o;
    const { rows } = await services.store.find(
      task,
      { where: { status: "pending", type, priority, readyAtMs: { lte: now } }, orderBy: "priority", desc: true, limit: 1 },
      SYSTEM,
      this.#within(),
    );
    return rows[0]?.priority ?? null;
  }

  /** True: nothing is left there. */
  async #claimLevel(priority: number): Promise<boolean> {
    const limit = this.#room();
    if (limit === 0) return false;
    const due = { status: "pending", type: this.#o.type, priority, readyAtMs: { lte: now } } as const;
    if (priority === 0 && this.#ranOut && !(await this.#isThere(due, "readyAtMs"))) return true;
    const took = await this.#take(due, limit);
    for (const taken of took) this.#run(taken);
    if (priority === 0) this.#ranOut = took.length < limit;
    if (took.length < limit) return true;
    this.#again = true;
    return false;
  }

  /**
   * Whether there is anything to claim. A claim that finds nothing is not for free: in InnoDB it locks what stands next to its place in the index, the first task of another type, and whoever claims those passes it over.
   */
  async #isThere(where: Where<TaskRow>, orderBy: "priority" | "readyAtMs"): Promise<boolean> {
    const { rows } = await this.#o.services.store.find(task, { where, orderBy, limit: 1 }, SYSTEM, this.#within());
    return rows.length > 0;
  }

  async #take(where: Where<TaskRow>, limit: number): Promise<Taken[]> {
    const { services } = this.#o;
    const takenAtMs = services.clock.monotonic();
    const leaseMs = this.#leaseMs;
    const change: Change<TaskRow> = {
      set: { status: "running", readyAtMs: nowPlus(leaseMs), startedAtMs: now, holder: services.nodeId },
      add: { attempt: 1 },
    };
    const rows = await services.store.take(task, { where, orderBy: ["readyAtMs"], limit, change }, this.#within());
    if (rows.length > 0) this.#leaseMs = Math.min(...rows.map((row) => row.leaseMs));
    return rows.map((row) => ({ row, takenAtMs, takenLeaseMs: leaseMs }));
  }

  #run(taken: Taken, onEnd?: () => void): void {
    const { row } = taken;
    const { services, queue, keeper, random, handler } = this.#o;
    const attempt = new TaskAttempt({ services, queue, keeper, random, handler, ...taken });
    this.#occupied++;
    this.#inVain = null;
    this.#o.keepAlive.acquire();
    this.#running.set(row.id, attempt);
    if (!this.#open) attempt.stop("shutting_down");
    const { recorded, ended } = attempt.run();
    this.#recording.add(recorded);
    void recorded.then(() => {
      this.#recording.delete(recorded);
      if (this.#running.get(row.id) === attempt) this.#running.delete(row.id);
    });
    void ended.then(() => {
      this.#occupied--;
      this.#o.keepAlive.release();
      onEnd?.();
      this.wake();
    });
  }

  /** As it was: still without a word from its worker, for whoever has room for it a little later. */
  #handBack(row: TaskRow): void {
    const guard = { attempt: row.attempt, status: "running", readyAtMs: { gt: now } } as const;
    const change = { set: { readyAtMs: nowPlus(HANDED_BACK_MS) }, add: { uncounted: 1 } };
    this.#o.queue
      .commit({ scope: SYSTEM, writes: [update(task, row.id, { change, where: guard })] })
      .catch(() => this.#o.services.log.debug("task: not handed back; its lease runs out by itself", { task: row.id }));
  }

  #room(): number {
    return this.#open ? Math.min(MAX_BATCH, Math.max(0, this.#o.concurrency - this.#occupied)) : 0;
  }

  #within() {
    return { deadlineMs: this.#o.services.clock.now() + STORE_TIMEOUT_MS };
  }
}
