import { GatewayError } from "../errors/index.js";
import type { Clock } from "./outside.js";
import type { Within } from "./record-store.js";

export interface PortGuardOptions {
  readonly clock: Clock;
  /** Called once when it stops answering, and once when it answers again. */
  readonly onAway: (error: GatewayError) => void;
  readonly onBack: () => void;
}

/** Longer than this no call waits for a volatile port. */
const ASK_MS = 50;
/** A loop that is busy runs its timers before it reads what has arrived: so often it may still read, a millisecond each time or what a turn of it takes. */
const LAST_TURNS = 10;
/** After a failure the port is left alone: for so long after the first, twice as long after each that follows soon, up to this. */
const FIRST_REST_MS = 50;
export const REST_MS = 1_000;

/**
 * Asks a port that calls can do without: no answer within 50 ms, or an error, is none, and then it is left alone, up to a second when it fails again and again, so that a slow one costs one call of many its time, and one
 * that was late once is asked again soon.
 */
export class PortGuard {
  readonly #o: PortGuardOptions;
  /** By the clock that never goes back. */
  #restUntil = Number.NEGATIVE_INFINITY;
  #restMs = 0;
  #isAway = false;

  constructor(options: PortGuardOptions) {
    this.#o = options;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** It failed a moment ago, and is left alone. */
  get isResting(): boolean {
    return this.#o.clock.monotonic() < this.#restUntil;
  }

  /** What it answers; undefined: nothing. Never throws. */
  async ask<T>(ask: (within: Within) => Promise<T>): Promise<T | undefined> {
    const { clock } = this.#o;
    if (this.isResting) return undefined;
    try {
      const answer = await this.#inTime(ask, clock.now() + ASK_MS);
      if (this.#isAway) {
        this.#isAway = false;
        this.#o.onBack();
      }
      return answer;
    } catch (error) {
      this.#rest(clock.monotonic());
      if (!this.#isAway) {
        this.#isAway = true;
        this.#o.onAway(GatewayError.from(error));
      }
      return undefined;
    }
  }

  /** Calls that were asked together fail together: once. */
  #rest(now: number): void {
    if (now < this.#restUntil) return;
    const isAgain = now - this.#restUntil < REST_MS;
    this.#restMs = isAgain ? Math.min(REST_MS, this.#restMs * 2) : FIRST_REST_MS;
    this.#restUntil = now + this.#restMs;
  }

  #inTime<T>(ask: (within: Within) => Promise<T>, deadlineMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const late = (): void => reject(new GatewayError("deadline_exceeded", "No answer came in time."));
      const { clock } = this.#o;
      let turns = LAST_TURNS;
      const onTime = (): void => (turns-- > 0 ? void (cancel = clock.at(clock.now() + 1, onTime)) : late());
      let cancel = clock.at(deadlineMs, onTime);
      const settle = (then: () => void): void => {
        cancel();
        then();
      };
      ask({ deadlineMs }).then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error as Error)),
      );
    });
  }
}
