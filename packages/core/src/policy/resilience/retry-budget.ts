/** A repetition is paid for by this many calls. */
const CALLS_A_RETRY = 10;
/** What may be saved up: bounds a burst of repetitions after a long quiet time. */
const MOST_SAVED = 10;
/** What a process begins with, so that the first failure of all can be repeated. */
const AT_FIRST = 2;

/**
 * How many repetitions a provider may be sent, over all calls of the process: one for ten calls. So a provider that is down altogether sees a tenth more than it was
 * offered, whatever each call's own limit says (the adaptive budget of the SRE book, chapter 21).
 */
export class RetryBudget {
  /** In calls, so that the sum stays exact. */
  #saved = AT_FIRST * CALLS_A_RETRY;

  /** A call is sent to the provider for the first time. */
  offered(): void {
    if (this.#saved < MOST_SAVED * CALLS_A_RETRY) this.#saved++;
  }

  /** Whether a repetition may be sent; it is paid for then. */
  take(): boolean {
    if (this.#saved < CALLS_A_RETRY) return false;
    this.#saved -= CALLS_A_RETRY;
    return true;
  }

  /** Repetitions that could be sent now. */
  get left(): number {
    return Math.floor(this.#saved / CALLS_A_RETRY);
  }
}
