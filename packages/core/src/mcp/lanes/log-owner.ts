import type { Clock } from "../../ports/index.js";

/** A server may still log of a call this long after it. */
const AFTERMATH_MS = 60_000;

/**
 * On a connection that several callers share, a log message names no request. It is shown to a caller only while nobody else has used the connection of late;
 * otherwise it might tell one caller of another's work.
 */
export class LogOwner {
  readonly #clock: Clock;
  #last: string | null = null;
  #lastUseMs = 0;
  #mixedUntilMs = 0;
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  used(owner: string | null): void {
    if (owner === null) return;
    const nowMs = this.#clock.now();
    if (this.#last !== null && this.#last !== owner && nowMs - this.#lastUseMs < AFTERMATH_MS) this.#mixedUntilMs = nowMs + AFTERMATH_MS;
    this.#last = owner;
    this.#lastUseMs = nowMs;
  }

  /** Whose a message must be that arrives now; null: it cannot be told. */
  current(): string | null {
    return this.#clock.now() < this.#mixedUntilMs ? null : this.#last;
  }
}
