import type { RunEvent } from "../calls/index.js";
import { interrupt, run, runEvent, runStep, type RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { CommitQueue } from "../ports/commit-queue.js";
import { append, insert, now, nowPlus, update, type Change, type Clock, type Unit, type UnitResult, type Write } from "../ports/index.js";
import type { HeldLease } from "../ports/lease-keeper.js";
import { newId } from "../util/ids.js";
import type { JournalEntry } from "./journal.js";

export interface RunWriterOptions {
  readonly queue: CommitQueue;
  readonly clock: Clock;
  /** As it was taken. */
  readonly row: RunRow;
  readonly leaseMs: number;
  readonly lastEventSeq: number;
  readonly lease: HeldLease;
  /** After every write that stored events. */
  readonly onStored: () => void;
  /** A write that nobody waits for failed for good. */
  readonly onFailed: (error: GatewayError) => void;
}
export interface RunWrite {
  readonly events?: readonly RunEvent[];
  readonly journal?: readonly JournalEntry[];
  readonly set?: Change<RunRow>["set"];
}
type Status = RunRow["status"];

/** Deltas wait this long at most for others to share a write with. */
const FLUSH_MS = 50;
const MAX_BUFFERED_EVENTS = 64;
const MAX_DELTA_CHARS = 16_384;
/** More unwritten text than this, and the model is made to wait. */
const BACKLOG_CHARS = 1_048_576;
const REPEAT_MS = [50, 200, 1000] as const;

interface Batch {
  events: RunEvent[];
  journal: JournalEntry[];
  set: NonNullable<Change<RunRow>["set"]>;
  end: Status | null;
  /** Written with the end where it can be: what its refusal does not keep from ending. */
  also: readonly Write[];
  /** Somebody waits for it. */
  urgent: boolean;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: GatewayError) => void;
}

/**
 * The writes of one attempt at a run: one at a time and in order, each guarded by attempt and lease, each renewing the lease. Events and journal entries of one moment are one unit. Deltas are
 * gathered: the first is written at once, what follows within 50 ms shares a write, and neighbours become one event.
 *
 * A write is repeated while the store is away. When it could not say whether it had written, the last sequence numbers tell: only this writer appends while it holds the fence.
 */
export class RunWriter {
  readonly #o: RunWriterOptions;
  #lastEventSeq: number;
  #lastStepSeq = 0;
  #next: Batch = newBatch();
  #writing: Promise<void> | null = null;
  #lastDeltaAtMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;
  #bufferedChars = 0;
  #failed: GatewayError | null = null;

  constructor(options: RunWriterOptions) {
    this.#o = options;
    this.#lastEventSeq = options.lastEventSeq;
  }

  /** The journal goes on after this entry. */
  continueJournal(lastSeq: number): void {
    this.#lastStepSeq = lastSeq;
  }

