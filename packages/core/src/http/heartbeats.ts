import type { HttpAnswer } from "../calls/index.js";
import type { Clock } from "../ports/index.js";
import { utf8 } from "../util/json.js";

/** A comment, which readers of every dialect pass over. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html */
const heartbeat = utf8(": keep-alive\n\n");
/** Proxies close what is silent for a minute, some for half of one. */
const BEAT_MS = 15_000;

/** A stream of SSE that says now and then that it lives while its model thinks: after 15 to 30 seconds of silence. Any other answer as it is. */
export function withHeartbeats(answer: HttpAnswer, clock: Pick<Clock, "now" | "at">): HttpAnswer {
  if (answer.body.kind !== "frames" || !isEventStream(answer)) return answer;
  return { ...answer, body: { kind: "frames", frames: new BeatingFrames(answer.body.frames, clock) } };
}

function isEventStream({ headers }: HttpAnswer): boolean {
  return headers.some(([name, value]) => name === "content-type" && value.startsWith("text/event-stream"));
}

type Result = IteratorResult<Uint8Array, unknown>;
interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** One timer a stream, however many frames it has. One `next` at a time. */
class BeatingFrames implements AsyncIterableIterator<Uint8Array, unknown> {
  readonly #source: AsyncIterator<Uint8Array, unknown>;
  readonly #clock: Pick<Clock, "now" | "at">;
  #waiting: Waiting | null = null;
  /** The source was asked and has not answered: its next frame belongs to whoever waits then. */
  #isAsked = false;
  /** What the source answered while nobody waited: they were given a heartbeat. */
  #answered: ((waiting: Waiting) => void) | null = null;
  #isSilent = false;
  #cancelTimer: (() => void) | null = null;

  constructor(frames: AsyncIterable<Uint8Array>, clock: Pick<Clock, "now" | "at">) {
    this.#source = frames[Symbol.asyncIterator]();
    this.#clock = clock;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const answered = this.#answered;
      if (answered !== null) {
        this.#answered = null;
        this.#give(answered);
        return;
      }
      if (this.#isAsked) return;
      this.#isAsked = true;
      if (this.#cancelTimer === null) this.#arm();
      this.#source.next().then(this.#onFrame, this.#onError);
    });
  }

  async return(): Promise<Result> {
    this.#stop();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  readonly #onFrame = (result: Result): void => {
    if (result.done === true) this.#stop();
    this.#settle(({ resolve }) => resolve(result));
  };
  readonly #onError = (error: unknown): void => {
    this.#stop();
    this.#settle(({ reject }) => reject(error));
  };

  #settle(answered: (waiting: Waiting) => void): void {
    this.#isSilent = false;
    if (this.#waiting === null) this.#answered = answered;
    else this.#give(answered);
  }

  #give(answered: (waiting: Waiting) => void): void {
    const waiting = this.#waiting!;
    this.#waiting = null;
    this.#isAsked = false;
    answered(waiting);
  }

  #arm(): void {
    this.#cancelTimer = this.#clock.at(this.#clock.now() + BEAT_MS, () => {
      if (this.#waiting !== null && this.#isSilent) {
        const { resolve } = this.#waiting;
        this.#waiting = null;
        resolve({ done: false, value: heartbeat });
      }
      this.#isSilent = true;
      this.#arm();
    });
  }

  #stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
