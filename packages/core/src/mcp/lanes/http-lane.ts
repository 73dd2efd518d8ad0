import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient, HttpResponse, Secret, Within } from "../../ports/index.js";
import { idText, readMessage, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { isModern } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { SseReader } from "../../util/sse.js";
import { encodeHeaderValue, headerOf, mediaType } from "./http-headers.js";
import { failedAnswer, sentOrNot } from "./http-failure.js";
import type { ExchangeOptions, Lane, LaneEvents, UpstreamRequest } from "./lane.js";
import { answerToServer } from "./refusal.js";

const NOTIFY_MS = 5_000;
const ERROR_BODY_BYTES = 65_536;
/** A standing stream is opened anew after this long, so that a connection that died silently is noticed some time. */
const STREAM_MS = 3_600_000;
const DRAIN_MS = 1_000;
const REOPEN_FIRST_MS = 1_000;
const REOPEN_LAST_MS = 30_000;

export interface HttpLaneOptions {
  readonly url: string;
  readonly headers: readonly (readonly [string, Secret])[];
  readonly trust: "operator" | "untrusted";
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly events: LaneEvents;
}

/**
 * Streamable HTTP as a client speaks it: one POST for each message, answered as JSON or as an event stream; with a session, and a standing GET stream for what the
 * server says unasked, up to 2025-11-25; without either since. Headers are made here and hold nothing of a caller.
 * Source: MCP 2025-11-25 and 2026-07-28, transports.
 */
export class HttpLane implements Lane {
  readonly #o: HttpLaneOptions;
  #nextId = 1;
  #session: string | null = null;
  #version: string | null = null;
  #closed = false;
  readonly #standing = new AbortController();

  constructor(options: HttpLaneOptions) {
    this.#o = options;
  }

  async exchange(request: UpstreamRequest, o: ExchangeOptions): Promise<RpcMessage> {
    if (this.#closed) throw new GatewayError("upstream_unavailable", "The connection to the server is closed.");
    const id = this.#nextId++;
    try {
      return await this.#ask(request, id, o);
    } catch (error) {
      if (GatewayError.is(error, "cancelled") || GatewayError.is(error, "upstream_timeout")) this.#cancelAtServer(id, error.code);
      throw sentOrNot(error);
    }
  }

  async #ask(request: UpstreamRequest, id: number, o: ExchangeOptions): Promise<RpcMessage> {
    const idleMs = Math.max(1, o.deadlineMs - this.#o.clock.now());
    const response = await this.#post(request.encode(id), { headers: this.#requestHeaders(request), idleMs }, o);
    if (response.status >= 400) return failedAnswer(response, await this.#errorBody(response), { id, session: this.#session });
    const session = headerOf(response.headers, "mcp-session-id");
    if (session !== undefined && request.method === "initialize") this.#session = session;
    const type = mediaType(headerOf(response.headers, "content-type"));
    if (type === "application/json") return this.#readJson(response, id);
    if (type === "text/event-stream") return this.#readStream(response, id, o);
    response.discard();
    throw new GatewayError(
      "upstream_protocol",
      `The server answered ${request.method} with status ${response.status} and neither JSON nor an event stream.`,
      { hint: "Check that the address is the server's MCP endpoint." },
    );
  }

  async notify(message: Uint8Array, deadlineMs: number): Promise<void> {
    const response = await this.#post(message, { headers: this.#plainHeaders(), idleMs: NOTIFY_MS }, { deadlineMs });
    response.discard();
  }

  adopt(version: string): void {
    this.#version = version;
  }

  begin(): void {
    if (this.#version !== null && !isModern(this.#version)) void this.#listen();
  }

  stderr(): null {
    return null;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#standing.abort();
    this.#o.events.onClose(null);
    if (this.#session === null) return;
    const within = { deadlineMs: this.#o.clock.now() + NOTIFY_MS };
    try {
      const response = await this.#o.http.exchange(
        this.#outgoing("DELETE", { headers: this.#plainHeaders(), idleMs: NOTIFY_MS }, null),
        within,
      );
      response.discard();
    } catch {
      // A courtesy: the server forgets the session by itself.
    }
  }

  #post(body: Uint8Array, o: { readonly headers: Headers; readonly idleMs: number }, w: Within): Promise<HttpResponse> {
    // What has no caller ends with the connection.
    const within = { deadlineMs: w.deadlineMs, signal: w.signal ?? this.#standing.signal };
    return this.#o.http.exchange(this.#outgoing("POST", o, body), within);
  }

  #outgoing(method: string, o: { readonly headers: Headers; readonly idleMs: number }, body: Uint8Array | null) {
    return { method, url: this.#o.url, headers: o.headers, body, trust: this.#o.trust, idleMs: o.idleMs };
  }

  #requestHeaders(request: UpstreamRequest): Headers {
    const trace = request.trace ?? [];
    if (request.version === null) return trace.length === 0 ? this.#plainHeaders() : [...this.#plainHeaders(), ...trace];
    const headers = this.#configured();
    headers.push(["mcp-protocol-version", request.version], ["mcp-method", request.method]);
    if (request.subject !== null) headers.push(["mcp-name", encodeHeaderValue(request.subject)]);
    headers.push(...request.headers, ...trace);
    return headers;
  }

  #plainHeaders(): Headers {
    const headers = this.#configured();
    if (this.#version !== null) headers.push(["mcp-protocol-version", this.#version]);
    if (this.#session !== null) headers.push(["mcp-session-id", this.#session]);
    return headers;
  }

  #configured(): (readonly [string, string])[] {
    const headers: (readonly [string, string])[] = [
      ["content-type", "application/json"],
      ["accept", "application/json, text/event-stream"],
    ];
    for (const [name, value] of this.#o.headers) headers.push([name, value.reveal()]);
    return headers;
  }

  async #errorBody(response: HttpResponse): Promise<Uint8Array> {
    try {
      return await response.bytes(ERROR_BODY_BYTES);
    } catch {
      // What a failed answer says more than its status is a comfort, not a need.
      return new Uint8Array(0);
    }
  }

  async #readJson(response: HttpResponse, id: number): Promise<RpcMessage> {
    let bytes: Uint8Array;
    try {
      bytes = await response.bytes(this.#o.maxMessageBytes);
    } catch (error) {
      if (!GatewayError.is(error, "payload_too_large")) throw error;
      throw new GatewayError("upstream_protocol", `The server sent a message larger than ${this.#o.maxMessageBytes} bytes.`, {
        cause: error,
      });
    }
    const message = readUpstream(bytes);
    if (message.kind !== "response" || idText(message) !== String(id))
      throw new GatewayError("upstream_protocol", "The server answered with a message that is not the answer.");
    return message;
  }

  async #readStream(response: HttpResponse, id: number, o: ExchangeOptions): Promise<RpcMessage> {
    const reader = new SseReader(this.#o.maxMessageBytes);
    let late = false;
    const cancelTimer = this.#o.clock.at(o.deadlineMs, () => {
      late = true;
      response.discard();
    });
    const chunks = response.chunks()[Symbol.asyncIterator]();
    try {
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
        for (const event of reader.push(next.value)) {
          const answer = this.#streamed(utf8(event.data), id, o);
          if (answer === null) continue;
          this.#drain(response, chunks);
          return answer;
        }
    } catch (error) {
      response.discard();
      if (late) throw new GatewayError("upstream_timeout", "The server did not finish its answer in time.", { cause: error });
      throw error;
    } finally {
      cancelTimer();
    }
    throw new GatewayError("upstream_interrupted", "The server ended its answer before the result.");
  }

  /** After the answer nothing of use comes, but a stream that is read to its end gives its connection back to the pool. */
  #drain(response: HttpResponse, chunks: AsyncIterator<Uint8Array>): void {
    const cancelTimer = this.#o.clock.at(this.#o.clock.now() + DRAIN_MS, () => response.discard());
    const rest = async (): Promise<void> => {
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next());
    };
    // However the rest ends, the answer is there already.
    rest().then(cancelTimer, cancelTimer);
  }

  /** Since 2026-07-28 leaving the answer is the cancellation; before, it has to be said. */
  #cancelAtServer(id: number, reason: string): void {
    if (this.#version === null || isModern(this.#version)) return;
    this.#notifyQuietly(utf8(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id},"reason":"${reason}"}}`));
  }

  #streamed(data: Uint8Array, id: number, o: ExchangeOptions): RpcMessage | null {
    if (data.length === 0) return null;
    const message = readUpstream(data);
    if (message.kind === "response") return idText(message) === String(id) ? message : null;
    if (message.kind === "request") this.#notifyQuietly(answerToServer(message));
    else if (message.method === "notifications/progress" || message.method === "notifications/message") o.onNotice?.(message);
    else this.#o.events.onNotice(message);
    return null;
  }

  /** For what nobody waits for: a server that is gone is noticed by the next request. */
  #notifyQuietly(message: Uint8Array): void {
    this.notify(message, this.#o.clock.now() + NOTIFY_MS).catch(() => undefined);
  }

  async #listen(): Promise<void> {
    let waitMs = REOPEN_FIRST_MS;
    while (!this.#closed) {
      const openedMs = this.#o.clock.now();
      try {
        if (!(await this.#readStanding())) return;
      } catch {
        // A stream that breaks is opened again; that the server is gone is noticed by the next request.
      }
      waitMs = this.#o.clock.now() - openedMs > REOPEN_LAST_MS ? REOPEN_FIRST_MS : Math.min(waitMs * 2, REOPEN_LAST_MS);
      await new Promise<void>((resolve) => {
        this.#o.clock.at(this.#o.clock.now() + waitMs, resolve);
        this.#standing.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** False when the server has no such stream. */
  async #readStanding(): Promise<boolean> {
    const headers = this.#plainHeaders().map(([name, value]) =>
      name === "accept" ? ([name, "text/event-stream"] as const) : ([name, value] as const),
    );
    const within = { deadlineMs: this.#o.clock.now() + STREAM_MS, signal: this.#standing.signal };
    const response = await this.#o.http.exchange(this.#outgoing("GET", { headers, idleMs: STREAM_MS }, null), within);
    if (response.status !== 200 || mediaType(headerOf(response.headers, "content-type")) !== "text/event-stream") {
      response.discard();
      return false;
    }
    const reader = new SseReader(this.#o.maxMessageBytes);
    for await (const chunk of response.chunks())
      for (const event of reader.push(chunk)) this.#streamed(utf8(event.data), 0, { deadlineMs: 0, owner: null });
    return true;
  }
}

function readUpstream(bytes: Uint8Array): RpcMessage {
  try {
    return readMessage(bytes, upstreamPlan);
  } catch (error) {
    throw new GatewayError("upstream_protocol", "The server sent something that is not a JSON-RPC message.", { cause: error });
  }
}
