import type { Clock } from "../../ports/index.js";
import { utf8 } from "./splice.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

const HEAD = utf8("event: message\ndata: ");
const TAIL = utf8("\n\n");
const KEEP_ALIVE = utf8(": keep-alive\n\n");
const KEEP_ALIVE_MS = 15_000;
/** A reader that lets this much wait is taken for gone. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** A JSON text without line breaks. They stand only between tokens, so a space means the same. */
export function oneLine(json: Uint8Array): Uint8Array {
  if (json.indexOf(10) < 0 && json.indexOf(13) < 0) return json;
  const flat = json.slice();
  for (let i = 0; i < flat.length; i++) if (flat[i] === 10 || flat[i] === 13) flat[i] = 32;
  return flat;
}

export function sseFrame(json: Uint8Array): Uint8Array {
  return joinBytes([HEAD, oneLine(json), TAIL]);
}

/**
 * JSON-RPC messages on their way to one reader, as SSE frames in the order they were pushed; a comment keeps the connection open when nothing is said.
 * One reader. `onLeave` is called once, when the reader goes before the end.
 */
export class SseStream implements AsyncIterable<Uint8Array> {
  #queue: Uint8Array[] = [];
  #waitingBytes = 0;
  #ended = false;
  #wake: (() => void) | null = null;
  #cancelTick: (() => void) | null = null;
  readonly #clock: Clock;
  readonly #onLeave: () => void;

  constructor(clock: Clock, onLeave: () => void) {
    this.#clock = clock;
    this.#onLeave = onLeave;
    this.#tick();
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(json: Uint8Array): void {
    this.#put(sseFrame(json));
  }

  /** Ends the stream after what was pushed. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTick?.();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const frames = this.#queue;
        this.#queue = [];
        this.#waitingBytes = 0;
        if (frames.length === 1) yield frames[0]!;
        else if (frames.length > 1) yield joinBytes(frames);
        else if (this.#ended) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.#leave();
    }
  }

  #put(frame: Uint8Array): void {
    if (this.#ended) return;
    this.#queue.push(frame);
    this.#waitingBytes += frame.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) return this.#leave();
    this.#wake?.();
  }

  #leave(): void {
    if (this.#ended) return;
    this.end();
    this.#onLeave();
  }

  #tick(): void {
    this.#cancelTick = this.#clock.at(this.#clock.now() + KEEP_ALIVE_MS, () => {
      this.#put(KEEP_ALIVE);
      if (!this.#ended) this.#tick();
    });
  }
}
