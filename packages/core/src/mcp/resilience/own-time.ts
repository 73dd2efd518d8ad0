import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { Place } from "./bulkhead.js";

export interface OwnTimeOptions {
  readonly server: string;
  readonly clock: Clock;
  /** The server's own time for a call; undefined: it has none. */
  readonly callMs: number | undefined;
  readonly place: Place;
  readonly signal: AbortSignal | undefined;
}

/**
 * The time that a call has at its server, which stands still while somebody else is waited for: between the first open question and the last answer the call's place is lent to others. When it is over, the signal is
 * aborted with `upstream_timeout`.
 */
export class OwnTime {
  readonly #o: OwnTimeOptions;
  readonly #stop = new AbortController();
  #leftMs: number;
  #sinceMs = 0;
  #open = 0;
  #hasEnded = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: OwnTimeOptions) {
    this.#o = options;
    this.#leftMs = options.callMs ?? Infinity;
    const { signal } = options;
    signal?.addEventListener("abort", this.#gone, { once: true });
    if (signal?.aborted === true) this.#gone();
    this.#run();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Waits for somebody who is not the server. Any number at once. Errors: those of the work. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open++ === 0) this.#pause();
    try {
      return await work();
    } finally {
      if (--this.#open === 0) {
        this.#o.place.takeBack();
        this.#run();
      }
    }
  }

  end(): void {
    this.#hasEnded = true;
    this.#cancelTimer();
    this.#o.signal?.removeEventListener("abort", this.#gone);
  }

  readonly #gone = (): void => this.#stop.abort(this.#o.signal?.reason);

  #pause(): void {
    const { place, clock } = this.#o;
    this.#cancelTimer();
    this.#leftMs -= clock.now() - this.#sinceMs;
    place.lend();
  }

  #run(): void {
    const { clock, server } = this.#o;
    this.#sinceMs = clock.now();
    if (this.#leftMs === Infinity || this.#hasEnded || this.#stop.signal.aborted) return;
    const late = (): void => this.#stop.abort(new GatewayError("upstream_timeout", `The MCP server "${server}" did not answer in time.`));
    this.#cancelTimer = clock.at(this.#sinceMs + this.#leftMs, late);
  }
}
