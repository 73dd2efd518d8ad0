import type { Headers } from "../../calls/index.js";
import { GatewayError, type ErrorCode } from "../../errors/index.js";
import type { Clock, HttpClient, HttpResponse, McpFrame, McpWire, Within } from "../../ports/index.js";
import { Ending } from "../../policy/resilience/ending.js";
import { SseReader, type SseEvent } from "../../util/sse.js";
import { utf8 } from "../frames/splice.js";
import type { Authorizer } from "../lanes/authorizer.js";
import { sentOrNot } from "../lanes/http-failure.js";
import { headerOf, mediaType } from "../lanes/http-headers.js";
import type { TargetHeaders } from "../server-target.js";

/** A stream that says nothing this long is taken for dead: servers send comments meanwhile, or their clients ask something. */
const SILENCE_MS = 3_600_000;
const POST_IDLE_MS = 30_000;

export interface SseWireOptions {
  readonly url: string;
  readonly headers: TargetHeaders;
  readonly trust: "operator" | "untrusted";
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  /** Of a server that is signed in at. */
  readonly authorizer?: Authorizer | undefined;
}

/**
 * HTTP+SSE as a client speaks it: one standing GET, whose first event says where messages are posted, and every answer comes back on it. Headers are made here and hold nothing of a caller; they
 * go to no other origin. Source: MCP 2024-11-05, transports, "HTTP with SSE".
 * Errors: `upstream_credential`, `upstream_rejected`, `upstream_unavailable` by status; `upstream_protocol` when it is no such server; those of the dialer.
 */
export async function openSse(o: SseWireOptions, within: Within): Promise<McpWire> {
  const wire = new SseWire(o);
  try {
    await wire.open(within);
    return wire;
  } catch (error) {
    await wire.close();
    throw error;
  }
}

class SseWire implements McpWire {
  readonly #o: SseWireOptions;
  readonly #ending = new AbortController();
  readonly #sending = new Ending();
  #endpoint: string | null = null;
  #onFrame: (frame: McpFrame) => void = () => undefined;
  #onClose: (why: Error | null) => void = () => undefined;
  #over: { readonly why: Error | null } | null = null;

  constructor(o: SseWireOptions) {
    this.#o = o;
  }

