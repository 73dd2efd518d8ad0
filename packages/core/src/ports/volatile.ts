import type { Key } from "../entities/index.js";
import type { Within } from "./record-store.js";

// Volatile ports: losing all their content may slow or loosen things, never lose or corrupt.

export interface Demand {
  readonly key: string;
  readonly cost: number;
  readonly limit: number;
  /** One key has one length of window. */
  readonly windowMs: number;
}
export interface Spending {
  readonly ok: boolean;
  readonly refusedBy?: string | undefined;
  /** One entry a demand: what is left of its window. */
  readonly left: readonly number[];
  /** One entry a demand: when the oldest of what its window counts leaves it, Unix ms; 0: it counts nothing. */
  readonly freeAtMs: readonly number[];
  /** When the demand that was refused would fit, if nobody else came; undefined: never, it is larger than its limit. */
  readonly retryAtMs?: number | undefined;
  /** The instant that this was counted at, by a clock of the counters' own: only for `adjust`. */
  readonly at: number;
}
/** What was spent turned out to be another amount. */
export interface Adjustment {
  readonly key: string;
  /** Signed. */
  readonly delta: number;
  /** `Spending.at` of what is corrected. */
  readonly at: number;
}
export interface Slot {
  readonly holder: string;
  readonly max: number;
  readonly untilMs: number;
}
/**
 * Rolling windows and slots. A window is every span of `windowMs`, wherever it begins: what was spent at `t` counts until `t + windowMs`, and at the most a hundredth of `windowMs` longer
 * (so that an implementation may keep a bounded number of buckets a key). N racers never pass more than `limit` in any window on one store. Use never lengthens what earlier use counts for.
 */
export interface Counters {
  /** Spends every demand or none. Atomic per key; a refusal refunds the others (a lost refund is strict, never lax). */
  spend(demands: readonly Demand[], w: Within): Promise<Spending>;
  /**
   * Corrects an estimate after the fact, as if the other amount had been spent then: it counts as long as that does, and a correction of what counts no longer is left alone. Never refuses;
   * no bucket falls below zero.
   */
  adjust(adjustment: Adjustment, w: Within): Promise<void>;
  /** A concurrency slot held by `holder` until released or `untilMs`; repeating it for the same holder renews. */
  hold(key: string, slot: Slot, w: Within): Promise<boolean>;
  release(key: string, holder: string): Promise<void>;
  /** The same, of counters that never wait: a call pays no promise then. What the one counts the other sees. */
  readonly now?: CountersNow | undefined;
}
export interface CountersNow {
  spend(demands: readonly Demand[]): Spending;
  adjust(adjustment: Adjustment): void;
  hold(key: string, slot: Slot): boolean;
  release(key: string, holder: string): void;
}

export interface Cache {
  /** A value past its expiry is never returned. */
  get(key: string, w: Within): Promise<Uint8Array | null>;
  set(key: string, value: Uint8Array, o: { readonly expiresAtMs: number }, w: Within): Promise<void>;
  /** Sets only if absent; of N racers one gets true. A single-flight lease, best effort: correctness must not depend on it. */
  add(key: string, value: Uint8Array, o: { readonly expiresAtMs: number }, w: Within): Promise<boolean>;
  /** `ifValue`: only while it holds this value. Says whether something was removed. */
  remove(key: string, ifValue: Uint8Array | null, w: Within): Promise<boolean>;
}

export interface Bus {
  /** At most once, unordered across publishers, ids only: a hint to re-read the store, never the news itself. */
  publish(topic: string, ids: readonly string[]): Promise<void>;
  /** `onGap` is called after (re)connecting: re-read. Resolves to the unsubscription. */
  subscribe(topic: string, onHint: (ids: readonly string[]) => void, onGap: () => void): Promise<() => Promise<void>>;
}

/** Memory: timers; Redis: BullMQ, one attempt, no payload; SQL alone: none, polling. */
export interface Wakeup {
  /** Says that row `id` may be taken at `dueAtMs`. May be lost, repeated, early or late: the taker still calls `take`. */
  offer(lane: string, id: Key, o: { readonly dueAtMs: number; readonly priority: number }): Promise<void>;
  /** Calls `onId` at most `concurrency` at a time. Resolves to the end of listening, which waits for calls under way. */
  listen(lane: string, o: { readonly concurrency: number }, onId: (id: Key) => Promise<void>): Promise<() => Promise<void>>;
}
