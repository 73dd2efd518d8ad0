import type { Clock } from "../../ports/index.js";

export interface HedgeOptions {
  readonly clock: Clock;
  readonly afterMs: number;
  readonly signal: AbortSignal | undefined;
  /** Asked once, when the time is over: whether a second attempt may be made. */
  readonly maySecond: () => boolean;
}

/** Makes an attempt, and a second one when the first has not answered in time. The first answer counts, and the other attempt is aborted; when both fail, the first's failure counts. */
export async function hedged<T>(o: HedgeOptions, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const legs: AbortController[] = [];
  const abortAll = (): void => {
    for (const leg of legs) leg.abort();
  };
  const start = (): Promise<T> => {
    const leg = new AbortController();
    legs.push(leg);
    return attempt(leg.signal);
  };
  o.signal?.addEventListener("abort", abortAll, { once: true });
  let cancelTimer: () => void = () => undefined;
  try {
    const first = start();
    if (o.signal?.aborted === true) abortAll();
    const late = new Promise<"late">((resolve) => (cancelTimer = o.clock.at(o.clock.now() + o.afterMs, () => resolve("late"))));
    const early = await Promise.race([first, late]);
    if (early !== "late") return early;
    if (!o.maySecond()) return await first;
    const second = start();
    return await Promise.any([first, second]).catch(() => first);
  } finally {
    cancelTimer();
    o.signal?.removeEventListener("abort", abortAll);
    abortAll();
  }
}
