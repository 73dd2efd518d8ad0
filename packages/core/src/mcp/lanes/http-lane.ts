import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient, HttpResponse, Within } from "../../ports/index.js";
import { idText, readDeepMessage, readMessage, upstreamPlan, valueMember, type RpcMessage } from "../frames/message.js";
import { isModern } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { pause } from "../../policy/resilience/pause.js";
import { Ending } from "../../policy/resilience/ending.js";
import { SseReader } from "../../util/sse.js";
import type { SecretHeader } from "../server-target.js";
import type { Authorizer } from "./authorizer.js";
import { encodeHeaderValue, headerOf, mediaType } from "./http-headers.js";
import { failedAnswer, sentOrNot } from "./http-failure.js";
import { InFlight, type Flight } from "./in-flight.js";
import type { ExchangeOptions, Lane, LaneEvents, UpstreamRequest } from "./lane.js";

const NOTIFY_MS = 5_000;
const ERROR_BODY_BYTES = 65_536;
/** A standing stream is opened anew after this long, so that a connection that died silently is noticed some time. */
const STREAM_MS = 3_600_000;
const DRAIN_MS = 1_000;
const REOPEN_FIRST_MS = 1_000;
const REOPEN_LAST_MS = 30_000;
/** However soon a server wants an answer to be taken up again that it closes each time. */
const RESUME_LEAST_MS = 100;

export interface HttpLaneOptions {
  readonly url: string;
  readonly headers: readonly SecretHeader[];
  /** Who the gateway says it is, beside those headers; left out: nobody else. */
  readonly authorizer?: Authorizer | undefined;
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
  readonly #inFlight: InFlight;
  #nextId = 1;
  #session: string | null = null;
  #version: string | null = null;
  #closed = false;
  readonly #standing = new AbortController();
  /** What has no caller ends with the connection. */
  readonly #ending = new Ending();

  constructor(options: HttpLaneOptions) {
    this.#o = options;
    this.#inFlight = new InFlight(options.clock);
  }

  exchange(request: UpstreamRequest, o: ExchangeOptions): Promise<RpcMessage> {
    return o.signal === undefined ? this.#ending.run((signal) => this.#exchange(request, { ...o, signal })) : this.#exchange(request, o);
  }

  async #exchange(request: UpstreamRequest, o: ExchangeOptions): Promise<RpcMessage> {
    if (this.#closed) throw new GatewayError("upstream_unavailable", "The connection to the server is closed.");
    const id = this.#nextId++;
    const flight = this.#inFlight.begin(o);
    let isAnswered = false;
    try {
      const reply = await this.#ask(request, { id, flight, mayBeDeep: request.mayBeDeep === true }, o);
      isAnswered = true;
      return reply;
    } catch (error) {
      if (GatewayError.is(error, "cancelled") || GatewayError.is(error, "upstream_timeout")) this.#cancelAtServer(id, error.code);
      throw sentOrNot(error);
    } finally {
      this.#inFlight.end(flight, isAnswered);
    }
  }

  async #ask(request: UpstreamRequest, sent: Sent, o: ExchangeOptions): Promise<RpcMessage> {
    const idleMs = Math.max(1, o.deadlineMs - this.#o.clock.now());
    const response = await this.#post(
      request.encode(sent.id),
      { headers: this.#requestHeaders(request), idleMs, endByMs: o.deadlineMs },
      o,
    );
    if (response.status >= 400) return failedAnswer(response, await this.#errorBody(response), { id: sent.id, session: this.#session });
    const session = headerOf(response.headers, "mcp-session-id");
    if (session !== undefined && request.method === "initialize") this.#session = session;
    const type = mediaType(headerOf(response.headers, "content-type"));
    if (type === "application/json") return this.#readJson(response, sent);
    if (type === "text/event-stream") return this.#readStream(response, sent, o);
    response.discard();
    throw new GatewayError(
      "upstream_protocol",
      `The server answered ${request.method} with status ${response.status} and neither JSON nor an event stream.`,
      { hint: "Check that the address is the server's MCP endpoint." },
    );
  }

  notify(message: Uint8Array, deadlineMs: number): Promise<void> {
    return this.#ending.run(async (signal) => {
      const response = await this.#post(message, { headers: this.#plainHeaders(), idleMs: NOTIFY_MS }, { deadlineMs, signal });
      response.discard();
    });
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
    this.#ending.end();
    this.#o.events.onClose(null);
    if (this.#session === null) return;
    const within = { deadlineMs: this.#o.clock.now() + NOTIFY_MS };
    try {
      const response = await this.#send("DELETE", { headers: this.#plainHeaders(), idleMs: NOTIFY_MS }, { body: null, within });
      response.discard();
    } catch {
      // A courtesy: the server forgets the session by itself.
    }
  }

  #post(body: Uint8Array, o: Sending, { deadlineMs, signal }: Within): Promise<HttpResponse> {
    return this.#send("POST", o, { body, within: { deadlineMs, signal } });
  }

