import { GatewayError } from "../errors/index.js";
import { faultyUnit } from "../ports/commit-queue.js";
import type { Clock, RecordStore, Unit, UnitResult } from "../ports/index.js";
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
/**
 * After a flush so much is waited for more, or until a flush is full: one that carries much costs a store a fraction for each unit (SQLite at 64 units: 22 µs each, at 8: 35, measured). Who is lost in
 * a crash is lost for no longer than this.
 */
const GATHER_MS = 20;
/** The first pause before a failed flush is repeated; each further one doubles it, up to the longest. */
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

/**
 * Collects units while one flush is in flight, and for 20 ms after it, and commits them together; the first after a quiet time is committed at once. For units that may be repeated without harm (inserts that skip what stands):
 * a flush whose outcome is unknown, or that failed, is sent again until it succeeds. A unit that the store can never take is given up and reported; its neighbours are
 * written. Order between units is not kept.
 */
export class GroupCommit {
  readonly #o: GroupCommitOptions;
  readonly #maxUnits: number;
  readonly #maxWaiting: number;
  #waiting: Unit[] = [];
  /** Who wants to hear what became of a unit. */
  readonly #told = new Map<Unit, (result: UnitResult) => void>();
  #flushing: Promise<void> | null = null;
  #closed = false;
  readonly #keepAlive = new KeepAlive();
  /** Ends the pause before the next try. */
  #hurry: () => void = () => undefined;
  /** Ends the gathering after a flush; null: none is gathering. */
  #gathered: (() => void) | null = null;
  /** Those who wait until everything is written: nothing is gathered meanwhile. */
  #drains = 0;

  constructor(options: GroupCommitOptions) {
    this.#o = options;
    this.#maxUnits = options.maxUnits ?? 64;
    this.#maxWaiting = options.maxWaiting ?? 10_000;
  }

  /** Units that are not written yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Takes the unit over; it is written soon. Costs the caller no promise and no wait. `told` hears the store's answer to it, a refusal too, which then is no error: a repetition of what was written already is
   * refused where it removes a row. It hears nothing of a unit that is given up.
   */
  add(unit: Unit, told?: (result: UnitResult) => void): void {
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
    if (told !== undefined) this.#told.set(unit, told);
    if (this.#flushing === null) this.#flushing = this.#flushAll();
    else if (this.#gathered !== null && this.#waiting.length >= this.#maxUnits) this.#gathered();
  }

  /** Resolves when everything added so far is written, or at the deadline. Tries at once, and keeps the process alive meanwhile. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#flushing === null) return;
    this.#keepAlive.acquire();
    this.#drains++;
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => (cancel = this.#o.clock.at(deadlineMs, resolve)));
    this.#hurry();
    this.#gathered?.();
    await Promise.race([this.#flushing, late]);
    this.#drains--;
    cancel();
    this.#keepAlive.release();
  }

  /** Drains, then refuses what comes later. */
  async close(deadlineMs: number): Promise<void> {
    await this.drain(deadlineMs);
    this.#closed = true;
    const lost = this.#waiting.length;
    this.#waiting = [];
    this.#told.clear();
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
        for (let i = 0; i < units.length; i++) this.#tell(units[i]!, results[i]!);
      } catch (error) {
        const fault = faultyUnit(error, units.length);
        if (fault !== null) for (const unit of this.#waiting.splice(fault, 1)) this.#told.delete(unit);
        this.#o.onError(error, fault === null ? 0 : 1);
        if (fault === null) await this.#pause(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** failures++));
        continue;
      }
      if (this.#drains === 0 && this.#waiting.length < this.#maxUnits) await this.#gather();
    }
    this.#flushing = null;
  }

  /** Of the process's own time, whatever clock the gateway was given: it only decides what is written together. */
  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#gathered = null;
        resolve();
      };
      const timer = setTimeout(end, GATHER_MS);
      this.#gathered = end;
    });
  }

  #tell(unit: Unit, result: UnitResult): void {
    const told = this.#told.size === 0 ? undefined : this.#told.get(unit);
    if (told !== undefined) {
      this.#told.delete(unit);
      told(result);
    } else if (!result.ok) this.#o.onError(new GatewayError("internal", `A ledger entry was refused by the store (${result.why}).`), 1);
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
