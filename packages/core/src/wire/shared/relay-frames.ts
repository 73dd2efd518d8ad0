import { GatewayError } from "../../errors/index.js";
import { parseSse, sseFrameEnd, SseSplitter, type SseEvent } from "../../util/sse.js";

/** What a protocol watches for in the frames that go by; one a stream. */
export interface FrameWatcher {
  /** Tested on the text of whole chunks: what it does not match is forwarded unread. It must match every frame that `read` would act on. */
  readonly interesting: RegExp;
  /** Whole frames are going by, as text: for what has to be known of the last one. It must be quick. */
  passing?(text: string): void;
  /**
   * One event that may matter. `drop`: the caller did not ask for it. `broken`: its data is not what the protocol sends; it is forwarded all the same, unless the
   * stream ends in it. An error: the vendor's own, which the dialect's error frame replaces; the stream ends there.
   */
  read(event: SseEvent): Verdict;
  /** The protocol's own end was seen: what happens to the connection afterwards is of no interest. */
  readonly complete: boolean;
  /** What has to follow a whole answer whose sender left it out; null when it did not, or the protocol has none. */
  readonly missingEnd: Uint8Array | null;
}
type Verdict = "keep" | "drop" | "broken" | GatewayError;

export interface RelayEnd {
  /** The dialect's error frame. */
  errorFrame(error: GatewayError): Uint8Array;
  /** Called just before the error frame is given. */
  failed(error: GatewayError): void;
  /** Counts what goes by, and keeps its beginning: for an answer whose vendor never says what it used. */
  readonly delivered?: { bytes: number; sample: string } | undefined;
}

/** So much of the beginning is kept. */
const SAMPLE_CHARS = 4_096;

type Result = IteratorResult<Uint8Array, undefined>;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const blankLine = new Uint8Array([0x0a, 0x0a]);
const finished: Result = { done: true, value: undefined };

/**
 * The relay lane of every protocol that streams by SSE: chunks that end with a whole frame go on as they are, without a copy; a frame that was split is
 * forwarded when it is whole. A stream that breaks off, stalls (its source throws), ends before the protocol's end or brings the vendor's error is closed with
 * `errorFrame`.
 * An iterator by hand, since a generator costs three promises a chunk more. One `next` at a time.
 */
