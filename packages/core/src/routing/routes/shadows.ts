import type { Log } from "../../util/log.js";
import { GatewayError } from "../../errors/index.js";

/** More at once are left out: a slow shadow must not pile up. */
const MOST_AT_ONCE = 32;

/** Calls whose answers nobody waits for. They never fail anybody, and end with the gateway. */
export class Shadows {
  readonly #log: Log;
  readonly #under = new Set<AbortController>();
  #isClosed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Begins `work` once the call that it copies went on; what it fails with is only logged. */
  cast(work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#isClosed || this.#under.size >= MOST_AT_ONCE) return;
    const controller = new AbortController();
    this.#under.add(controller);
    Promise.resolve()
      .then(() => work(controller.signal))
      .catch((error: unknown) => this.#log.debug("a shadow call failed", { code: GatewayError.from(error).code }))
      .finally(() => this.#under.delete(controller));
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#under) controller.abort(new GatewayError("shutting_down", "The gateway is closing."));
  }
}
