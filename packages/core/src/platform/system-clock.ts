import type { Clock } from "../ports/index.js";

/** The longest wait a timer takes; a longer one would fire at once. */
const LONGEST_MS = 2_147_483_647;

/** The process's clock. Timers do not keep the process alive where the runtime can say so. */
export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  at(atMs, fn) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const waitMs = atMs - Date.now();
      timer = waitMs > LONGEST_MS ? setTimeout(arm, LONGEST_MS) : setTimeout(fn, Math.max(0, waitMs));
      // A browser's or worker's timer is a number, and keeps nothing alive.
      if (typeof timer === "object") timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
