/** Failures in a row after which a target is left alone, unless it is said otherwise. */
export const FAILURES_TO_OPEN = 5;
/** For how long at first; each time that the probe fails it doubles, up to the longest. */
const OPEN_MS = 5_000;
const LONGEST_OPEN_MS = 60_000;

export type BreakerState = "closed" | "open" | "half-open";

export interface BreakerOptions {
  /** Failures in a row that open it; 5 when left out. */
  readonly failures?: number | undefined;
  /** For how long it is open at first; 5 s when left out. */
  readonly openMs?: number | undefined;
}

/**
 * The circuit breaker of one target. Closed: all calls pass. After so many failures in a row it opens: none pass. When its time is over it is half open: one call at a time
 * passes, and how that ends closes it or opens it again for longer.
 */
export class Breaker {
  readonly #limit: number;
  readonly #openMs: number;
  #failures = 0;
  #opened = 0;
  #openUntilMs = 0;
  #probing = false;

  constructor(o: BreakerOptions = {}) {
    this.#limit = o.failures ?? FAILURES_TO_OPEN;
    this.#openMs = o.openMs ?? OPEN_MS;
  }

  state(nowMs: number): BreakerState {
    if (this.#opened === 0) return "closed";
    return nowMs < this.#openUntilMs ? "open" : "half-open";
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }
  /** Unix ms; past when it is closed or half open. */
  get openUntilMs(): number {
    return this.#openUntilMs;
  }
  /** A half-open breaker's one call is under way. */
  get isProbing(): boolean {
    return this.#probing;
  }

  /** Whether a call may pass now: as usual, or as the one probe of a half-open breaker. A call that passes says how it ended. */
  admit(nowMs: number): "pass" | "probe" | null {
    const state = this.state(nowMs);
    if (state === "closed") return "pass";
    if (state === "open" || this.#probing) return null;
    this.#probing = true;
    return "probe";
  }

  succeeded(): void {
    this.#failures = 0;
    this.#opened = 0;
    this.#openUntilMs = 0;
    this.#probing = false;
  }

  failed(nowMs: number): void {
    this.#failures++;
    // Calls that were under way when it opened are old news.
    if (this.#failures < this.#limit || this.state(nowMs) === "open") return;
    this.#probing = false;
    this.#openUntilMs = nowMs + Math.min(Math.max(LONGEST_OPEN_MS, this.#openMs), this.#openMs * 2 ** this.#opened);
    this.#opened++;
  }

  /** The probe ended without saying anything of the target: its caller went. */
  probeLeft(): void {
    this.#probing = false;
  }
}
