import { GatewayError } from "../errors/index.js";
import { fromUtf8 } from "./json.js";

/** One event of a stream, by the WHATWG rules: `event` is "message" when the stream named none, `data` its lines joined by line feeds. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
  /** The id that stood in this event, if one did. */
  readonly id?: string | undefined;
  /** How long the sender wants to be left alone before the stream is taken up again, if it said so in this event. */
  readonly retryMs?: number | undefined;
}

/** More than any event needs, with its pictures in base64; past it a stream is refused instead of held in memory. */
export const maxSseFrameBytes = 16 * 1024 * 1024;

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const nothing = new Uint8Array(0);

/**
 * Cuts a byte stream behind blank lines, whatever the line ends (LF, CRLF, CR, mixed) and wherever the chunks were split. A chunk that ends with a blank line is
 * handed on as it is, without a copy. What a hostile sender dribbles costs time and memory in proportion to its bytes.
 * Errors: `upstream_protocol` when a frame grows past `maxFrameBytes`.
 */
export class SseSplitter {
  readonly #maxFrameBytes: number;
  #held: Uint8Array = nothing;
  #length = 0;

  constructor(maxFrameBytes = maxSseFrameBytes) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** The whole frames that this chunk completes, joined; empty when it completes none. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#length > 0) return this.#pushHeld(chunk);
    const cut = lastCut(chunk, chunk.length, 0);
    if (cut === chunk.length) return chunk;
    this.#hold(chunk.subarray(cut));
    return cut === 0 ? nothing : chunk.subarray(0, cut);
  }

  /** What came after the last blank line, to be asked for when the stream has ended. */
  rest(): Uint8Array {
    const rest = this.#held.subarray(0, this.#length);
    this.#held = nothing;
    this.#length = 0;
    return rest;
  }

  #pushHeld(chunk: Uint8Array): Uint8Array {
    const before = this.#length;
    this.#hold(chunk);
    // A blank line may have begun in what was held: its line ends are at most three bytes.
    const cut = lastCut(this.#held, this.#length, Math.max(0, before - 3));
    if (cut === 0) return nothing;
    const held = this.#held;
    const length = this.#length;
    this.#held = nothing;
    this.#length = 0;
    if (cut < length) this.#hold(held.subarray(cut, length));
    return held.subarray(0, cut);
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#maxFrameBytes)
      throw new GatewayError("upstream_protocol", `An event of the stream is larger than ${this.#maxFrameBytes} bytes.`);
    if (length > this.#held.length) {
      // Doubling keeps the copying in proportion to what arrived, however small the pieces.
      const grown = new Uint8Array(Math.max(1024, length * 2));
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#length);
    this.#length = length;
  }
}

/** The last offset in (`from`, `end`] behind a blank line, or 0. The bytes begin at a line's start. */
function lastCut(bytes: Uint8Array, end: number, from: number): number {
  for (let cut = end; cut > from; cut--) {
    const last = bytes[cut - 1] as number;
    if (last !== 0x0a && last !== 0x0d) continue;
    const line = last === 0x0a && cut > 1 && bytes[cut - 2] === 0x0d ? cut - 2 : cut - 1;
    if (line === 0) return cut;
    const before = bytes[line - 1] as number;
    // A return behind CRLF that nothing follows yet is half of another one: cut there, its line feed would be left over.
    const half = cut === end && last === 0x0d && before === 0x0a && line > 1 && bytes[line - 2] === 0x0d;
    if (!half && (before === 0x0a || before === 0x0d)) return cut;
  }
  return 0;
}

/** Offset behind the blank line that ends the frame beginning at `from`; the length when no blank line follows. */
export function sseFrameEnd(bytes: Uint8Array, from: number): number {
  for (let i = from, line = from; i < bytes.length; i++) {
    const c = bytes[i] as number;
    if (c !== 0x0a && c !== 0x0d) continue;
    const next = c === 0x0d && bytes[i + 1] === 0x0a ? i + 2 : i + 1;
    if (i === line) return next;
    line = next;
    i = next - 1;
  }
  return bytes.length;
}

/**
 * Reads the events of a byte stream, split anywhere. A byte order mark at its start, comments and unknown fields are skipped.
 * Errors: `invalid_json` for bytes that are not UTF-8, `upstream_protocol` for a frame that is too large.
 */
export class SseReader {
  readonly #splitter: SseSplitter;
  readonly #resumable: boolean;
  #started = false;

  /** `resumable`: events without data that have an id are told too, which the specification would not dispatch: a place to take the stream up from. */
  constructor(maxFrameBytes = maxSseFrameBytes, o: { readonly resumable?: boolean } = {}) {
    this.#splitter = new SseSplitter(maxFrameBytes);
    this.#resumable = o.resumable === true;
  }

  /** The events that this chunk completes. */
  push(chunk: Uint8Array): SseEvent[] {
    const frames = this.#splitter.push(chunk);
    return frames.length === 0 ? [] : this.#events(fromUtf8(frames));
  }

  /** The event that the end of the stream completes: many senders leave out the last blank line. It may be cut short. */
  end(): SseEvent[] {
    const rest = this.#splitter.rest();
    return rest.length === 0 ? [] : this.#events(`${lenient.decode(rest)}\n\n`);
  }

  #events(text: string): SseEvent[] {
    const start = !this.#started && text.charCodeAt(0) === 0xfeff ? 1 : 0;
    this.#started = true;
    return parseSse(text, start, this.#resumable);
  }
}

/** The events of whole frames, from `start` on. */
export function parseSse(text: string, start = 0, resumable = false): SseEvent[] {
  const events: SseEvent[] = [];
  const onlyLf = !text.includes("\r");
  let event = "message";
  let data: string | null = null;
  let id: string | undefined;
  let retryMs: number | undefined;
  for (let at = start; at < text.length; ) {
    const end = onlyLf ? lfEnd(text, at) : lineEnd(text, at);
    const bareData = end === at + 4 && text.startsWith("data", at);
    if (end === at) {
      // Per the specification an event without data is not dispatched.
      if ((data !== null && data !== "") || (resumable && id !== undefined))
        events.push(retryMs === undefined ? { event, data: data ?? "", id } : { event, data: data ?? "", id, retryMs });
      event = "message";
      data = null;
      id = undefined;
      retryMs = undefined;
    } else if (bareData || text.startsWith("data:", at)) {
      const value = bareData ? "" : fieldValue(text, at + 5, end);
      data = data === null ? value : `${data}\n${value}`;
    } else if (text.startsWith("event:", at)) event = fieldValue(text, at + 6, end);
    else if (text.startsWith("id:", at)) id = fieldValue(text, at + 3, end);
    else if (resumable && text.startsWith("retry:", at)) retryMs = milliseconds(fieldValue(text, at + 6, end));
    at = text.charCodeAt(end) === 0x0d && text.charCodeAt(end + 1) === 0x0a ? end + 2 : end + 1;
  }
  return events;
}

function milliseconds(value: string): number | undefined {
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}
function fieldValue(text: string, start: number, end: number): string {
  return text.slice(text.charCodeAt(start) === 0x20 ? start + 1 : start, end);
}
function lfEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}
function lineEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && text.charCodeAt(end) !== 0x0a && text.charCodeAt(end) !== 0x0d) end++;
  return end;
}
