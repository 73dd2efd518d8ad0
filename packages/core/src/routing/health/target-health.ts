import { Breaker, FAILURES_TO_OPEN } from "../../policy/resilience/breaker.js";

/** What a new measurement of the time to begin counts against those before it. */
const NEWEST_SHARE = 0.3;
/** A measurement that is older says nothing any more: the target is measured anew. */
const LATENCY_HOLDS_MS = 300_000;
/** A success makes a target known to work for this long. */
const PROVEN_MS = 60_000;

/** One call at a target, from its attempt to its end. */
export interface Visit {
  /** The answer began, `tookMs` after the attempt: the target works. null: it works, but did not answer this call. */
  began(tookMs: number | null): void;
  /** The target failed; before the answer began, or within it. The visit is over. */
  failed(nowMs: number): void;
  /** The visit is over; before the answer began it says nothing of the target. */
  over(): void;
}

/**
 * What this process knows of one target: its breaker, how long it is to be left alone, how quickly it begins to answer, and the calls under way.
 * Concurrency: any number of visits; each says once how it ended.
 */
export class TargetHealth {
  readonly breaker = new Breaker();
  #inFlight = 0;
  #coolUntilMs = 0;
  #beginsInMs: number | null = null;
  #measuredAtMs = 0;
  #provenUntilMs = 0;
  #standIns = 0;
  /** Calls that wait to stand in here. */
  readonly #waiting = new Set<() => void>();

  /** Calls under way, streams that are not read to their end included. */
  get inFlight(): number {
    return this.#inFlight;
  }
  /** Unix ms; past when it may be called. */
  get coolUntilMs(): number {
    return this.#coolUntilMs;
  }

  /** How long it takes to begin an answer, a moving average in ms; null: not measured lately. */
  beginsInMs(nowMs: number): number | null {
    return nowMs - this.#measuredAtMs > LATENCY_HOLDS_MS ? null : this.#beginsInMs;
  }

  /** It asked to be left alone until then. A shorter time does not replace a longer one. */
  coolDown(untilMs: number): void {
    this.#coolUntilMs = Math.max(this.#coolUntilMs, untilMs);
  }

  /** null: the breaker lets nobody through. */
  enter(nowMs: number): Visit | null {
    const admitted = this.breaker.admit(nowMs);
    return admitted === null ? null : this.#visit(nowMs, { isProbe: admitted === "probe", isStandIn: false });
  }

  /**
   * As `enter`, for a call that failed elsewhere. When a whole stream of calls fails over to a target of which nobody knows whether it works, five try it and the others wait for what they
   * find: a second vendor that is down as well must not be hit by all of them. null too when they found that it does not work. The wait ends with `signal`.
   */
  async enterAsStandIn(now: () => number, signal: AbortSignal): Promise<Visit | null> {
    while (this.#isDoubtful(now()) && !signal.aborted) await this.#somethingHappens(signal);
    const nowMs = now();
    const admitted = this.breaker.admit(nowMs);
    return admitted === null ? null : this.#visit(nowMs, { isProbe: admitted === "probe", isStandIn: nowMs >= this.#provenUntilMs });
  }

  /** Nobody knows whether it works, and those who are finding out are enough to open the breaker when it does not. */
  #isDoubtful(nowMs: number): boolean {
    if (nowMs < this.#provenUntilMs || this.breaker.state(nowMs) !== "closed") return false;
    return this.#standIns + this.breaker.failures >= FAILURES_TO_OPEN;
  }

  #visit(enteredAtMs: number, o: { readonly isProbe: boolean; readonly isStandIn: boolean }): Visit {
    this.#inFlight++;
    if (o.isStandIn) this.#standIns++;
    let isOpen = true;
    let hasBegun = false;
    const end = (): boolean => {
      if (!isOpen) return false;
      isOpen = false;
      this.#inFlight--;
      if (!hasBegun) this.#answered(o);
      return true;
    };
    return {
      began: (tookMs) => {
        if (!isOpen || hasBegun) return;
        hasBegun = true;
        const beganAtMs = enteredAtMs + (tookMs ?? 0);
        // What had opened is closed by an answer that begins; failures in a row are over when one ends well: streams may begin, and break off, each time.
        if (this.breaker.state(beganAtMs) !== "closed") this.breaker.succeeded();
        if (tookMs !== null) this.#measured(tookMs, beganAtMs);
        this.#provenUntilMs = beganAtMs + PROVEN_MS;
        this.#answered(o);
      },
      failed: (nowMs) => {
        if (!isOpen) return;
        this.breaker.failed(nowMs);
        this.#provenUntilMs = 0;
        end();
      },
      over: () => {
        if (!end()) return;
        if (hasBegun) this.breaker.succeeded();
        else if (o.isProbe) this.breaker.probeLeft();
      },
    };
  }

  #answered({ isStandIn }: { readonly isStandIn: boolean }): void {
    if (isStandIn) this.#standIns--;
    for (const wake of [...this.#waiting]) wake();
  }

  #measured(ms: number, atMs: number): void {
    const before = this.beginsInMs(atMs);
    this.#beginsInMs = before === null ? ms : before + NEWEST_SHARE * (ms - before);
    this.#measuredAtMs = atMs;
  }

  #somethingHappens(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
