import { isTerminal, type Caller, type StoredRunEvent } from "../calls/index.js";
import type { RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { CommitQueue } from "../ports/commit-queue.js";
import { now, type Where } from "../ports/index.js";
import { LeaseKeeper } from "../ports/lease-keeper.js";
import type { RunRequest, RunStarter, Services } from "../seams/index.js";
import { KeepAlive } from "../util/keep-alive.js";
import { cutText } from "../util/well-formed.js";
import { RunAttempt } from "./run-attempt.js";
import { RunFeed } from "./run-feed.js";
import { RunRecords, scopeOf, type RunQuery } from "./run-records.js";
import { checkedRequest, newRun, runId, type CheckedRequest } from "./run-request.js";
import { Run, type RunWatch } from "./run.js";

export interface RunEngineOptions {
  /** An event as JSON for readers over HTTP: what the REST face shows. */
  readonly eventView: (event: StoredRunEvent) => unknown;
  /** Runs at the same time in this process; more wait in the store. 100 when left out. */
  readonly concurrency?: number | undefined;
  /** How long a process may be silent before another one goes on with its runs; 30,000 when left out. */
  readonly leaseMs?: number | undefined;
  /** How often waiting and abandoned runs, and cancellations, are looked for; 1,000 when left out. */
  readonly pollMs?: number | undefined;
  /** Tool calls of one answer at the same time; 8 when left out. */
  readonly maxParallelTools?: number | undefined;
  /** What becomes of a run whose caller has to sign in somewhere first; it waits when left out. */
  readonly onSignInNeeded?: (() => "wait" | "fail") | undefined;
}

/** How long a new run is kept for the process that stored it. */
const RESERVED_MS = 5000;
const MAX_BATCH = 16;
const LANE = "run";
const CANCEL_TOPIC = "run.cancel";

/**
 * Stores runs and carries them out. A run that is accepted is not lost: whichever process holds its lease carries it on from its journal, and a process that dies or closes is followed by another one,
 * after its lease (30 s) or at once. A run begins in the process that accepted it when there is room. A process that starts a run, or was told to `work`, also takes over those that others left.
 */
export class RunEngine implements RunStarter {
  readonly #services: Services;
  readonly #o: { readonly [K in keyof RunEngineOptions]-?: NonNullable<RunEngineOptions[K]> };
  readonly #queue: CommitQueue;
  readonly #records: RunRecords;
  readonly #keeper: LeaseKeeper;
  readonly #feed: RunFeed;
  readonly #keepAlive = new KeepAlive();
  readonly #active = new Map<string, { readonly attempt: RunAttempt; readonly ended: Promise<void> }>();
  readonly #taking = new Set<Promise<unknown>>();
  /** Runs that are being stored or taken: they have their place already. */
  #arriving = 0;
  #working = false;
  #closing: Promise<void> | null = null;
  #looking = false;
  #lookAgain = false;
  #cancelPoll: () => void = () => undefined;
  #unsubscribe: Promise<(() => Promise<void>)[]> = Promise.resolve([]);

  constructor(services: Services, options: RunEngineOptions) {
    const { store, clock, bus } = services;
    this.#services = services;
    this.#o = {
      eventView: options.eventView,
      concurrency: options.concurrency ?? 100,
      leaseMs: options.leaseMs ?? 30_000,
      pollMs: options.pollMs ?? 1000,
      maxParallelTools: options.maxParallelTools ?? 8,
      onSignInNeeded: options.onSignInNeeded ?? (() => "wait"),
    };
    this.#queue = new CommitQueue({ store, clock });
    this.#records = new RunRecords(services, this.#queue);
    this.#keeper = new LeaseKeeper({ queue: this.#queue, clock });
    this.#feed = new RunFeed({ store, clock, bus, keepAlive: this.#keepAlive, isHere: (id) => this.#active.has(id) });
  }

  /** Starts a run and gives its handle at once; what is wrong with the request is heard by whoever awaits or reads it. */
  run(request: RunRequest, caller: Caller): Run {
    const watch = this.#watch(caller);
    try {
      const id = runId(request, caller, this.#services.crypto);
      return new Run({ id, watch, started: this.#start(request, { caller, id }) });
    } catch (error) {
      return new Run({ id: "", watch, started: Promise.reject(GatewayError.from(error)) });
    }
  }

  /** A handle on a run that exists, perhaps in another process; nothing is read before it is used. */
  open(id: string, caller: Caller): Run {
    return new Run({ id, watch: this.#watch(caller), started: Promise.resolve() });
  }

  async start(request: RunRequest, caller: Caller): Promise<RunRow> {
    return this.#start(request, { caller, id: runId(request, caller, this.#services.crypto) });
  }

  get(id: string, caller: Caller): Promise<RunRow | null> {
    return this.#records.get(id, caller);
  }

  list(caller: Caller, q: RunQuery): Promise<{ rows: RunRow[]; next: string | null }> {
    return this.#records.list(caller, q);
  }

  async *events(
    id: string,
    o: { readonly caller: Caller; readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<StoredRunEvent, void, undefined> {
    await this.#records.mustGet(id, o.caller);
    yield* this.#feed.events(id, { scope: scopeOf(o.caller), after: o.after, signal: o.signal });
  }

  async cancel(id: string, o: { readonly caller: Caller; readonly reason: string }): Promise<RunRow> {
    const row = await this.#records.mustGet(id, o.caller);
    if (isTerminal(row.status)) return row;
    const reason = cutText(o.reason, 500);
    const text = row.attempt === 0 ? "" : await this.#feed.textSoFar(id, scopeOf(o.caller));
    if (await this.#records.cancelUnheld(row, { reason, text })) {
      this.#services.events.emit("run.changed", { runId: id, status: "cancelled" });
      this.#feed.tell("run.end", id);
    } else if (await this.#records.askForEnd(row, reason)) {
      const here = this.#active.get(id);
      if (here === undefined) this.#services.bus.publish(CANCEL_TOPIC, [id]).catch(() => undefined); // its process polls
      here?.attempt.stop(new GatewayError("cancelled", reason));
      await here?.ended;
    }
    return this.#records.mustGet(id, o.caller);
  }

  async wake(id: string, projectId: string): Promise<void> {
    if (!(await this.#records.wake(id, projectId))) return;
    this.#services.events.emit("run.changed", { runId: id, status: "queued" });
    this.#offer(id);
    this.#look();
  }

  /** Begins to take runs that wait, and runs whose process died or closed. Idempotent. Errors: `shutting_down`. */
  work(): void {
    if (this.#closing !== null) throw closing();
    if (this.#working) return;
    this.#working = true;
    const { bus, wakeup, log } = this.#services;
    const without = (error: unknown) => {
      log.warn("run: no hints from other processes; polling goes on", { code: GatewayError.from(error).code });
      return () => Promise.resolve();
    };
    const look = () => this.#stopCancelled();
    this.#unsubscribe = Promise.all([
      bus.subscribe(CANCEL_TOPIC, look, look).catch(without),
      wakeup.listen(LANE, { concurrency: 1 }, () => Promise.resolve(this.#look())).catch(without),
    ]);
    this.#look();
    this.#armPoll();
  }

  /** Processes are gone: goes on with their runs now, instead of when their leases have run out. */
  async takeOver(holders: readonly string[]): Promise<void> {
    try {
      if ((await this.#records.endLeases(new Set(holders))) > 0) this.#look();
    } catch (error) {
      this.#services.log.warn("run: runs of a process that is gone wait for their leases", { code: GatewayError.from(error).code });
    }
  }

  /**
   * Takes nothing more, lets each run finish the step that it is in for `graceMs`, and gives all of them back: another process goes on at once. Called again, the shorter grace holds. Resolves when this process
   * holds no run; whoever still waits for one hears `shutting_down`.
   */
  close(o: { readonly graceMs?: number } = {}): Promise<void> {
    const { clock } = this.#services;
    const graceMs = o.graceMs ?? 10_000;
    for (const { attempt } of this.#active.values()) attempt.drain();
    const cancelForce = clock.at(clock.now() + graceMs, () => this.#stopAll());
    this.#closing ??= this.#close();
    return this.#closing.finally(cancelForce);
  }

  async #close(): Promise<void> {
    this.#cancelPoll();
    for (const unsubscribe of await this.#unsubscribe) await unsubscribe().catch(() => undefined);
    while (this.#active.size > 0 || this.#taking.size > 0)
      await Promise.all([...this.#taking, ...[...this.#active.values()].map(({ ended }) => ended)]);
    await this.#feed.close();
  }

  #stopAll(): void {
    for (const { attempt } of this.#active.values()) attempt.stop(new GatewayError("shutting_down", "The process is closing."));
  }

  #watch(caller: Caller): RunWatch {
    return {
      ended: (id) => this.#ended(id, caller),
      events: (id, o) => this.events(id, { caller, ...o }),
      cancel: (id, reason) => this.cancel(id, { caller, reason }),
      view: this.#o.eventView,
    };
  }

  async #ended(id: string, caller: Caller): Promise<RunRow> {
    for (;;) {
      // Asked for before reading: an end between the two wakes us.
      const leave = new AbortController();
      const news = this.#feed.wait("run.end", id, leave.signal);
      try {
        const row = await this.#records.mustGet(id, caller);
        if (isTerminal(row.status)) return row;
        if (this.#feed.isClosed)
          throw new GatewayError("shutting_down", "The gateway closed before the run ended.", {
            hint: "Another process goes on with it; open it there by its id.",
            details: { runId: id },
          });
        await news;
      } finally {
        leave.abort();
      }
    }
  }

  async #start(request: RunRequest, o: { readonly caller: Caller; readonly id: string }): Promise<RunRow> {
    if (this.#closing !== null) throw closing();
    const { caller, id } = o;
    const checked = checkedRequest(request, this.#services.crypto);
    const standing =
      checked.session === null || checked.idempotencyKey === null ? null : await this.#records.standing(checked, { id, caller });
    if (standing !== null) return standing;
    const hasRoom = this.#room() > 0;
    if (hasRoom) this.#arriving++;
    let begins: Promise<unknown> = Promise.resolve();
    try {
      const { row, isNew } = await this.#insert(checked, { caller, id, reservedMs: hasRoom ? RESERVED_MS : 0 });
      if (!isNew) return row;
      this.#services.events.emit("run.changed", { runId: id, status: row.status });
      if (this.#closing === null) this.work();
      if (hasRoom && this.#closing === null) begins = this.#take({ id, status: "queued" }, 1);
      else this.#offer(id);
      return row;
    } finally {
      if (hasRoom)
        void begins.then(() => {
          this.#arriving--;
          this.#look();
        });
    }
  }

  /** With the turn of its session, opened anew when the session went on meanwhile: somebody got further each time. */
  async #insert(checked: CheckedRequest, o: { readonly caller: Caller; readonly id: string; readonly reservedMs: number }) {
    const { caller, id, reservedMs } = o;
    for (;;) {
      const conversations = checked.session === null ? null : this.#services.seams.conversations.get();
      const turn = conversations === null ? null : await conversations.open(checked.session as string, { caller, runId: id });
      const stored = await this.#records.insert(newRun(checked, caller, { id, reservedMs, turn }), caller, turn);
      if (stored !== null) return stored;
    }
  }

  #room(): number {
    return Math.max(0, this.#o.concurrency - this.#active.size - this.#arriving);
  }

  /** Takes what waits and what others left, while there is room. */
  #look(): void {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    void this.#takeAll();
  }

  async #takeAll(): Promise<void> {
    while (this.#lookAgain && this.#working && this.#closing === null && this.#room() > 0) {
      this.#lookAgain = false;
      const limit = Math.min(MAX_BATCH, this.#room());
      const taken = await this.#take({ status: { in: ["queued", "running"] }, leaseUntilMs: { lte: now } }, limit);
      if (taken === limit) this.#lookAgain = true;
    }
    this.#looking = false;
  }

  /** How many it took. A failure is left to the next poll. */
  #take(where: Where<RunRow>, limit: number): Promise<number> {
    const takenAtMs = this.#services.clock.monotonic();
    const taking = this.#records.take(where, { limit, leaseMs: this.#o.leaseMs }).then(
      (rows) => {
        for (const row of rows) this.#carryOut(row, takenAtMs);
        return rows.length;
      },
      (error: unknown) => {
        this.#services.log.warn("run: runs were not taken; the next poll repeats it", { code: GatewayError.from(error).code });
        return 0;
      },
    );
    this.#taking.add(taking);
    return taking.finally(() => this.#taking.delete(taking));
  }

  #carryOut(row: RunRow, takenAtMs: number): void {
    const { leaseMs, maxParallelTools, onSignInNeeded } = this.#o;
    const attempt = new RunAttempt({
      services: this.#services,
      queue: this.#queue,
      keeper: this.#keeper,
      feed: this.#feed,
      leaseMs,
      maxParallelTools,
      onSignInNeeded,
      row,
      takenAtMs,
    });
    if (this.#closing !== null) attempt.drain();
    this.#keepAlive.acquire();
    const ended = attempt.run().then(() => {
      this.#keepAlive.release();
      if (this.#active.get(row.id)?.attempt === attempt) this.#active.delete(row.id);
      this.#feed.tell("run.end", row.id);
      if (this.#closing === null) this.#look();
      else this.#offer(row.id);
    });
    this.#active.set(row.id, { attempt, ended });
  }

  /** A hint for processes that have room. */
  #offer(id: string): void {
    const { wakeup, clock } = this.#services;
    wakeup.offer(LANE, id, { dueAtMs: clock.now(), priority: 0 }).catch(() => undefined); // they poll
  }

  #armPoll(): void {
    const { clock } = this.#services;
    // Jittered, so that the processes of a fleet that started together do not ask together.
    const inMs = Math.round(this.#o.pollMs * (0.75 + Math.random() / 2));
    this.#cancelPoll = clock.at(clock.now() + inMs, () => {
      this.#look();
      this.#stopCancelled();
      this.#armPoll();
    });
  }

  /** Stops what runs here and was cancelled by another process. */
  #stopCancelled(): void {
    if (this.#active.size === 0) return;
    this.#records.askedToEnd().then(
      (rows) => {
        for (const row of rows) {
          const here = this.#active.get(row.id)?.attempt;
          if (here?.attempt === row.attempt) here.stop(new GatewayError("cancelled", row.cancelReason ?? ""));
        }
      },
      (error: unknown) => this.#services.log.warn("run: cancellations were not read", { code: GatewayError.from(error).code }),
    );
  }
}

function closing(): GatewayError {
  return new GatewayError("shutting_down", "The gateway is closing.", { hint: "Send it to another process, or again in a moment." });
}