export class RelayFrames implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #watcher: FrameWatcher;
  readonly #end: RelayEnd;
  readonly #splitter = new SseSplitter();
  /** What is still to be told once the source has ended; null while it runs. */
  #last: Uint8Array[] | null = null;
  /** What the stream fails with, once all that came before it was given. */
  #failure: GatewayError | null = null;

  constructor(chunks: AsyncIterable<Uint8Array>, watcher: FrameWatcher, end: RelayEnd) {
    this.#source = chunks[Symbol.asyncIterator]();
    this.#watcher = watcher;
    this.#end = end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    return this.#last === null ? this.#source.next().then(this.#onChunk, this.#onFailure) : Promise.resolve(this.#nextOfLast());
  }

  /** The reader goes: so does the source. */
  async return(): Promise<Result> {
    if (this.#last === null) await this.#source.return?.();
    this.#last = [];
    this.#failure = null;
    return finished;
  }

  readonly #onChunk = (result: IteratorResult<Uint8Array>): Result | Promise<Result> => {
    if (result.done === true) return this.#finish(undefined);
    try {
      const frames = this.#splitter.push(result.value);
      const kept = frames.length === 0 ? frames : this.#keep(frames);
      if (kept.length > 0) return { done: false, value: kept };
      return this.next();
    } catch (error) {
      // Ours, not the source's.
      this.#letGo();
      return this.#finish(error);
    }
  };

  /** The frames without those to be dropped; the very same bytes when there is none. */
  #keep(frames: Uint8Array): Uint8Array {
    const watcher = this.#watcher;
    const all = decoder.decode(frames);
    const { delivered } = this.#end;
    if (delivered !== undefined) {
      delivered.bytes += frames.length;
      if (delivered.sample.length < SAMPLE_CHARS) delivered.sample += all;
    }
    watcher.passing?.(all);
    const mayBeGarbled = !watcher.complete && hasOddData(all);
    if (!mayBeGarbled && !watcher.interesting.test(all)) return frames;
    const dropped: [number, number][] = [];
    for (let start = 0; start < frames.length; ) {
      const end = sseFrameEnd(frames, start);
      const text = decoder.decode(frames.subarray(start, end));
      const verdict = this.#verdictOn(text, mayBeGarbled);
      if (typeof verdict === "object") {
        this.#letGo();
        this.#last = [];
        this.#failure = verdict;
        dropped.push([start, frames.length]);
        break;
      }
      if (verdict === "drop") dropped.push([start, end]);
      start = end;
    }
    return dropped.length === 0 ? frames : without(frames, dropped);
  }

  #verdictOn(frame: string, mayBeGarbled: boolean): Verdict {
    const watcher = this.#watcher;
    if (mayBeGarbled && !watcher.complete && isGarbled(frame)) return garbled();
    return watcher.interesting.test(frame) ? readFrame(frame, watcher) : "keep";
  }

  /** The source is told that nobody reads on; what it says to that changes nothing. */
  #letGo(): void {
    void Promise.resolve(this.#source.return?.()).catch(() => undefined);
  }

  readonly #onFailure = (error: unknown): Result => this.#finish(error);

  #finish(failure: unknown): Result {
    const last: Uint8Array[] = [];
    this.#last = last;
    const rest = this.#splitter.rest();
    const verdict = failure === undefined && rest.length > 0 ? readRest(rest, this.#watcher) : "drop";
    if (verdict === "keep") last.push(rest);
    if (typeof verdict === "object") this.#failure = verdict;
    else if (!this.#watcher.complete) this.#failure = failure === undefined ? interrupted() : GatewayError.from(failure);
    const end = failure === undefined && this.#failure === null ? this.#watcher.missingEnd : null;
    // A frame without its blank line would swallow the one behind it.
    if (last.length > 0 && (this.#failure !== null || end !== null)) last.push(blankLine);
    if (end !== null) last.push(end);
    return this.#nextOfLast();
  }

  #nextOfLast(): Result {
    const value = this.#last?.shift();
    if (value !== undefined) return { done: false, value };
    const failure = this.#failure;
    if (failure === null) return finished;
    this.#failure = null;
    this.#end.failed(failure);
    return { done: false, value: this.#end.errorFrame(failure) };
  }
}

/**
 * Whether a line of data is something else than one object or list from its first character to its last: a look at two characters a line, no parse. Data may stand in several lines:
 * `isGarbled` tells.
 */
function hasOddData(text: string): boolean {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (text.charCodeAt(start) === 0x64 && text.startsWith("data:", start)) {
      const first = text.charCodeAt(start + 5) === 0x20 ? start + 6 : start + 5;
      const last = text.charCodeAt(end - 1) === 0x0d ? end - 2 : end - 1;
      const open = text.charCodeAt(first);
      if (open !== 0x5b && (open !== 0x7b || text.charCodeAt(last) !== 0x7d) && first <= last) return true;
    }
    start = end + 1;
  }
  return false;
}

/** JSON that is cut off, or no JSON at all under no name of its own: a vendor's unknown event may be anything. */
function isGarbled(frame: string): boolean {
  const event = parseSse(frame, frame.charCodeAt(0) === 0xfeff ? 1 : 0)[0];
  const data = event?.data.trim() ?? "";
  if (event === undefined || data === "" || data.startsWith("[")) return false;
  return data.startsWith("{") ? !data.endsWith("}") : event.event === "message";
}

function garbled(): GatewayError {
  return new GatewayError("upstream_protocol", "The vendor sent a frame that is no JSON.");
}

function interrupted(): GatewayError {
  return new GatewayError("upstream_interrupted", "The vendor's stream ended before the answer was complete.");
}

function readFrame(text: string, watcher: FrameWatcher): Verdict {
  const event = parseSse(text, text.charCodeAt(0) === 0xfeff ? 1 : 0)[0];
  return event === undefined ? "keep" : watcher.read(event);
}

/** What the end of the stream made of the frame that no blank line ended. Of an answer that is not whole, what is no event is not told: it may be anything. */
function readRest(rest: Uint8Array, watcher: FrameWatcher): Verdict {
  const text = `${decoder.decode(rest)}\n\n`;
  return parseSse(text).length > 0 || watcher.complete ? readFrame(text, watcher) : "drop";
}

function without(frames: Uint8Array, dropped: readonly (readonly [number, number])[]): Uint8Array {
  const out = new Uint8Array(frames.length - dropped.reduce((sum, [start, end]) => sum + end - start, 0));
  let from = 0;
  let to = 0;
  for (const [start, end] of [...dropped, [frames.length, frames.length] as const]) {
    out.set(frames.subarray(from, start), to);
    to += start - from;
    from = end;
  }
  return out;
}
