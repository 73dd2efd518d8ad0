import type { ModelEvent } from "../../calls/index.js";
import type { Delivered } from "../../policy/money/delivered.js";
import { GatewayError } from "../../errors/index.js";

export interface Watch {
  /** Counts what goes by. */
  readonly delivered: Delivered;
  /** Each usage seen; the last is true. */
  usage(event: Extract<ModelEvent, { type: "usage" }>): void;
  /** The stream broke off after its first event; gives what may be told of it. */
  failed(error: GatewayError): GatewayError;
}

/**
 * A stream of events whose first event has arrived: what fails before it is thrown here, while another provider can still be tried. Usage is noted as it passes. One
 * promise an event, no generator: this is on the way of every event.
 */
export async function beginEvents(source: AsyncIterable<ModelEvent>, watch: Watch): Promise<AsyncIterable<ModelEvent>> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw new GatewayError("upstream_interrupted", "The model's answer ended before it began.");
  return new MeteredEvents(iterator, first, watch);
}

class MeteredEvents implements AsyncIterableIterator<ModelEvent> {
  readonly #source: AsyncIterator<ModelEvent>;
  readonly #watch: Watch;
  #first: IteratorResult<ModelEvent> | null;

  constructor(source: AsyncIterator<ModelEvent>, first: IteratorResult<ModelEvent>, watch: Watch) {
    this.#source = source;
    this.#first = first;
    this.#watch = watch;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ModelEvent>> {
    const first = this.#first;
    if (first === null) return this.#source.next().then(this.#seen, this.#failed);
    this.#first = null;
    return Promise.resolve(this.#seen(first));
  }

  async return(): Promise<IteratorResult<ModelEvent>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  readonly #seen = (result: IteratorResult<ModelEvent>): IteratorResult<ModelEvent> => {
    if (result.done === true) return result;
    const event = result.value;
    if (event.type === "usage") this.#watch.usage(event);
    else if (event.type === "text-delta" || event.type === "reasoning-delta" || event.type === "tool-call-delta") {
      const { delivered } = this.#watch;
      delivered.events++;
      delivered.chars += event.text.length;
    }
    return result;
  };

  readonly #failed = (error: unknown): never => {
    throw this.#watch.failed(GatewayError.from(error));
  };
}
