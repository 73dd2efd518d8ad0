import type { HttpAnswer } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import { SseReader } from "../../../util/sse.js";

/**
 * A stream of Google's as it is without `?alt=sse`: one JSON array whose elements come as they are made. An error that ends the stream is its last element.
 * Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export function asJsonArray(answer: HttpAnswer): HttpAnswer {
  if (answer.body.kind !== "frames") return answer;
  const headers = answer.headers.map(([name, value]) => [name, name === "content-type" ? "application/json" : value] as const);
  return { ...answer, headers, body: { kind: "frames", frames: new ArrayFrames(answer.body.frames) } };
}

type Result = IteratorResult<Uint8Array, undefined>;

/** By hand, so that `return` reaches the source at once: a generator that waits cannot be returned. One `next` at a time. */
class ArrayFrames implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #reader = new SseReader();
  #begun = false;
  #ended = false;

  constructor(frames: AsyncIterable<Uint8Array>) {
    this.#source = frames[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Result> {
    while (!this.#ended) {
      const result = await this.#source.next();
      const events = result.done === true ? this.#reader.end() : this.#reader.push(result.value);
      let text = "";
      for (const { data } of events) {
        text += `${this.#begun ? ",\r\n" : "["}${data}`;
        this.#begun = true;
      }
      if (result.done === true) {
        this.#ended = true;
        text += this.#begun ? "]" : "[]";
      }
      if (text !== "") return { done: false, value: utf8(text) };
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<Result> {
    this.#ended = true;
    await this.#source.return?.();
    return { done: true, value: undefined };
  }
}
