import type { Key } from "../entities/index.js";
import type { Within } from "./record-store.js";

// Volatile ports: losing all their content may slow or loosen things, never lose or corrupt.

export interface Demand {
  readonly key: string;
  readonly cost: number;
  readonly limit: number;
  readonly windowMs: number;
}
export interface Spending {
  readonly ok: boolean;
  readonly refusedBy?: string | undefined;
  /** One entry a demand: what is left of its window. */
  readonly left: readonly number[];
  readonly retryAtMs?: number | undefined;
}
export interface Counters {
  /**
   * Spends every demand or none. Atomic per key; a refusal refunds the others (a lost refund is strict, never lax).
   * N racers never pass more than `limit` a window on one store. Window and TTL start at first use and are never extended by use.
   */
  spend(demands: readonly Demand[], w: Within): Promise<Spending>;
  /** Corrects an estimate after the fact (signed). Never refuses. A window that is over is left alone. */
  adjust(key: string, delta: number, w: Within): Promise<void>;
  /** A concurrency slot held by `holder` until released or `untilMs`; repeating it for the same holder renews. */
  hold(key: string, o: { readonly holder: string; readonly max: number; readonly untilMs: number }, w: Within): Promise<boolean>;
  release(key: string, holder: string): Promise<void>;
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
