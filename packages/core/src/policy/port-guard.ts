import { GatewayError } from "../errors/index.js";
import type { Clock, Within } from "../ports/index.js";

export interface PortGuardOptions {
  readonly clock: Clock;
  /** Called once when it stops answering, and once when it answers again. */
  readonly onAway: (error: GatewayError) => void;
  readonly onBack: () => void;
}

/** Longer than this no call waits for a volatile port. */
const ASK_MS = 50;
/** After a failure the port is left alone for this long. */
export const REST_MS = 1_000;

/** Asks a port that calls can do without: no answer within 50 ms, or an error, is none, and then it is left alone for a second, so that a slow one costs one call of many its time. */
export class PortGuard {
  readonly #o: PortGuardOptions;
  #restUntilMs = 0;
  #isAway = false;

  constructor(options: PortGuardOptions) {
    this.#o = options;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** What it answers; undefined: nothing. Never throws. */
  async ask<T>(ask: (within: Within) => Promise<T>): Promise<T | undefined> {
    const { clock } = this.#o;
    const nowMs = clock.now();
    if (nowMs < this.#restUntilMs) return undefined;
    try {
      const answer = await this.#inTime(ask, nowMs + ASK_MS);
      if (this.#isAway) {
        this.#isAway = false;
        this.#o.onBack();
      }
      return answer;
    } catch (error) {
      this.#restUntilMs = clock.now() + REST_MS;
      if (!this.#isAway) {
        this.#isAway = true;
        this.#o.onAway(GatewayError.from(error));
      }
      return undefined;
    }
  }

  #inTime<T>(ask: (within: Within) => Promise<T>, deadlineMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const late = (): void => reject(new GatewayError("deadline_exceeded", "No answer came in time."));
      const cancel = this.#o.clock.at(deadlineMs, late);
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
