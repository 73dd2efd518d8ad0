import type { Dispatcher } from "undici";
import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpResponse, Within } from "../../ports/index.js";
import { tooLarge } from "./content-decoding.js";
import { transportError } from "./transport-errors.js";

/** Bytes that may wait for a reader before the socket is paused. */
const HIGH_WATER_BYTES = 65_536;

type Read = IteratorResult<Uint8Array, undefined>;
const DONE: Read = { done: true, value: undefined };

/**
 * One request and its answer, as undici tells of them. Its callbacks come synchronously while a piece of the socket's data is parsed; a waiting reader is
 * served after that, with all that came in it as one chunk: a copy of some bytes costs less than a promise and a write for each of the server's small chunks.
 * The handler methods are those that undici 7 calls without an adapter, which also spares an object of all headers.
 */
export class Exchange implements HttpResponse, AsyncIterableIterator<Uint8Array>, Dispatcher.DispatchHandler {
  status = 0;
  headers: Headers = [];
  readonly #resolveHead: (response: Exchange) => void;
  readonly #rejectHead: (error: GatewayError) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #endByMs: number | undefined;
  #cancelTimer: () => void;
  #abort: ((error: Error) => void) | null = null;
  #resume: (() => void) | null = null;
  #state: "head" | "body" | "ended" | "failed" = "head";
  #failure: GatewayError | null = null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #paused = false;
  #maxBytes = Infinity;
  #collecting: { readonly resolve: (bytes: Uint8Array) => void; readonly reject: (error: GatewayError) => void } | null = null;
  #reader: { readonly resolve: (read: Read) => void; readonly reject: (error: GatewayError) => void } | null = null;
  #serving = false;

  constructor(o: {
    readonly within: Within;
    readonly endByMs: number | undefined;
    readonly clock: Clock;
    readonly resolve: (response: Exchange) => void;
    readonly reject: (error: GatewayError) => void;
  }) {
    this.#resolveHead = o.resolve;
    this.#rejectHead = o.reject;
    this.#signal = o.within.signal;
    this.#signal?.addEventListener("abort", this.#onAbort);
    this.#clock = o.clock;
    this.#deadlineMs = o.within.deadlineMs;
    this.#endByMs = o.endByMs;
    this.#cancelTimer = o.clock.at(this.#deadlineMs, this.#onTimer);
  }

  // ── what undici calls ──

  onConnect(abort: (error?: Error) => void): void {
    if (this.#failure === null) this.#abort = abort;
    else abort(this.#failure);
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status < 200 || this.#state !== "head") return true;
    this.#state = "body";
    this.#rearm();
    this.#resume = resume;
    this.status = status;
    this.headers = readHeaders(raw);
    this.#resolveHead(this);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#collecting !== null) {
      if (this.#waitingBytes > this.#maxBytes) this.#fail(tooLarge(this.#maxBytes));
      return true;
    }
    if (this.#reader !== null) this.#serveSoon();
    this.#paused = this.#waitingBytes >= HIGH_WATER_BYTES;
    return !this.#paused;
  }

  onComplete(): void {
    if (this.#state === "failed") return;
    this.#state = "ended";
    this.#release();
    if (this.#collecting !== null) this.#collecting.resolve(this.#takeAll());
    else if (this.#reader !== null) this.#serveSoon();
  }

  onError(error: Error): void {
    this.#fail(transportError(error, this.#state === "head" ? "head" : "body"));
  }

  // ── what the reader calls ──

  bytes(maxBytes: number): Promise<Uint8Array> {
    if (this.#waitingBytes > maxBytes) this.#fail(tooLarge(maxBytes));
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#state === "ended") return Promise.resolve(this.#takeAll());
    this.#maxBytes = maxBytes;
    return new Promise((resolve, reject) => {
      this.#collecting = { resolve, reject };
      this.#unpause();
    });
  }

  chunks(): AsyncIterable<Uint8Array> {
    return this;
  }
  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Read> {
    if (this.#waitingBytes > 0 && this.#state !== "failed") return Promise.resolve(this.#take());
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#state === "ended") return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  return(): Promise<Read> {
    this.discard();
    return Promise.resolve(DONE);
  }

  discard(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#state !== "ended") this.#fail(new GatewayError("cancelled", "The answer was dropped."));
  }

  // ── inside ──

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal?.reason;
    this.#fail(GatewayError.is(reason) ? reason : new GatewayError("cancelled", "The call was cancelled.", { cause: reason }));
  };

  /** Often both instants are one, and the timer is right already. */
  #rearm(): void {
    if (this.#endByMs === this.#deadlineMs) return;
    this.#cancelTimer();
    if (this.#endByMs !== undefined) this.#cancelTimer = this.#clock.at(this.#endByMs, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#fail(
      this.#state === "head"
        ? new GatewayError("upstream_timeout", "The server did not begin to answer in time.", { details: { cause: "first_byte" } })
        : new GatewayError("deadline_exceeded", "The answer was not complete by the deadline."),
    );
  };

  /** What came before a break is still handed to the reader, who then learns of it; after an abort or a discard nothing is. */
  #fail(error: GatewayError): void {
    if (this.#state === "ended" || this.#failure !== null) return;
    this.#failure = error;
    const wasHead = this.#state === "head";
    const broken = error.code === "upstream_interrupted" || error.code === "upstream_timeout" || error.code === "upstream_protocol";
    if (!broken || this.#waitingBytes === 0) {
      this.#state = "failed";
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
    this.#release();
    this.#abort?.(error);
    if (wasHead) this.#rejectHead(error);
    else if (this.#collecting !== null) this.#collecting.reject(error);
    else if (this.#reader !== null) this.#serveSoon();
  }

  #release(): void {
    this.#cancelTimer();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#abort = this.#state === "ended" ? null : this.#abort;
  }

  #serveSoon(): void {
    if (this.#serving) return;
    this.#serving = true;
    queueMicrotask(() => {
      this.#serving = false;
      const reader = this.#reader;
      if (reader === null) return;
      this.#reader = null;
      if (this.#waitingBytes > 0) reader.resolve(this.#take());
      else if (this.#failure !== null) reader.reject(this.#failure);
      else reader.resolve(DONE);
    });
  }

  #take(): Read {
    const value = this.#takeAll();
    this.#unpause();
    return { done: false, value };
  }

  #takeAll(): Uint8Array {
    const chunks = this.#waiting;
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #unpause(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#resume?.();
  }
}

function readHeaders(raw: readonly Buffer[]): Headers {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) headers.push([raw[i]!.toString("latin1").toLowerCase(), raw[i + 1]!.toString("latin1")]);
  return headers;
}
