/** Spends that are closer together than this share of the window are kept as one. */
const BUCKETS = 256;
/** Places of buckets that are over are given back when there are this many. */
const SPENT_PLACES = 64;

/**
 * What one key spent lately. Spends are kept in buckets; one takes in what comes less than `windowMs / 256` after its first spend, and counts until `windowMs` after its last.
 * So each spend counts for at least `windowMs`, and at most a 256th longer: what is accepted at `t` fits beside everything that was accepted in the `windowMs` up to `t`, and every span of that
 * length ends with an accepted spend or has the sum of a shorter one that does. Hence no span holds more than the limit, at the price of a refusal that comes at most 0.4 % of the window too long;
 * a fixed window or a bucket with a burst of `limit` would let twice the limit through where two of them meet.
 * Memory is bounded by the buckets, not by the limit. `t` never decreases.
 */
export class RollingWindow {
  windowMs: number;
  total = 0;
  #first: number[] = [];
  #last: number[] = [];
  #cost: number[] = [];
  /** The oldest bucket that counts. */
  #head = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** Forgets what counts no longer. */
  rollTo(t: number): void {
    const last = this.#last;
    if (this.#head >= last.length || last[this.#head]! + this.windowMs > t) return;
    do this.total -= this.#cost[this.#head++]!;
    while (this.#head < last.length && last[this.#head]! + this.windowMs <= t);
    if (this.#head === last.length) this.#keep(last.length);
    else if (this.#head >= SPENT_PLACES && this.#head * 2 >= last.length) this.#keep(this.#head);
  }

  add(t: number, cost: number): void {
    if (cost === 0) return;
    const end = this.#last.length - 1;
    this.total += cost;
    if (end >= this.#head && t - this.#first[end]! < this.windowMs / BUCKETS) {
      this.#last[end] = t;
      this.#cost[end]! += cost;
      return;
    }
    this.#first.push(t);
    this.#last.push(t);
    this.#cost.push(cost);
  }

  /** Takes back what was just added. */
  undo(cost: number): void {
    if (cost === 0) return;
    const end = this.#cost.length - 1;
    this.total -= cost;
    this.#cost[end]! -= cost;
    if (this.#cost[end] !== 0) return;
    for (const places of [this.#first, this.#last, this.#cost]) places.pop();
  }

  /** Corrects what was added at `at`. */
  adjust(at: number, delta: number): void {
    let low = this.#head;
    let high = this.#first.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#first[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    if (low > high || this.#first[low]! > at || this.#last[low]! < at) return;
    const change = Math.max(delta, -this.#cost[low]!);
    this.#cost[low]! += change;
    this.total += change;
  }

  /** When the oldest of what counts leaves; null: nothing counts. */
  get freeAt(): number | null {
    return this.#head < this.#last.length ? this.#last[this.#head]! + this.windowMs : null;
  }

  /** When so much will have left that the total is at most this; null: nothing has to. */
  fallsTo(most: number): number | null {
    let left = this.total;
    let at: number | null = null;
    for (let i = this.#head; left > most && i < this.#last.length; i++) {
      left -= this.#cost[i]!;
      at = this.#last[i]! + this.windowMs;
    }
    return at;
  }

  #keep(from: number): void {
    this.#first = this.#first.slice(from);
    this.#last = this.#last.slice(from);
    this.#cost = this.#cost.slice(from);
    this.#head = 0;
  }
}
