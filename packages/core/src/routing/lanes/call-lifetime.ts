import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";

/**
 * A signal for work that knows no deadlines: aborted when the caller goes, and when the call's deadline passes. Its reason is always a GatewayError, so that
 * whoever is stopped by it can say why.
 */
export class CallLifetime {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #cancelDeadline: () => void;

  constructor(o: { readonly signal: AbortSignal; readonly deadlineMs: number; readonly clock: Clock }) {
    this.#outer = o.signal;
    if (o.signal.aborted) this.#onAbort();
    else o.signal.addEventListener("abort", this.#onAbort);
    this.#cancelDeadline = o.clock.at(o.deadlineMs, () =>
      this.#controller.abort(
        new GatewayError("deadline_exceeded", "The call did not end before its deadline.", {
          hint: "Ask for less at once, or raise server.timeouts.requestMs.",
        }),
      ),
    );
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The call is over: nothing of it stays behind. */
  release(): void {
    this.#cancelDeadline();
    this.#outer.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#outer.reason;
    this.#controller.abort(GatewayError.is(reason) ? reason : new GatewayError("cancelled", "The call was cancelled.", { cause: reason }));
  };
}
