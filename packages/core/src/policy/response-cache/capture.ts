import { Fold, type Answer, type ModelEvent } from "../../calls/index.js";
import type { ModelAnswer } from "../../calls/index.js";

/** What of a dialect the cache reads. A codec is one. */
export interface AnswerReader {
  decodeAnswer(bytes: Uint8Array): ModelAnswer;
  decodeStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ModelEvent>;
}

/** Of one answer; a longer one is not kept. */
const MAX_BYTES = 4_194_304;

/** An answer that goes by, and what it was once it has. */
export interface Captured {
  readonly answer: Answer<ModelEvent>;
  /** The whole answer; null: it did not come to its end, or is too large. */
  whole(): Promise<ModelAnswer | null>;
}

/** Watches an answer go by without changing it. One that streams is only looked at when it is over. */
export function capture(answer: Answer<ModelEvent>, reader: AnswerReader | null): Captured {
  const { body } = answer;
  switch (body.kind) {
    case "bytes":
      return { answer, whole: async () => (reader === null || body.bytes.byteLength > MAX_BYTES ? null : reader.decodeAnswer(body.bytes)) };
    case "frames": {
      const chunks = new Passing(body.frames, (chunk) => chunk.byteLength);
      const whole = async (): Promise<ModelAnswer | null> =>
        reader === null || !chunks.isWhole ? null : folded(reader.decodeStream(again(chunks.passed)));
      return { answer: { ...answer, body: { kind: "frames", frames: chunks } }, whole };
    }
    case "events": {
      const events = new Passing(body.events, sizeOf);
      const whole = async (): Promise<ModelAnswer | null> => (events.isWhole ? folded(again(events.passed)) : null);
      return { answer: { ...answer, body: { kind: "events", events } }, whole };
    }
  }
}

async function folded(events: AsyncIterable<ModelEvent>): Promise<ModelAnswer> {
  const fold = new Fold();
  for await (const event of events) fold.push(event);
  return fold.answer();
}

async function* again<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function sizeOf(event: ModelEvent): number {
  if ("text" in event) return event.text.length + 64;
  return event.type === "media" ? event.data.length : 64;
}

/** Hands on what a source gives, and keeps it as long as it is not too much. */
class Passing<T> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<T>;
  readonly #sizeOf: (item: T) => number;
  passed: T[] = [];
  #size = 0;
  #ended = false;

  constructor(source: AsyncIterable<T>, size: (item: T) => number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#sizeOf = size;
  }

  get isWhole(): boolean {
    return this.#ended && this.#size <= MAX_BYTES;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T>> {
    const result = await this.#source.next();
    if (result.done === true) this.#ended = true;
    else if (this.#size <= MAX_BYTES) {
      this.#size += this.#sizeOf(result.value);
      if (this.#size <= MAX_BYTES) this.passed.push(result.value);
      else this.passed = [];
    }
    return result;
  }

  async return(): Promise<IteratorResult<T>> {
    this.passed = [];
    await this.#source.return?.();
    return { done: true, value: undefined };
  }
}
