import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";

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
