import { GatewayError } from "../../errors/index.js";

/**
 * Lets a few costly hashes be worked out at a time, and a few more wait: each takes tens of milliseconds of a core and megabytes, and whoever can ask for them without a credential must not have
 * the machine. Errors: `overloaded` when too many wait.
 */
export class HashGate {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(o: { readonly most: number; readonly mostWaiting: number }) {
    this.#most = o.most;
    this.#mostWaiting = o.mostWaiting;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) {
      if (this.#waiting.length >= this.#mostWaiting)
        throw new GatewayError("overloaded", "Too many credentials are being checked at once.", { retryAfterMs: 1_000 });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next(); // its place is handed on, not given up
    }
  }
}
