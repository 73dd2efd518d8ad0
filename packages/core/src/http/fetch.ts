import type { HttpAnswer, Inbound } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import { failedAnswer } from "./answers.js";
import { tooLarge } from "./faces/json-body.js";
import { joinBytes } from "../util/encoding/join-bytes.js";

export interface FetchOptions {
  /** The path under which the gateway is mounted, when the host does not strip it: `/ai`. */
  readonly basePath?: string | undefined;
}

/**
 * A gateway as the web's own `fetch`: for Hono, workers, and callers in the same process. Streams are pulled by their reader, so a slow one holds the upstream back; one that cancels, or a request whose
 * signal aborts, ends the call. The name in the URL counts as Host when there is no such header.
 */
export function createFetch(
  handle: (inbound: Inbound) => Promise<HttpAnswer>,
): (request: Request, options?: FetchOptions) => Promise<Response> {
  return async (request, options) => {
    const inbound = new FetchInbound(request, options?.basePath);
    const answer = await handle(inbound).catch((error: unknown) => failedAnswer(error, inbound));
    if (request.body !== null && !request.bodyUsed && !request.body.locked) void dropRest(request.body.getReader());
    try {
      return toResponse(answer, inbound);
    } catch (error) {
      answer.done("failed", GatewayError.from(error).code);
      return toResponse(failedAnswer(error, inbound), inbound);
    }
  };
}

class FetchInbound implements Inbound {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly basePath: string;
  readonly remoteAddress = null;
  readonly raw: Request;
  readonly #controller = new AbortController();
  isEnded = false;
  readonly #host: string;

  constructor(request: Request, basePath: unknown) {
    const url = new URL(request.url);
    // Frameworks hand their own second argument on; only a text is a base path.
    const base = typeof basePath === "string" ? basePath.replace(/\/+$/, "") : "";
    const below = base !== "" && (url.pathname === base || url.pathname.startsWith(`${base}/`));
    this.raw = request;
    this.method = request.method;
    this.path = below ? url.pathname.slice(base.length) || "/" : url.pathname;
    this.query = url.search.slice(1);
    this.basePath = below ? base : "";
    this.#host = url.host;
    if (request.signal.aborted) this.leave();
    else request.signal.addEventListener("abort", () => this.leave(), { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  header(name: string): string | undefined {
    return this.raw.headers.get(name) ?? (name === "host" ? this.#host : undefined);
  }

  leave(): void {
    this.#controller.abort(left());
  }

  /** Ended from our side: the answer, if it is a stream, still says so. */
  abort(reason: GatewayError): void {
    this.isEnded = true;
    this.#controller.abort(reason);
  }

  async body(maxBytes: number): Promise<Uint8Array> {
    if (this.raw.bodyUsed)
      throw new GatewayError("misconfigured", "The request's body was read before the gateway got it.", {
        hint: "Hand the request on unread, or a clone of it.",
      });
    if (this.raw.body === null) return new Uint8Array(0);
    const reader = this.raw.body.getReader();
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return chunks.length === 1 ? chunks[0]! : joinBytes(chunks);
        length += value.byteLength;
        if (length > maxBytes) throw tooLarge(maxBytes);
        chunks.push(value);
      }
    } catch (error) {
      if (!GatewayError.is(error)) throw left();
      void dropRest(reader);
      throw error;
    }
  }
}

/** Of a body that is refused so much is still read, so that the client gets to read why: a host closes the connection of a body that nobody reads, or cancels. */
const MAX_DROPPED_BYTES = 67_108_864;

async function dropRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    let dropped = 0;
    while (dropped < MAX_DROPPED_BYTES) {
      const { done, value } = await reader.read();
      if (done) return;
      dropped += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // Whoever sent it has gone.
  }
}

function left(): GatewayError {
  return new GatewayError("cancelled", "The caller went away.");
}

function toResponse(answer: HttpAnswer, inbound: FetchInbound): Response {
  const headers = new Headers();
  for (const [name, value] of answer.headers) headers.append(name, value);
  const init = { status: answer.status, headers };
  if (answer.body.kind === "frames") return new Response(toStream(answer.body.frames, answer, inbound), init);
  if (answer.body.kind === "events") throw new GatewayError("internal", "A face answered with events.");
  const { bytes } = answer.body;
  headers.set("content-length", String(bytes.byteLength));
  answer.done("sent");
  const bodiless = inbound.method === "HEAD" || answer.status === 204 || answer.status === 304;
  return new Response(bodiless ? null : (bytes as Uint8Array<ArrayBuffer>), init);
}

function toStream(frames: AsyncIterable<Uint8Array>, answer: HttpAnswer, inbound: FetchInbound): ReadableStream<Uint8Array> {
  const source = frames[Symbol.asyncIterator]();
  let isOver = false;
  const tell: HttpAnswer["done"] = (how, code) => {
    if (!isOver) answer.done(how, code);
    isOver = true;
  };
  const leave = (): void => {
    inbound.leave();
    source.return?.().catch(() => undefined);
    tell("left");
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        inbound.signal.addEventListener("abort", () => {
          if (inbound.isEnded) return;
          leave();
          // After the host had its turn: one that cancels for the same reason has no error to report then.
          queueMicrotask(() => controller.error(inbound.raw.signal.reason ?? left()));
        });
      },
      pull: async (controller) => {
        try {
          const { done, value } = await source.next();
          if (done !== true) controller.enqueue(value);
          else {
            controller.close();
            tell("sent");
          }
        } catch (error) {
          tell("failed", GatewayError.from(error).code);
          controller.error(error);
        }
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
}
