import { assertWithin, type Clock, type Counters, type Demand, type Spending, type Within } from "../ports/index.js";
import { systemClock } from "./system-clock.js";

interface Window {
  spent: number;
  readonly endsAtMs: number;
}

const SWEEP_AT_LEAST = 1024;

class MemoryCounters implements Counters {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();
  readonly #slots = new Map<string, Map<string, number>>();
  #sweepAt = SWEEP_AT_LEAST;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async spend(demands: readonly Demand[], w: Within): Promise<Spending> {
    const nowMs = this.#clock.now();
    assertWithin(w, nowMs);
    this.#sweep(nowMs);
    const spent: [Window, number][] = [];
    const refused = demands.find((demand) => !this.#spendOne(demand, nowMs, spent));
    if (refused !== undefined) for (const [window, cost] of spent) window.spent -= cost;
    const left = demands.map((demand) => Math.max(0, demand.limit - (this.#windowAt(demand.key, nowMs)?.spent ?? 0)));
    if (refused === undefined) return { ok: true, left };
    const window = this.#windowAt(refused.key, nowMs);
    return { ok: false, refusedBy: refused.key, left, retryAtMs: refused.cost > refused.limit ? undefined : window?.endsAtMs };
  }

  async adjust(key: string, delta: number, w: Within): Promise<void> {
    const nowMs = this.#clock.now();
    assertWithin(w, nowMs);
    const window = this.#windowAt(key, nowMs);
    if (window !== undefined) window.spent = Math.max(0, window.spent + delta);
  }

  async hold(key: string, o: { readonly holder: string; readonly max: number; readonly untilMs: number }, w: Within): Promise<boolean> {
    const nowMs = this.#clock.now();
    assertWithin(w, nowMs);
    let holders = this.#slots.get(key);
    if (holders === undefined) {
      holders = new Map();
      this.#slots.set(key, holders);
    }
    for (const [holder, untilMs] of holders) if (untilMs <= nowMs) holders.delete(holder);
    const granted = holders.has(o.holder) || holders.size < o.max;
    if (granted) holders.set(o.holder, o.untilMs);
    if (holders.size === 0) this.#slots.delete(key);
    return granted;
  }

  async release(key: string, holder: string): Promise<void> {
    const holders = this.#slots.get(key);
    holders?.delete(holder);
    if (holders?.size === 0) this.#slots.delete(key);
  }

  #windowAt(key: string, nowMs: number): Window | undefined {
    const window = this.#windows.get(key);
    return window !== undefined && window.endsAtMs > nowMs ? window : undefined;
  }

  #spendOne(demand: Demand, nowMs: number, spent: [Window, number][]): boolean {
    let window = this.#windowAt(demand.key, nowMs);
    if ((window?.spent ?? 0) + demand.cost > demand.limit) return false;
    if (window === undefined) {
      window = { spent: 0, endsAtMs: nowMs + demand.windowMs };
      this.#windows.set(demand.key, window);
    }
    window.spent += demand.cost;
    spent.push([window, demand.cost]);
    return true;
  }

  /** Each time the map has doubled: O(1) a call on average, and never more than twice what is live. */
  #sweep(nowMs: number): void {
    if (this.#windows.size + this.#slots.size < this.#sweepAt) return;
    for (const [key, window] of this.#windows) if (window.endsAtMs <= nowMs) this.#windows.delete(key);
    for (const [key, holders] of this.#slots) if ([...holders.values()].every((untilMs) => untilMs <= nowMs)) this.#slots.delete(key);
    this.#sweepAt = Math.max(SWEEP_AT_LEAST, 2 * (this.#windows.size + this.#slots.size));
  }
}

/** Counters of this process alone: several processes each allow the whole limit. */
export function memoryCounters(options: { readonly clock?: Clock } = {}): Counters {
  return new MemoryCounters(options.clock ?? systemClock);
}
