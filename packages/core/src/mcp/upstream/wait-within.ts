import { GatewayError } from "../../errors/index.js";
import type { Caller } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import type { ExchangeOptions } from "../lanes/lane.js";

/** How long somebody waits, and who: it matters where each caller signs in. */
export interface Patience {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly caller?: Caller | undefined;
  readonly asker?: ExchangeOptions["asker"];
}

/** With the time that the server's operator gives each call, where that is shorter. What has a time of its own keeps it. */
export function withinItsTime(o: ExchangeOptions, callMs: number | undefined, clock: Clock): ExchangeOptions {
  if (callMs === undefined || o.aside !== undefined) return o;
  const latestMs = clock.now() + callMs;
  return latestMs < o.deadlineMs ? { ...o, deadlineMs: latestMs } : o;
}

/** Waits for shared work, each waiter with its own patience: what one gives up goes on for the others. Errors: `upstream_timeout`, `cancelled`. */
export function waitWithin<T>(
  work: Promise<T>,
  clock: Clock,
  o: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined; readonly what: string },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => finish(() => reject(new GatewayError("cancelled", "The call was cancelled.")));
    const cancelTimer = clock.at(o.deadlineMs, () =>
      finish(() => reject(new GatewayError("upstream_timeout", `There was no time left to wait for ${o.what}.`))),
    );
    const finish = (settle: () => void) => {
      cancelTimer();
      o.signal?.removeEventListener("abort", onAbort);
      settle();
    };
    o.signal?.addEventListener("abort", onAbort, { once: true });
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
    if (o.signal?.aborted === true) onAbort();
  });
}