  onFrame(handler: (frame: McpFrame) => void): void {
    this.#onFrame = handler;
  }
  onClose(handler: (why: Error | null) => void): void {
    this.#onClose = handler;
    if (this.#over !== null) handler(this.#over.why);
  }

  /** Resolves when the server has said where messages go. */
  async open({ deadlineMs, signal }: Within): Promise<void> {
    const onAbort = (): void => this.#ending.abort(new GatewayError("cancelled", "The connection is not wanted any more."));
    signal?.addEventListener("abort", onAbort, { once: true });
    const cancelTimer = this.#o.clock.at(deadlineMs, () =>
      this.#ending.abort(new GatewayError("upstream_timeout", "The server did not say in time where messages are posted.")),
    );
    try {
      if (signal?.aborted === true) onAbort();
      const stream = await this.#exchange("GET", null, { deadlineMs, idleMs: SILENCE_MS });
      const type = mediaType(headerOf(stream.headers, "content-type"));
      if (stream.status !== 200 || type !== "text/event-stream") throw refusedStream(stream, type);
      const chunks = stream.chunks()[Symbol.asyncIterator]();
      const reader = new SseReader(this.#o.maxMessageBytes);
      const early = await this.#untilEndpoint(chunks, reader);
      void this.#read(chunks, { reader, early });
    } finally {
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async send(frame: McpFrame, w: Within): Promise<void> {
    const endpoint = this.#endpoint;
    if (this.#over !== null || endpoint === null) throw new GatewayError("upstream_unavailable", "The connection to the server is closed.");
    let response: HttpResponse;
    try {
      response = await this.#sending.run((ending) => {
        const signal = w.signal === undefined ? ending : AbortSignal.any([w.signal, ending]);
        return this.#exchange("POST", frame, { deadlineMs: w.deadlineMs, signal, idleMs: POST_IDLE_MS });
      });
    } catch (error) {
      throw sentOrNot(error);
    }
    response.discard();
    const { status } = response;
    if (status < 300) return;
    // 404: the server forgot the stream, and did nothing.
    if (status === 404)
      throw new GatewayError("upstream_unavailable", "The server does not know our session any more.", {
        details: { status, session: "lost" },
      });
    throw new GatewayError(codeFor(status), `The server answered a message with status ${status}.`, { details: { status } });
  }

  close(): Promise<void> {
    this.#end(null);
    this.#ending.abort();
    this.#sending.end();
    return Promise.resolve();
  }

  async #exchange(method: "GET" | "POST", body: McpFrame | null, o: Within & { readonly idleMs: number }): Promise<HttpResponse> {
    const { authorizer } = this.#o;
    if (authorizer === undefined) return this.#send({ method, body, auth: [] }, o);
    const auth = await authorizer.headers(o);
    const response = await this.#send({ method, body, auth }, o);
    const { status } = response;
    if (status !== 401 && status !== 403) return response;
    const wwwAuthenticate = headerOf(response.headers, "www-authenticate");
    if (!(await authorizer.refused({ status, wwwAuthenticate }, auth, o))) return response;
    response.discard();
    return this.#send({ method, body, auth: await authorizer.headers(o) }, o);
  }

  #send(
    { method, body, auth }: { readonly method: "GET" | "POST"; readonly body: McpFrame | null; readonly auth: Headers },
    o: Within & { readonly idleMs: number },
  ): Promise<HttpResponse> {
    const { url, http, trust } = this.#o;
    const headers: (readonly [string, string])[] = [
      ["accept", method === "GET" ? "text/event-stream" : "application/json, text/event-stream"],
      ...(body === null ? [] : [["content-type", "application/json"] as const]),
    ];
    for (const [name, value, before = ""] of this.#o.headers) headers.push([name, before + value.reveal()]);
    const signal = o.signal ?? this.#ending.signal;
    const to = method === "GET" ? url : this.#endpoint!;
    const request = { method, url: to, headers: [...headers, ...auth], body, trust, idleMs: o.idleMs };
    return http.exchange(request, { deadlineMs: o.deadlineMs, signal });
  }

  async #untilEndpoint(chunks: AsyncIterator<Uint8Array>, reader: SseReader): Promise<readonly SseEvent[]> {
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      const events = [...reader.push(next.value)];
      const at = events.findIndex(({ event }) => event === "endpoint");
      if (at < 0) continue;
      this.#endpoint = endpointOf(events[at]!.data, this.#o.url);
      return events.slice(at + 1);
    }
    throw new GatewayError("upstream_protocol", "The server's stream ended before it said where messages are posted.");
  }

  async #read(
    chunks: AsyncIterator<Uint8Array>,
    { reader, early }: { readonly reader: SseReader; readonly early: readonly SseEvent[] },
  ): Promise<void> {
    try {
      for (const event of early) this.#event(event);
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
        for (const event of reader.push(next.value)) this.#event(event);
      this.#end(new GatewayError("upstream_interrupted", "The server ended its stream."));
    } catch (error) {
      this.#ending.abort();
      this.#sending.end();
      this.#end(GatewayError.is(error) ? error : new GatewayError("upstream_interrupted", "The server's stream broke.", { cause: error }));
    }
  }

  #event({ event, data }: SseEvent): void {
    if (event === "message" && this.#over === null) this.#onFrame(utf8(data));
  }

  #end(why: Error | null): void {
    if (this.#over !== null) return;
    this.#over = { why };
    this.#onClose(why);
  }
}

/** Credentials go where they were given for: nowhere else, whatever the server says. */
function endpointOf(data: string, url: string): string {
  let endpoint: URL;
  try {
    endpoint = new URL(data, url);
  } catch (cause) {
    throw new GatewayError("upstream_protocol", "The server said an address for messages that is none.", { cause });
  }
  if (endpoint.origin !== new URL(url).origin)
    throw new GatewayError("upstream_protocol", "The server wants messages posted to another origin than its own.");
  return endpoint.href;
}

function refusedStream(response: HttpResponse, type: string): GatewayError {
  response.discard();
  const { status } = response;
  if (status >= 400)
    return new GatewayError(codeFor(status), `The server answered with status ${status}.`, {
      details: { status },
      ...(status === 401 || status === 403 ? { hint: "Check the credential among the server's configured headers." } : {}),
    });
  return new GatewayError(
    "upstream_protocol",
    `The server answered with status ${status} and ${type || "nothing"}, not with an event stream.`,
  );
}

function codeFor(status: number): ErrorCode {
  if (status === 401 || status === 403) return "upstream_credential";
  if (status === 429) return "upstream_rate_limited";
  return status >= 500 ? "upstream_unavailable" : "upstream_rejected";
}
