import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";

export interface BulkheadOptions {
  readonly server: string;
  readonly clock: Clock;
  /** At once; undefined: any number. */
  readonly most: number | undefined;
  /** That wait beside them. */
  readonly queued: number;
}

/** A call's place at the server. */
export interface Place {
  /** Gives it back for good. Idempotent. */
  leave(): void;
  /** Others may have it: the server waits for somebody, and does nothing. */
  lend(): void;
  /** The server goes on, at once and beside those who came meanwhile: one that serves one call after the other may be unable to end theirs before this one. */
  takeBack(): void;
}

/** So many calls are at a server at once, and so many more wait for their turn, in the order in which they came. Concurrency: any number of callers; each leaves once. */
export class Bulkhead {
  readonly #o: BulkheadOptions;
  #inFlight = 0;
  readonly #waiting = new Set<() => void>();

  constructor(options: BulkheadOptions) {
    this.#o = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }
  get queued(): number {
    return this.#waiting.size;
  }

  /** A place, given back by what this gives. Errors: `overloaded` when too many wait already; `upstream_timeout`, `cancelled` while it waits. */
  async enter(o: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined }): Promise<Place> {
    const { most } = this.#o;
    if (most !== undefined && this.#inFlight >= most) await this.#turn(o);
    else this.#inFlight++;
    let state: "in" | "lent" | "left" = "in";
    return {
      leave: () => {
        const wasIn = state === "in";
        state = "left";
        if (wasIn) this.#left();
      },
      lend: () => {
        if (state !== "in") return;
        state = "lent";
        this.#left();
      },
      takeBack: () => {
        if (state !== "lent") return;
        state = "in";
        this.#inFlight++;
      },
    };
  }

  /** Whoever leaves hands its place to the first that waits, unless there are too many already. */
  #left(): void {
    const [next] = this.#waiting;
    if (next === undefined || this.#inFlight > (this.#o.most ?? Infinity)) this.#inFlight--;
    else next();
  }

  #turn({ deadlineMs, signal }: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined }): Promise<void> {
    const { server, clock, queued } = this.#o;
    if (this.#waiting.size >= queued)
      return Promise.reject(
        new GatewayError("overloaded", `The MCP server "${server}" is busy, and ${queued} calls wait for it already.`, {
          hint: "Try again in a moment; the operator can raise resilience.maxConcurrent or maxQueued.",
          retryAfterMs: 1_000,
        }),
      );
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#waiting.delete(turn);
        cancelTimer();
        signal?.removeEventListener("abort", gone);
        settle();
      };
      const turn = (): void => end(resolve);
      const late = new GatewayError("upstream_timeout", `There was no time left to wait for the MCP server "${server}", which is busy.`);
      const cancelTimer = clock.at(deadlineMs, () => end(() => reject(late)));
      const gone = (): void => end(() => reject(new GatewayError("cancelled", "The call was cancelled.")));
      this.#waiting.add(turn);
      signal?.addEventListener("abort", gone, { once: true });
      if (signal?.aborted === true) gone();
    });
  }
}
