import type { CallHead } from "../../../calls/index.js";
import { openCalls, type BegunCall } from "../../../entities/index.js";
import { insert, nowPlus, remove, update, type Clock, type RecordStore, type Unit } from "../../../ports/index.js";
import type { EventHub } from "../../../seams/index.js";
import { newId } from "../../../util/ids.js";
import type { OpenCall, Step } from "../../step.js";
import { begunCall } from "./begun-call.js";

export interface OpenCallsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly events: EventHub;
  /** This process. */
  readonly nodeId: string;
  /** How long a row stands that nobody renews. */
  readonly leaseMs: number;
  /** The longest that a call goes on unwritten. */
  readonly waitMs: number;
}

/** Calls that were written together, in one row that goes with the last of them. */
interface Batch {
  readonly id: string;
  left: number;
  renewAtMs: number;
  /** null: it is written, or could not be. */
  writing: Promise<void> | null;
}

/** A store that does not answer keeps no answer back for longer than this. */
const WITHIN_MS = 2_000;
/** Calls of one row. */
const MOST = 500;

/**
 * What is left of a call when its process is killed: which calls have begun, written before the first byte of an answer reaches its caller, and at the latest `waitMs` after the call began. One row holds
 * all calls that began since the row before, so that the calls of a busy process share it, and a call costs next to nothing; it is removed when the last of them has its usage row.
 */
export class OpenCalls {
  readonly #o: OpenCallsOptions;
  /** Begun and not yet written. */
  readonly #waiting = new Map<string, OpenCall<CallHead>>();
  /** Written, or being written. */
  readonly #batches = new Map<string, Batch>();
  readonly #live = new Set<Batch>();
  #over: string[] = [];
  #writing: Promise<void> | null = null;
  /** The last write failed. */
  #isAway = false;
  #cancel: (() => void) | null = null;

  constructor(options: OpenCallsOptions) {
    this.#o = options;
  }

  step(): Step {
    return { name: "open-calls", enter: (call) => this.#begin(call) };
  }

  has(callId: string): boolean {
    return this.#waiting.has(callId) || this.#batches.has(callId);
  }

  /** The call is over and its usage row is on its way. Gives what to do once that is written; null: nothing, the call was never written. */
  over(callId: string): (() => void) | null {
    if (this.#waiting.delete(callId)) return null;
    const batch = this.#batches.get(callId);
    if (batch === undefined) return null;
    return () => this.#gone(callId, batch);
  }

  /** Puts off the end of the rows whose calls are under way, and removes those that are over. Errors: those of the store. */
  async renew(): Promise<void> {
    const nowMs = this.#o.clock.now();
    const due = [...this.#live].filter((batch) => batch.renewAtMs <= nowMs);
    // Who took them for dead a moment ago, or before it was frozen, holds them no longer.
    const change = { set: { expiresAtMs: nowPlus(this.#o.leaseMs) }, add: { attempt: 1 } };
    const units = due.map(({ id }) => unit(update(openCalls, id, { change })));
    await this.#commit([...units, ...this.#removals()]);
    for (const batch of due) batch.renewAtMs = nowMs + this.#o.leaseMs / 3;
  }

  #begin(call: OpenCall<CallHead>): void {
    this.#waiting.set(call.id, call);
    call.holdAnswer(() => this.#written(call.id));
    this.#cancel ??= this.#o.clock.at(this.#o.clock.now() + this.#o.waitMs, () => void this.#write());
    if (this.#waiting.size >= MOST) void this.#write();
  }

  /** Once the call is in the store, with all that began by now; nothing when it is, and while the store is away: usage rows wait for it too, and callers need not. */
  #written(callId: string): void | Promise<void> {
    const written = this.#waiting.has(callId) ? this.#write() : this.#batches.get(callId)?.writing;
    return this.#isAway ? undefined : (written ?? undefined);
  }

  #write(): Promise<void> {
    if (this.#writing !== null) return this.#writing.then(() => (this.#waiting.size > 0 ? this.#write() : undefined));
    this.#cancel?.();
    this.#cancel = null;
    const calls = [...this.#waiting.values()];
    this.#waiting.clear();
    if (calls.length === 0) return Promise.resolve();
    const { clock, leaseMs } = this.#o;
    const batch: Batch = { id: newId("open"), left: calls.length, renewAtMs: clock.now() + leaseMs / 3, writing: null };
    const begun: BegunCall[] = [];
    for (const call of calls) {
      this.#batches.set(call.id, batch);
      begun.push(begunCall(call, this.#o.nodeId));
    }
    this.#live.add(batch);
    const row = insert(openCalls, { id: batch.id, calls: begun, expiresAtMs: nowPlus(leaseMs), attempt: 0 }, "skip");
    const writing = this.#commit([unit(row), ...this.#removals()]).then(
      () => void (this.#isAway = false),
      (error: unknown) => {
        this.#isAway = true;
        this.#o.events.emit("internal.error", { where: "writing which calls are open", error });
      },
    );
    batch.writing = writing;
    this.#writing = writing.then(() => {
      batch.writing = null;
      this.#writing = null;
    });
    return this.#writing;
  }

  #gone(callId: string, batch: Batch): void {
    if (!this.#batches.delete(callId) || --batch.left > 0) return;
    this.#live.delete(batch);
    this.#over.push(batch.id);
  }

  #removals(): Unit[] {
    const over = this.#over;
    this.#over = [];
    return over.map((id) => unit(remove(openCalls, id)));
  }

  async #commit(units: readonly Unit[]): Promise<void> {
    if (units.length > 0) await this.#o.store.commit(units, { deadlineMs: this.#o.clock.now() + WITHIN_MS });
  }
}

function unit(write: Unit["writes"][number]): Unit {
  return { scope: { system: "calls under way" }, writes: [write] };
}
