type Result = IteratorResult<Uint8Array, unknown>;

/** Frames of which the first chunk was taken already. What follows it passes as it is: no promise a chunk more. One `next` at a time. */
export class BegunFrames implements AsyncIterableIterator<Uint8Array> {
  readonly #rest: AsyncIterator<Uint8Array>;
  #first: Result | null;

  constructor(first: Result, rest: AsyncIterator<Uint8Array>) {
    this.#first = first;
    this.#rest = rest;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const first = this.#first;
    if (first === null) return this.#rest.next();
    this.#first = null;
    return Promise.resolve(first);
  }

  async return(): Promise<Result> {
    this.#first = null;
    await this.#rest.return?.();
    return { done: true, value: undefined };
  }
}
