import { fromUtf8 } from "../../util/json.js";
import { joined, ownFrames, tellsOfResponse, type Own, type OwnResponse } from "./own-response.js";
import { isFinal } from "./records.js";

export interface KeptFramesOptions {
  readonly own: Own;
  /** Keeps the response; the frame that tells of its end is given only when it is kept, so that whoever reads it may go on from it at once. False: it could not be kept, and the frame says so. Never rejects. */
  readonly keep: (response: OwnResponse) => Promise<boolean>;
}
type Result = IteratorResult<Uint8Array, undefined>;

/**
 * The frames of a response that is kept: under our id, and all else as it came. One that ends without its last event is not kept.
 * By hand, so that `return` reaches the source at once. One `next` at a time.
 */
export class KeptFrames implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #o: KeptFramesOptions;

  constructor(frames: AsyncIterable<Uint8Array>, options: KeptFramesOptions) {
    this.#source = frames[Symbol.asyncIterator]();
    this.#o = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Result> {
    const result = await this.#source.next();
    if (result.done === true) return { done: true, value: undefined };
    if (!tellsOfResponse(fromUtf8(result.value))) return result;
    const parts: Uint8Array[] = [];
    const { own, keep } = this.#o;
    let isKept = true;
    for (const { bytes, response } of ownFrames(result.value, own)) {
      if (response !== null && isFinal(response.status)) isKept = await keep(response);
      parts.push(bytes);
    }
    if (isKept) return { done: false, value: joined(parts) };
    const told = ownFrames(result.value, { ...own, isKept });
    return { done: false, value: joined(Array.from(told, ({ bytes }) => bytes)) };
  }

  async return(): Promise<Result> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }
}
