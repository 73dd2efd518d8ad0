import type { Adjustment, Clock, Counters, Demand, Within } from "../../ports/index.js";

export interface OwedCountsOptions {
  readonly counters: Counters;
  readonly clock: Clock;
  /** Asks them if they may be asked now. */
  readonly ask: <T>(ask: (within: Within) => Promise<T>) => Promise<Asked<T>>;
}
/** `isUnsent`: they have not heard of it. Otherwise, without a value, nobody knows. */
export type Asked<T> = { readonly value: T } | { readonly value?: undefined; readonly isUnsent: boolean };

/** What was let through here and the shared counters have not counted yet. */
export interface Owing {
  readonly key: string;
  readonly windowMs: number;
  readonly sinceMs: number;
  cost: number;
  /** The instant that they counted it at; null: not yet. */
  at: number | null;
}
interface Release {
  readonly key: string;
  readonly holder: string;
  readonly sinceMs: number;
}

/** Of each kind; the oldest goes first. */
const MOST = 10_000;
/** How many are told at once. */
const AT_ONCE = 20;
const AGAIN_MS = 250;
/** Who has not been told for so long is dropped: windows are over, and slots end by themselves. */
const LONGEST_MS = 600_000;

/**
 * What the shared counters have yet to be told: spends that this process let through alone, corrections, and slots that are free again. Told when they answer, as spends that cannot be refused, so that what passed
 * while they were slow still counts. It is lost with the process, and what is older than its window is dropped.
 */
export class OwedCounts {
  readonly #o: OwedCountsOptions;
  readonly #spends = new Map<string, Owing>();
  readonly #releases = new Map<string, Release>();
  #adjustments: (Adjustment & { readonly sinceMs: number })[] = [];
  #isSettling = false;
  #cancelTimer: (() => void) | null = null;

  constructor(options: OwedCountsOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#spends.size + this.#releases.size + this.#adjustments.length;
  }

  /** One for each demand that costs something. */
  spend(demands: readonly Demand[]): readonly Owing[] {
    const owing = demands.flatMap(({ key, cost, windowMs }) => {
      if (cost === 0) return [];
      let one = this.#spends.get(key);
      if (one === undefined) this.#keep(this.#spends, key, (one = { key, windowMs, sinceMs: this.#now(), cost: 0, at: null }));
      one.cost += cost;
      return [one];
    });
    this.#later();
    return owing;
  }

  adjust(adjustment: Adjustment): void {
    if (this.#adjustments.length >= MOST) this.#adjustments = this.#adjustments.slice(MOST / 2);
    this.#adjustments.push({ ...adjustment, sinceMs: this.#now() });
    this.#later();
  }

  release(key: string, holder: string): void {
    this.#keep(this.#releases, `${key}\n${holder}`, { key, holder, sinceMs: this.#now() });
    this.#later();
  }

  /** Tells what it can. Never rejects; what could not be told is told later. */
  async settle(): Promise<void> {
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      this.#forget();
      while (this.size > 0 && (await this.#settleSome()));
    } finally {
      this.#isSettling = false;
      if (this.size > 0) this.#later();
    }
  }

  /** False: they do not answer. */
  async #settleSome(): Promise<boolean> {
    const { counters } = this.#o;
    const releases = [...this.#releases].slice(0, AT_ONCE);
    const spends = releases.length > 0 ? [] : [...this.#spends.values()].slice(0, AT_ONCE);
    const adjustments = releases.length + spends.length > 0 ? [] : this.#adjustments.slice(0, AT_ONCE);
    for (const { key } of spends) this.#spends.delete(key);
    const demands = spends.map(({ key, cost, windowMs }) => ({ key, cost, windowMs, limit: Number.MAX_SAFE_INTEGER }));
    const asked = await this.#o.ask(async (within) => {
      await Promise.all(releases.map(([, { key, holder }]) => counters.release(key, holder)));
      await Promise.all(adjustments.map(({ sinceMs: _, ...one }) => counters.adjust(one, within)));
      return spends.length === 0 ? 0 : (await counters.spend(demands, within)).at;
    });
    const isUnsent = asked.value === undefined && asked.isUnsent;
    // Who may have heard it is not told twice; but a slot is free however often it is said.
    if (isUnsent) for (const one of spends) this.#putBack(one);
    else this.#adjustments.splice(0, adjustments.length);
    if (asked.value === undefined) return false;
    for (const [at] of releases) this.#releases.delete(at);
    for (const one of spends) one.at = asked.value;
    return true;
  }

  #putBack(one: Owing): void {
    const newer = this.#spends.get(one.key);
    if (newer === undefined) this.#spends.set(one.key, one);
    else newer.cost += one.cost;
  }

  #forget(): void {
    const nowMs = this.#now();
    for (const [at, { sinceMs, windowMs }] of this.#spends) if (nowMs - sinceMs > windowMs) this.#spends.delete(at);
    for (const [at, { sinceMs }] of this.#releases) if (nowMs - sinceMs > LONGEST_MS) this.#releases.delete(at);
    this.#adjustments = this.#adjustments.filter(({ sinceMs }) => nowMs - sinceMs <= LONGEST_MS);
  }

  #keep<V>(map: Map<string, V>, at: string, value: V): void {
    if (map.size >= MOST) for (const oldest of map.keys()) if (map.delete(oldest)) break;
    map.set(at, value);
  }

  #later(): void {
    if (this.#cancelTimer !== null || this.#isSettling) return;
    this.#cancelTimer = this.#o.clock.at(this.#o.clock.now() + AGAIN_MS, () => {
      this.#cancelTimer = null;
      void this.settle();
    });
  }

  #now(): number {
    return this.#o.clock.monotonic();
  }
}
