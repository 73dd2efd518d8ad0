import type { RouteRules } from "../../entities/index.js";
import type { GatewayError } from "../../errors/index.js";

/**
 * How long to wait before a repetition: full jitter, so that callers who failed together do not come back together; after what the vendor asked for, where it did. null: it asked for
 * more than the route waits for.
 */
export function pauseMs(
  retry: number,
  failure: GatewayError,
  o: { readonly retries: RouteRules["retries"]; readonly random: () => number },
): number | null {
  const { baseMs, maxMs } = o.retries;
  const asked = Math.max(0, failure.retryAfterMs ?? 0);
  if (asked > maxMs) return null;
  return asked + o.random() * Math.min(maxMs, baseMs * 2 ** retry);
}
