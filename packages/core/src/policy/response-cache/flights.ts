import type { KeptAnswer } from "./kept-answer.js";

/** How a call ended that others waited for. */
export type Landing =
  | { readonly kind: "kept"; readonly answer: KeptAnswer }
  /** Its answer is not one to keep, or there was none: the others ask for themselves. */
  | { readonly kind: "alone" }
  /** Its caller went: another one takes its place. */
  | { readonly kind: "left" };

/** A call that others wait for. */
export interface Flight {
  readonly landing: Promise<Landing>;
  /** Ends it. Only the first time counts. */
  land(landing: Landing): void;
}

/** Which answers are being made in this process, so that equal calls wait for one. */
export class Flights {
  readonly #open = new Map<string, Flight>();

  get size(): number {
    return this.#open.size;
  }

  /** The flight that makes this answer; null: nobody does. */
  of(key: string): Flight | null {
    return this.#open.get(key) ?? null;
  }

  /** Begins one; the caller lands it, whatever happens. */
  begin(key: string): Flight {
    let resolve: (landing: Landing) => void = () => undefined;
    const flight: Flight = {
      landing: new Promise<Landing>((settle) => (resolve = settle)),
      land: (landing) => {
        if (this.#open.get(key) === flight) this.#open.delete(key);
        resolve(landing);
      },
    };
    this.#open.set(key, flight);
    return flight;
  }
}