  /** Takes a delta over. A promise when so much is unwritten that the source should wait for it. */
  delta(event: Extract<RunEvent, { type: "text.delta" | "reasoning.delta" }>): void | Promise<void> {
    if (this.#failed !== null) throw this.#failed;
    const { events } = this.#next;
    const last = events.at(-1);
    if (last !== undefined && last.type === event.type && last.step === event.step && last.text.length < MAX_DELTA_CHARS)
      events[events.length - 1] = { ...last, text: last.text + event.text };
    else events.push(event);
    this.#bufferedChars += event.text.length;
    if (this.#bufferedChars > BACKLOG_CHARS) return this.flush();
    if (this.#writing !== null) return;
    if (events.length >= MAX_BUFFERED_EVENTS) return this.#startWriting();
    this.#arm();
  }

  /** Resolves when it is stored, with everything before it. Errors: `lease_lost`, those of the store that no repetition mends. */
  write(o: RunWrite): Promise<void> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    this.#next.events.push(...(o.events ?? []));
    this.#next.journal.push(...(o.journal ?? []));
    Object.assign(this.#next.set, o.set);
    return this.flush();
  }

  /**
   * The last write: the run's end, with its terminal event. A run whose cancellation was asked for ends in no other way: then nothing is written, and this rejects with `cancelled`. After a
   * write that the store refuses it may still be called: the refused one is left out. `also`: what else is written in that unit, unless a guard of its own refuses it.
   */
  async end(
    status: "succeeded" | "failed" | "cancelled",
    event: RunEvent,
    { set, also = [] }: { readonly set: Change<RunRow>["set"]; readonly also?: readonly Write[] },
  ): Promise<void> {
    if (this.#failed !== null && !isRefusal(this.#failed)) throw this.#failed;
    await this.#writing;
    if (this.#failed !== null) {
      if (!isRefusal(this.#failed)) throw this.#failed;
      this.#failed = null;
      this.#next = newBatch();
    }
    const batch = this.#next;
    const before = batch.events.length;
    batch.events.push(event);
    Object.assign(batch.set, set, { status, finishedAtMs: now });
    batch.end = status;
    batch.also = also;
    await this.flush().catch((error: unknown) => {
      if (!GatewayError.is(error, "cancelled")) throw error;
      // The deltas and entries before the end are still owed, with whatever end comes now.
      this.#failed = null;
      this.#next = newBatch();
      this.#next.events.push(...batch.events.slice(0, before));
      this.#next.journal.push(...batch.journal);
      throw error;
    });
  }

  /** Writes what is left and lets go of the run, so that any process can take it at once. */
  async release(): Promise<void> {
    await this.#writing;
    Object.assign(this.#next.set, { leaseUntilMs: now });
    await this.flush();
  }

  /** Writes what is left and lets go of the run until somebody wakes it: whoever decides on one of these items of the inbox. One whose cancellation was asked for does not wait: then this rejects with `cancelled`, and nothing of it is written. */
  async wait(itemIds: readonly string[]): Promise<void> {
    await this.#writing;
    if (this.#failed !== null) throw this.#failed;
    Object.assign(this.#next.set, { status: "waiting", leaseUntilMs: now, waitingSinceMs: now });
    this.#next.end = "waiting";
    const { id: runId, projectId } = this.#o.row;
    this.#next.also = itemIds.map((itemId) => insert(interrupt, { id: newId("int"), projectId, runId, itemId }));
    await this.flush();
  }

  /** Resolves when everything so far is stored. */
  flush(): Promise<void> {
    const batch = this.#next;
    batch.urgent = true;
    this.#startWriting();
    return batch.done;
  }

  #arm(): void {
    if (this.#cancelTimer !== null) return;
    const { clock } = this.#o;
    const waitMs = this.#lastDeltaAtMs + FLUSH_MS - clock.monotonic();
    if (waitMs <= 0) return this.#startWriting();
    this.#cancelTimer = clock.at(clock.now() + Math.ceil(waitMs), () => {
      this.#cancelTimer = null;
      this.#startWriting();
    });
  }

  #startWriting(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // lets the writes of this turn share one unit
    do {
      const batch = this.#next;
      this.#next = newBatch();
      this.#bufferedChars = 0;
      try {
        await this.#store(batch);
        batch.resolve();
        if (batch.events.length > 0) this.#o.onStored();
      } catch (error) {
        this.#fail(GatewayError.from(error), batch);
      }
    } while (this.#failed === null && this.#next.urgent);
    this.#writing = null;
    if (this.#failed === null && this.#next.events.length > 0) this.#arm();
  }

  #fail(error: GatewayError, batch: Batch): void {
    this.#failed = error;
    batch.reject(error);
    this.#next.reject(error);
    // Asked to end otherwise: the loop hears of it from its own write.
    if (error.code !== "cancelled") this.#o.onFailed(error);
  }

  async #store(batch: Batch): Promise<void> {
    const sentAtMs = this.#o.clock.monotonic();
    if (batch.events.some(isDelta)) this.#lastDeltaAtMs = sentAtMs;
    const unit = this.#unit(batch);
    await this.#commit(unit, batch);
    this.#o.lease.renewed(sentAtMs);
    this.#lastEventSeq += batch.events.length;
    this.#lastStepSeq += batch.journal.length;
  }

  async #commit(whole: Unit, batch: Batch): Promise<void> {
    let unit = whole;
    let unsure = false;
    for (let attempt = 0; ; attempt++) {
      let result: UnitResult;
      try {
        result = await this.#o.queue.commit(unit);
      } catch (error) {
        if (!GatewayError.is(error) || !error.retryable) throw error;
        unsure ||= error.details?.["outcome"] !== "none";
        await this.#pause(REPEAT_MS[Math.min(attempt, REPEAT_MS.length - 1)]!);
        if (this.#failed !== null) throw this.#failed;
        continue;
      }
      if (result.ok) return;
      const own = whole.writes.length - batch.also.length;
      if (result.failed >= own) {
        unit = { ...whole, writes: whole.writes.slice(0, own) };
        continue;
      }
      const current = result.current as RunRow | null;
      if (unsure && result.why === "last") return;
      if (current?.attempt === this.#o.row.attempt && current.holder === this.#o.row.holder) {
        if (unsure && batch.end !== null && current.status === batch.end) return;
        if (current.status === "running" && current.cancelRequested && batch.end !== null && batch.end !== "cancelled")
          throw new GatewayError("cancelled", current.cancelReason ?? "");
      }
      throw new GatewayError("lease_lost", `The run ${this.#o.row.id} is no longer this process's to write (${result.why}).`);
    }
  }

  /** The lease keeper found that the run belongs to somebody else: nothing more is written. */
  lose(why: GatewayError): void {
    if (this.#failed !== null) return;
    this.#failed = why;
    this.#next.reject(why);
  }

  #unit(batch: Batch): Unit {
    const { row, leaseMs } = this.#o;
    const { id, projectId, attempt, holder } = row;
    // The number alone is not enough: a store that was set back gives it a second time, to another.
    const guard = { attempt, holder, status: "running", leaseUntilMs: { gt: now } } as const;
    const where = batch.end !== null && batch.end !== "cancelled" ? { ...guard, cancelRequested: false } : guard;
    const writes: Write[] = [update(run, id, { change: { set: { leaseUntilMs: nowPlus(leaseMs), ...batch.set } }, where })];
    if (batch.events.length > 0)
      writes.push(
        append(runEvent, id, { entries: batch.events.map((event) => ({ projectId, event: { ...event } })), ifLast: this.#lastEventSeq }),
      );
    if (batch.journal.length > 0)
      writes.push(
        append(runStep, id, {
          entries: batch.journal.map(({ kind, step, body }) => ({ projectId, attempt, step, kind, body: { ...body } })),
          ifLast: this.#lastStepSeq,
        }),
      );
    writes.push(...batch.also);
    return { scope: { projects: [projectId] }, writes };
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#o;
    return new Promise((resolve) => clock.at(clock.now() + ms, resolve));
  }
}

/** The store is there and will never take what was to be written; nothing of it is stored, and the run is still ours. */
export function isRefusal(error: unknown): boolean {
  return GatewayError.is(error) && !error.retryable && error.code !== "lease_lost" && error.code !== "cancelled";
}

function isDelta({ type }: RunEvent): boolean {
  return type === "text.delta" || type === "reasoning.delta";
}

function newBatch(): Batch {
  let resolve!: () => void;
  let reject!: (error: GatewayError) => void;
  const done = new Promise<void>((onDone, onFail) => {
    resolve = onDone;
    reject = onFail;
  });
  // Nobody need wait for deltas: their failure is told to `onFailed`.
  done.catch(() => undefined);
  return { events: [], journal: [], set: {}, end: null, also: [], urgent: false, done, resolve, reject };
}