  #send(
    method: string,
    { headers: own, idleMs, endByMs }: Sending,
    { body, within }: { readonly body: Uint8Array | null; readonly within: Within },
  ): Promise<HttpResponse> {
    const { url, trust, http, authorizer } = this.#o;
    const send = (headers: Headers) => http.exchange({ method, url, headers, body, trust, idleMs, endByMs }, within);
    return authorizer === undefined ? send(own) : authorized(authorizer, (auth) => send([...own, ...auth]), within);
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
    for (const [name, value, before = ""] of this.#o.headers) headers.push([name, before + value.reveal()]);
    return headers;
  }

  #streamHeaders(): Headers {
    return this.#plainHeaders().map(([name, value]) => (name === "accept" ? [name, "text/event-stream"] : [name, value]));
  }

  async #errorBody(response: HttpResponse): Promise<Uint8Array> {
    try {
      return await response.bytes(ERROR_BODY_BYTES);
    } catch {
      // What a failed answer says more than its status is a comfort, not a need.
      return new Uint8Array(0);
    }
  }

  async #readJson(response: HttpResponse, { id, mayBeDeep }: Sent): Promise<RpcMessage> {
    let bytes: Uint8Array;
    try {
      bytes = await response.bytes(this.#o.maxMessageBytes);
    } catch (error) {
      if (GatewayError.is(error, "deadline_exceeded")) throw tooLate(error);
      if (!GatewayError.is(error, "payload_too_large")) throw error;
      throw new GatewayError("upstream_protocol", `The server sent a message larger than ${this.#o.maxMessageBytes} bytes.`, {
        cause: error,
      });
    }
    const message = readUpstream(bytes, mayBeDeep);
    if (message.kind !== "response" || idText(message) !== String(id))
      throw new GatewayError("upstream_protocol", "The server answered with a message that is not the answer.");
    return message;
  }

  async #readStream(response: HttpResponse, sent: Sent, o: ExchangeOptions): Promise<RpcMessage> {
    const reader = new SseReader(this.#o.maxMessageBytes, { resumable: true });
    const place: Place = { lastEventId: null, retryMs: REOPEN_FIRST_MS };
    let late = false;
    const cancelTimer = this.#o.clock.at(o.deadlineMs, () => {
      late = true;
      response.discard();
    });
    const chunks = response.chunks()[Symbol.asyncIterator]();
    try {
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
        for (const event of reader.push(next.value)) {
          place.lastEventId = event.id ?? place.lastEventId;
          place.retryMs = event.retryMs ?? place.retryMs;
          const answer = this.#streamed(utf8(event.data), sent, o);
          if (answer === null) continue;
          this.#drain(response, chunks);
          return answer;
        }
    } catch (error) {
      response.discard();
      if (late || GatewayError.is(error, "deadline_exceeded")) throw tooLate(error);
      throw error;
    } finally {
      cancelTimer();
    }
    const resumed = await this.#takenUp(place, o);
    if (resumed === null) throw new GatewayError("upstream_interrupted", "The server ended its answer before the result.");
    return this.#readStream(resumed, sent, o);
  }

  /**
   * The rest of an answer whose stream its server closed in mid-call, after the time that it asked for; null: it can't be taken up. Source: MCP 2025-11-25, transports, "Resumability and Redelivery".
   */
  async #takenUp({ lastEventId, retryMs }: Place, o: ExchangeOptions): Promise<HttpResponse | null> {
    const { clock } = this.#o;
    if (lastEventId === null || this.#version === null || isModern(this.#version) || /[^\x20-\x7e]/.test(lastEventId)) return null;
    const waitMs = Math.max(retryMs, RESUME_LEAST_MS);
    if (clock.now() + waitMs >= o.deadlineMs) return null;
    await pause(waitMs, clock, o.signal);
    const headers: Headers = [...this.#streamHeaders(), ["last-event-id", lastEventId]];
    const idleMs = Math.max(1, o.deadlineMs - clock.now());
    const within = { deadlineMs: o.deadlineMs, signal: o.signal };
    const response = await this.#send("GET", { headers, idleMs, endByMs: o.deadlineMs }, { body: null, within });
    if (isStream(response)) return response;
    response.discard();
    return null;
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

  #streamed(data: Uint8Array, { id, flight, mayBeDeep }: Sent, o: ExchangeOptions): RpcMessage | null {
    if (data.length === 0) return null;
    const message = readUpstream(data, mayBeDeep);
    if (message.kind === "response") return idText(message) === String(id) ? message : null;
    if (message.kind === "request") void this.#asked(message, flight);
    else if (message.method === "notifications/message") o.onNotice?.(message);
    // What a server says of other calls on this one's stream is for nobody.
    else if (message.method === "notifications/progress") {
      if (isOf(message, id)) o.onNotice?.(message);
    } else if (!this.#inFlight.noticed(message)) this.#o.events.onNotice(message);
    return null;
  }

  async #asked(request: RpcMessage, flight: Flight | null): Promise<void> {
    const answer = await this.#inFlight.answer(request, flight);
    if (answer !== null && !this.#closed) this.#notifyQuietly(answer);
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
      await pause(waitMs, this.#o.clock, this.#standing.signal);
    }
  }

  /** False when the server has no such stream. */
  async #readStanding(): Promise<boolean> {
    const within = { deadlineMs: this.#o.clock.now() + STREAM_MS, signal: this.#standing.signal };
    const response = await this.#send("GET", { headers: this.#streamHeaders(), idleMs: STREAM_MS }, { body: null, within });
    if (!isStream(response)) {
      response.discard();
      return false;
    }
    const reader = new SseReader(this.#o.maxMessageBytes);
    for await (const chunk of response.chunks())
      for (const event of reader.push(chunk)) this.#streamed(utf8(event.data), STANDING, { deadlineMs: 0, owner: null });
    return true;
  }
}

interface Sending {
  readonly headers: Headers;
  readonly idleMs: number;
  /** Of the whole answer; left out: it may take as long as it says something. */
  readonly endByMs?: number | undefined;
}
/** Where a stream that ends can be taken up from, and how long after. */
interface Place {
  lastEventId: string | null;
  retryMs: number;
}

function isStream({ status, headers }: HttpResponse): boolean {
  return status === 200 && mediaType(headerOf(headers, "content-type")) === "text/event-stream";
}
function isOf(progress: RpcMessage, id: number): boolean {
  return valueMember(progress.bytes, progress.params, "progressToken") === id;
}
function tooLate(cause: unknown): GatewayError {
  return new GatewayError("upstream_timeout", "The server did not finish its answer in time.", { cause });
}

/** What a message on a stream belongs to. */
interface Sent {
  readonly id: number;
  readonly flight: Flight | null;
  readonly mayBeDeep: boolean;
}
/** The standing stream belongs to no request. */
const STANDING: Sent = { id: 0, flight: null, mayBeDeep: false };

/** A request that is refused for who we are was not handled: when there is another credential then, it is sent once more. */
async function authorized(authorizer: Authorizer, send: (auth: Headers) => Promise<HttpResponse>, within: Within): Promise<HttpResponse> {
  const sent = await authorizer.headers(within);
  const response = await send(sent);
  const { status } = response;
  if (status !== 401 && status !== 403) return response;
  try {
    const wwwAuthenticate = headerOf(response.headers, "www-authenticate");
    if (!(await authorizer.refused({ status, wwwAuthenticate }, sent, within))) return response;
  } catch (error) {
    response.discard();
    throw error;
  }
  response.discard();
  return send(await authorizer.headers(within));
}

function readUpstream(bytes: Uint8Array, mayBeDeep: boolean): RpcMessage {
  try {
    return mayBeDeep ? readDeepMessage(bytes) : readMessage(bytes, upstreamPlan);
  } catch (error) {
    throw new GatewayError("upstream_protocol", "The server sent something that is not a JSON-RPC message.", { cause: error });
  }
}
