import type { Clock } from "../../ports/index.js";

const FIRST_MS = 500;
const LAST_MS = 30_000;
/** Attempts that are made by themselves; after them only use tries again. */
const MAX_ATTEMPTS = 10;
/** A connection that held this long has proved itself. */
const STABLE_MS = 10_000;

/** Growing pauses between attempts. */
export class Backoff {
  readonly #clock: Clock;
  #failures = 0;
  #notBeforeMs = 0;
  #upSinceMs: number | null = null;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long nobody may try yet. */
  waitMs(): number {
    return Math.max(0, this.#notBeforeMs - this.#clock.now());
  }

  succeeded(): void {
    this.stop();
    this.#notBeforeMs = 0;
    this.#upSinceMs = this.#clock.now();
  }

  /** Sets the next pause and, while attempts are left, calls `again` at its end. */
  failed(again: (() => void) | null): void {
    this.stop();
    const nowMs = this.#clock.now();
    if (this.#upSinceMs !== null && nowMs - this.#upSinceMs >= STABLE_MS) this.#failures = 0;
    this.#upSinceMs = null;
    const pauseMs = Math.min(FIRST_MS * 2 ** this.#failures, LAST_MS);
    this.#failures = Math.min(this.#failures + 1, MAX_ATTEMPTS + 1);
    this.#notBeforeMs = nowMs + pauseMs;
    if (again === null || this.#failures > MAX_ATTEMPTS) return;
    this.#cancel = this.#clock.at(this.#notBeforeMs, () => {
      // A timer may come a moment early; what it was set for may begin nevertheless.
      this.#notBeforeMs = 0;
      again();
    });
  }

  /** The next attempt may be made at once. */
  forgive(): void {
    this.#notBeforeMs = 0;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
