import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import { waitWithin } from "../upstream/wait-within.js";

interface Flight<T> {
  readonly work: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}
export interface Waiter {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Equal calls at the same time are one: whoever comes while it is under way waits for the same answer, each with its own patience. It is aborted when nobody waits any more. */
export class SharedFlights<T> {
  readonly #clock: Clock;
  readonly #server: string;
  readonly #flights = new Map<string, Flight<T>>();

  constructor(o: { readonly clock: Clock; readonly server: string }) {
    this.#clock = o.clock;
    this.#server = o.server;
  }

  /** Errors: those of `work`, whose first caller's deadline it has; a caller with more time makes it again by itself then. */
  async join(key: string, o: Waiter, work: (signal: AbortSignal, deadlineMs: number) => Promise<T>): Promise<T> {
    const known = this.#flights.get(key);
    const flight = known ?? this.#begin(key, o, work);
    flight.waiting++;
    try {
      return await waitWithin(flight.work, this.#clock, { ...o, what: `the MCP server "${this.#server}"` });
    } catch (error) {
      const hasTime = known !== undefined && this.#clock.now() < o.deadlineMs && o.signal?.aborted !== true;
      if (hasTime && (GatewayError.is(error, "upstream_timeout") || GatewayError.is(error, "cancelled")))
        return await this.join(key, o, work);
      throw error;
    } finally {
      flight.waiting--;
      if (flight.waiting === 0) flight.stop.abort();
    }
  }

  #begin(key: string, { deadlineMs }: Waiter, work: (signal: AbortSignal, deadlineMs: number) => Promise<T>): Flight<T> {
    const stop = new AbortController();
    const flight: Flight<T> = { stop, waiting: 0, work: work(stop.signal, deadlineMs) };
    const over = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    this.#flights.set(key, flight);
    flight.work.then(over, over);
    stop.signal.addEventListener("abort", over, { once: true });
    return flight;
  }
}
