import type { Clock } from "../ports/index.js";

const LONGEST_TIMER_MS = 2 ** 31 - 1;

function at(ms: number, fn: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    const leftMs = Math.max(0, ms - Date.now());
    // A timer past 2^31 ms would fire at once.
    timer = leftMs > LONGEST_TIMER_MS ? setTimeout(arm, LONGEST_TIMER_MS) : setTimeout(fn, leftMs);
    (timer as { unref?: () => void }).unref?.();
  };
  arm();
  return () => clearTimeout(timer);
}

/** The clock that the in-process adapters use when they are given none. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now(), at };
