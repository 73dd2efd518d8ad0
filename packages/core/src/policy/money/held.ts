import type { ReservationShare } from "../../entities/index.js";
import type { Meter } from "../meter.js";
import type { Budget } from "./budget-set.js";
import type { Period } from "./period.js";

/** One attempt that money was set aside for. */
interface Tried {
  readonly meter: Meter;
  readonly provider: string;
  readonly amountNanoUsd: number;
  /** What an honest count cannot exceed; null: nobody knows. */
  readonly mostNanoUsd: number | null;
  /** How many attempts of its meter had failed before it. */
  readonly failuresBefore: number;
}

/** A window that a call has money in. */
export interface HeldShare extends ReservationShare {
  readonly budget: Budget;
  readonly period: Period;
}

/** What one call under budgets has set aside. One writer at a time: `turn`. */
export class Held {
  readonly attempts: Tried[] = [];
  shares: readonly HeldShare[] = [];
  /** Of the whole call; null: a price was not known, and that was allowed. */
  amountNanoUsd: number | null = 0;
  /** The reservation is in the store. */
  stored = false;
  renewAtMs = Infinity;
  #last: Promise<unknown> = Promise.resolve();

  /** After what was begun before it, however that ended. */
  turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** What the call needs in all once `meter` goes on to an attempt that may cost so much: what is spent, and each attempt that still runs. `provider`: of its attempts alone. */
  needs(next: { readonly meter: Meter; readonly provider: string; readonly amountNanoUsd: number }, provider: string | null): number {
    let sum = provider === null || provider === next.provider ? next.amountNanoUsd : 0;
    if (provider === null) sum += next.meter.costNanoUsd ?? 0;
    else sum += costAt(next.meter, provider);
    // One that runs side by side has a meter of its own.
    for (const [meter, last] of this.#others(next.meter)) {
      const runs = (meter.failures?.length ?? 0) <= last.failuresBefore;
      const spent = provider === null ? (meter.costNanoUsd ?? 0) : costAt(meter, provider);
      const here = provider === null || last.provider === provider;
      sum += runs && here ? Math.max(last.amountNanoUsd, spent) : spent;
    }
    return sum;
  }

  /** What no count of this call can exceed; null: nobody knows. */
  most(): number | null {
    let sum = 0;
    for (const { mostNanoUsd, amountNanoUsd } of this.attempts) {
      if (mostNanoUsd === null) return null;
      sum += Math.max(mostNanoUsd, amountNanoUsd);
    }
    return sum;
  }

  #others(meter: Meter): Map<Meter, Tried> {
    const last = new Map<Meter, Tried>();
    for (const tried of this.attempts) if (tried.meter !== meter) last.set(tried.meter, tried);
    return last;
  }
}

/** What of a call's cost this provider's attempts came to. */
export function costAt(meter: Meter, provider: string): number {
  let failed = 0;
  let here = 0;
  for (const { provider: at, costNanoUsd } of meter.failures ?? []) {
    failed += costNanoUsd ?? 0;
    if (at === provider) here += costNanoUsd ?? 0;
  }
  return meter.provider === provider ? here + Math.max(0, (meter.costNanoUsd ?? 0) - failed) : here;
}
