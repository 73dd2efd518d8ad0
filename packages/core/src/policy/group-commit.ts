import { GatewayError } from "../errors/index.js";
import { faultyUnit } from "../ports/commit-queue.js";
import type { Clock, RecordStore, Unit } from "../ports/index.js";
import { KeepAlive } from "../util/keep-alive.js";

export interface GroupCommitOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  /** Units of one flush: bounds how long a synchronous store blocks the loop. 64 when left out. */
  readonly maxUnits?: number;
  /** Units waiting at the most; more are given up, counted and reported. 10,000 when left out. */
  readonly maxWaiting?: number;
  readonly onError: (error: unknown, lostUnits: number) => void;
}

const FLUSH_MS = 10_000;
/** The first pause before a failed flush is repeated; each further one doubles it, up to the longest. */
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

/**
 * Collects units while one flush is in flight and commits them together. For units that may be repeated without harm (inserts that skip what stands):
 * a flush whose outcome is unknown, or that failed, is sent again until it succeeds. A unit that the store can never take is given up and reported; its neighbours are
 * written. Order between units is not kept.
 */
export class GroupCommit {
  readonly #o: GroupCommitOptions;
  readonly #maxUnits: number;
  readonly #maxWaiting: number;
  #waiting: Unit[] = [];
  #flushing: Promise<void> | null = null;
  #closed = false;
  readonly #keepAlive = new KeepAlive();
  /** Ends the pause before the next try. */
  #hurry: () => void = () => undefined;

  constructor(options: GroupCommitOptions) {
    this.#o = options;
    this.#maxUnits = options.maxUnits ?? 64;
    this.#maxWaiting = options.maxWaiting ?? 10_000;
  }

  /** Takes the unit over; it is written soon. Costs the caller no promise and no wait. */
  add(unit: Unit): void {
    if (this.#closed || this.#waiting.length >= this.#maxWaiting) {
      this.#o.onError(
        new GatewayError("overloaded", "A ledger entry was given up: the store has been away too long.", {
          hint: "Look at the store's errors before this one.",
        }),
        1,
      );
      return;
    }
    this.#waiting.push(unit);
    this.#flushing ??= this.#flushAll();
  }

  /** Resolves when everything added so far is written, or at the deadline. Tries at once, and keeps the process alive meanwhile. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#flushing === null) return;
    this.#keepAlive.acquire();
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => (cancel = this.#o.clock.at(deadlineMs, resolve)));
    this.#hurry();
    await Promise.race([this.#flushing, late]);
    cancel();
    this.#keepAlive.release();
  }

  /** Drains, then refuses what comes later. */
  async close(deadlineMs: number): Promise<void> {
    await this.drain(deadlineMs);
    this.#closed = true;
    const lost = this.#waiting.length;
    this.#waiting = [];
    this.#hurry();
    if (lost > 0)
      this.#o.onError(
        new GatewayError("store_unavailable", `${lost} ledger entries could not be written before the gateway closed.`),
        lost,
      );
  }

  async #flushAll(): Promise<void> {
    await Promise.resolve(); // lets the units of this turn join the first flush
    for (let failures = 0; this.#waiting.length > 0 && !(this.#closed && failures > 0); ) {
      const units = this.#waiting.slice(0, this.#maxUnits);
      try {
        const results = await this.#o.store.commit(units, { deadlineMs: this.#o.clock.now() + FLUSH_MS });
        this.#waiting = this.#waiting.slice(units.length);
        failures = 0;
        for (const result of results)
          if (!result.ok) this.#o.onError(new GatewayError("internal", `A ledger entry was refused by the store (${result.why}).`), 1);
      } catch (error) {
        const fault = faultyUnit(error, units.length);
        if (fault !== null) this.#waiting.splice(fault, 1);
        this.#o.onError(error, fault === null ? 0 : 1);
        if (fault === null) await this.#pause(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** failures++));
      }
    }
    this.#flushing = null;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#o.clock.at(this.#o.clock.now() + ms, resolve);
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
  }
}
