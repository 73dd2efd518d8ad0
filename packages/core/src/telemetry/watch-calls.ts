import type { CallHead, Outcome } from "../calls/index.js";
import type { OpenCall, Step } from "../policy/step.js";

/** Sees each call begin and end. */
export interface CallObserver {
  /** What is to be done when the call is over; null: nothing. Neither may throw, wait or look at content. */
  begin(call: OpenCall<CallHead>): ((outcome: Outcome) => void) | null;
}

/**
 * Lets observers see every call, also one that policy refuses. Stands behind the audit, so that what they add is counted when the audit is written. What one throws is reported and harms nobody.
 */
export function watchCalls(observers: readonly CallObserver[]): Step {
  return {
    name: "watch-calls",
    enter(call) {
      for (const observer of observers) {
        const end = observer.begin(call);
        if (end !== null) call.defer(end);
      }
    },
  };
}
