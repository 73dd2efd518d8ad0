/** No retry waits longer by backoff alone. */
export const MAX_BACKOFF_MS = 3_600_000;

/**
 * How long a task waits for its next attempt: exponential with full jitter, a random time up to `backoffMs` × 2^(failures - 1), at most an hour, so that tasks that failed together do not
 * come back together (AWS Architecture Blog, "Exponential Backoff And Jitter"). What the error asked for is the least.
 */
export function retryDelayMs(o: {
  readonly failures: number;
  readonly backoffMs: number;
  readonly retryAfterMs?: number | undefined;
  readonly random: () => number;
}): number {
  const ceilingMs = Math.min(MAX_BACKOFF_MS, o.backoffMs * 2 ** Math.min(30, Math.max(0, o.failures - 1)));
  const jitteredMs = Math.floor(o.random() * ceilingMs);
  return Math.max(jitteredMs, Math.min(MAX_BACKOFF_MS, Math.max(0, o.retryAfterMs ?? 0)));
}
