import type { Key } from "../entities/index.js";
import type { Clock, Wakeup } from "../ports/index.js";
import { systemClock } from "./system-clock.js";

interface Hint {
  readonly id: Key;
  readonly dueAtMs: number;
  readonly priority: number;
}
interface Listener {
  readonly onId: (id: Key) => Promise<void>;
  readonly concurrency: number;
  readonly running: Set<Promise<void>>;
}

/** More are dropped: a hint may be lost, the taker polls. */
const MAX_WAITING = 100_000;

/** First index whose element does not come before the hint. */
function placeFor(list: readonly Hint[], hint: Hint, before: (a: Hint, b: Hint) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(hint, list[middle] as Hint)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** One lane: hints that wait for their time, hints whose time has come, and who listens. */
class Lane {
  readonly #clock: Clock;
  readonly #listeners: Listener[] = [];
  readonly #waiting: Hint[] = [];
  readonly #ready: Hint[] = [];
  readonly #known = new Set<Key>();
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  offer(hint: Hint): void {
    // A second offer of one row wakes twice at worst; only an exact repetition of what is ready is dropped.
    if (this.#waiting.length + this.#ready.length >= MAX_WAITING) return;
    if (hint.dueAtMs <= this.#clock.now()) this.#makeReady(hint);
    else {
      this.#waiting.splice(
        placeFor(this.#waiting, hint, (a, b) => a.dueAtMs < b.dueAtMs),
        0,
        hint,
      );
      if (this.#waiting[0] === hint) this.#arm();
    }
    this.#dispatch();
  }

  listen(listener: Listener): () => Promise<void> {
    this.#listeners.push(listener);
    this.#arm();
    this.#dispatch();
    return async () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
      if (this.#listeners.length === 0) this.#disarm();
      await Promise.all(listener.running);
    };
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #arm(): void {
    this.#disarm();
    const first = this.#waiting[0];
    if (first === undefined || this.#listeners.length === 0) return;
    this.#cancelTimer = this.#clock.at(first.dueAtMs, () => {
      this.#cancelTimer = null;
      const nowMs = this.#clock.now();
      while (this.#waiting[0] !== undefined && this.#waiting[0].dueAtMs <= nowMs) this.#makeReady(this.#waiting.shift() as Hint);
      this.#arm();
      this.#dispatch();
    });
  }

  #makeReady(hint: Hint): void {
    if (this.#known.has(hint.id)) return;
    this.#known.add(hint.id);
    this.#ready.splice(
      placeFor(this.#ready, hint, (a, b) => a.priority > b.priority),
      0,
      hint,
    );
  }

  #dispatch(): void {
    for (;;) {
      if (this.#ready.length === 0) return;
      const free = this.#listeners.find((listener) => listener.running.size < listener.concurrency);
      if (free === undefined) return;
      const hint = this.#ready.shift() as Hint;
      this.#known.delete(hint.id);
      // In a later turn: a listener that answers at once would otherwise run inside offer().
      const running: Promise<void> = Promise.resolve()
        .then(() => free.onId(hint.id))
        .catch(() => undefined) // a hint that failed is a hint lost
        .then(() => {
          free.running.delete(running);
          this.#dispatch();
        });
      free.running.add(running);
    }
  }
}

class MemoryWakeup implements Wakeup {
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async offer(lane: string, id: Key, o: { readonly dueAtMs: number; readonly priority: number }): Promise<void> {
    this.#lane(lane).offer({ id, dueAtMs: o.dueAtMs, priority: o.priority });
  }

  async listen(lane: string, o: { readonly concurrency: number }, onId: (id: Key) => Promise<void>): Promise<() => Promise<void>> {
    return this.#lane(lane).listen({ onId, concurrency: o.concurrency, running: new Set() });
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(this.#clock);
      this.#lanes.set(name, lane);
    }
    return lane;
  }
}

/** Timers of this process. Of what is due at once, the higher priority comes first; offers before anybody listens are kept. */
export function memoryWakeup(options: { readonly clock?: Clock } = {}): Wakeup {
  return new MemoryWakeup(options.clock ?? systemClock);
}
