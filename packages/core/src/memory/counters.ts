import {
  assertWithin,
  type Adjustment,
  type Clock,
  type Counters,
  type CountersNow,
  type Demand,
  type Slot,
  type Spending,
  type Within,
} from "../ports/index.js";
import { RollingWindow } from "./rolling-window.js";
import { systemClock } from "./system-clock.js";

const SWEEP_AT_LEAST = 1024;

/** Windows roll by monotonic time, so that a clock that is set back or forward neither opens nor closes them; slots end by the clock, as their callers say. */
class CountersInMemory implements CountersNow {
  readonly #clock: Clock;
  readonly #windows = new Map<string, RollingWindow>();
  readonly #slots = new Map<string, Map<string, number>>();
  #sweepAt = SWEEP_AT_LEAST;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  spend(demands: readonly Demand[]): Spending {
    const t = this.#clock.monotonic();
    this.#sweep(t);
    const windows: RollingWindow[] = [];
    for (let i = 0; i < demands.length; i++) {
      const demand = demands[i]!;
      const window = this.#windowOf(demand, t);
      if (window.total + demand.cost > demand.limit) {
        for (let j = 0; j < i; j++) windows[j]!.undo(demands[j]!.cost);
        return this.#refused(demands, demand, { window, t });
      }
      window.add(t, demand.cost);
      windows.push(window);
    }
    return { ok: true, ...this.#state(demands, windows, t), at: t };
  }

  adjust({ key, delta, at }: Adjustment): void {
    const window = this.#windows.get(key);
    if (window === undefined) return;
    window.rollTo(this.#clock.monotonic());
    window.adjust(at, delta);
  }

  hold(key: string, o: Slot): boolean {
    const nowMs = this.#clock.now();
    let holders = this.#slots.get(key);
    if (holders === undefined) this.#slots.set(key, (holders = new Map()));
    if (holders.size >= o.max && !holders.has(o.holder))
      for (const [holder, untilMs] of holders) if (untilMs <= nowMs) holders.delete(holder);
    const granted = holders.has(o.holder) || holders.size < o.max;
    if (granted) holders.set(o.holder, o.untilMs);
    if (holders.size === 0) this.#slots.delete(key);
    return granted;
  }

  release(key: string, holder: string): void {
    const holders = this.#slots.get(key);
    holders?.delete(holder);
    if (holders?.size === 0) this.#slots.delete(key);
  }

  #windowOf({ key, windowMs }: Demand, t: number): RollingWindow {
    let window = this.#windows.get(key);
    if (window === undefined) this.#windows.set(key, (window = new RollingWindow(windowMs)));
    window.windowMs = windowMs;
    window.rollTo(t);
    return window;
  }

  #refused(demands: readonly Demand[], demand: Demand, o: { readonly window: RollingWindow; readonly t: number }): Spending {
    const at = demand.cost > demand.limit ? null : o.window.fallsTo(demand.limit - demand.cost);
    const retryAtMs = at === null ? undefined : this.#clock.now() + Math.ceil(at - o.t);
    const windows = demands.map((one) => this.#windowOf(one, o.t));
    return { ok: false, refusedBy: demand.key, ...this.#state(demands, windows, o.t), retryAtMs, at: o.t };
  }

  #state(demands: readonly Demand[], windows: readonly RollingWindow[], t: number): Pick<Spending, "left" | "freeAtMs"> {
    const left: number[] = [];
    const freeAtMs: number[] = [];
    const nowMs = this.#clock.now();
    for (let i = 0; i < demands.length; i++) {
      const { total, freeAt } = windows[i]!;
      left.push(Math.max(0, demands[i]!.limit - total));
      freeAtMs.push(freeAt === null ? 0 : nowMs + Math.floor(freeAt - t));
    }
    return { left, freeAtMs };
  }

  /** Each time the maps have doubled: O(1) a call on average, and never more than twice what is live. */
  #sweep(t: number): void {
    if (this.#windows.size + this.#slots.size < this.#sweepAt) return;
    const nowMs = this.#clock.now();
    for (const [key, window] of this.#windows) {
      window.rollTo(t);
      if (window.freeAt === null) this.#windows.delete(key);
    }
    for (const [key, holders] of this.#slots) if ([...holders.values()].every((untilMs) => untilMs <= nowMs)) this.#slots.delete(key);
    this.#sweepAt = Math.max(SWEEP_AT_LEAST, 2 * (this.#windows.size + this.#slots.size));
  }
}

/** Counters of this process alone: several processes each allow the whole limit. They never wait. */
class MemoryCounters implements Counters {
  readonly now: CountersNow;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.now = new CountersInMemory(clock);
  }

  async spend(demands: readonly Demand[], w: Within): Promise<Spending> {
    assertWithin(w, this.#clock.now());
    return this.now.spend(demands);
  }

  async adjust(adjustment: Adjustment, w: Within): Promise<void> {
    assertWithin(w, this.#clock.now());
    this.now.adjust(adjustment);
  }

  async hold(key: string, slot: Slot, w: Within): Promise<boolean> {
    assertWithin(w, this.#clock.now());
    return this.now.hold(key, slot);
  }

  async release(key: string, holder: string): Promise<void> {
    this.now.release(key, holder);
  }
}

export function memoryCounters(options: { readonly clock?: Clock } = {}): Counters & { readonly now: CountersNow } {
  return new MemoryCounters(options.clock ?? systemClock);
}
