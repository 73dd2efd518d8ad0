import type { Clock } from "../ports/index.js";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/**
 * A clock that stands still until it is told to move: time, timers and the in-memory store's clock of a test gateway. `advance` runs what
 * falls due in order of its instant, then of creation, and lets pending promises settle between two timers.
 */
export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  readonly #settle: () => Promise<void>;

  /** `settle`: lets what is ready run, between two timers; one turn of the event loop when left out, which is not enough for a store that answers in a later one. */
  constructor(startMs = Date.UTC(2026, 0, 1), o: { readonly settle?: () => Promise<void> } = {}) {
    this.#nowMs = startMs;
    this.#settle = o.settle ?? oneTurn;
  }

  now(): number {
    return this.#nowMs;
  }
  monotonic(): number {
    return this.#nowMs;
  }
  at(ms: number, fn: () => void): () => void {
    const timer = { atMs: ms, order: this.#order++, fn };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward by `ms`, through every timer on the way. */
  async advance(ms: number): Promise<void> {
    await this.runTo(this.#nowMs + ms);
  }

  /** Moves time to the instant, which must not be past. */
  async runTo(atMs: number): Promise<void> {
    await this.#settle();
    for (let next = this.#next(atMs); next !== undefined; next = this.#next(atMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fn();
      await this.#settle();
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue;
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer;
    }
    return first;
  }
}

/** Lets what is ready run: promises, and one turn of the event loop for what needs a macrotask. */
function oneTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
