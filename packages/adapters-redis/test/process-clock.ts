import type { Clock } from "@sallyport/core/ports";

/** The clock of this process, as a gateway gives it to what it opens. */
export const processClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  at: (ms, fn) => {
    const timer = setTimeout(fn, Math.max(0, ms - Date.now()));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
