import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient, HttpRequest, HttpResponse, Within } from "../../ports/index.js";
import { parseTarget } from "./target.js";
import { transportError } from "./transport-errors.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

/** What `httpClient` of the Node platform takes; here the runtime itself connects, pools and resolves. */
export interface HttpClientOptions {
  readonly clock: Clock;
  readonly allowPrivate?: boolean | undefined;
  readonly connectMs?: number | undefined;
  readonly maxConnections?: number | undefined;
}

/**
 * Outbound HTTP over the runtime's `fetch`, for workers and browsers. Such a runtime does not say which address it dials, so there is no guarding here:
 * untrusted addresses are refused unless the operator set `network.allowPrivate`.
 */
export function httpClient(options: HttpClientOptions): HttpClient {
  let closed = false;
  return {
    async exchange(r, w) {
      if (closed) throw new GatewayError("shutting_down", "The gateway is closing.");
      if (r.trust === "untrusted" && options.allowPrivate !== true)
        throw new GatewayError("address_refused", "This runtime cannot tell public addresses from private ones before it connects.", {
          hint: "Run the gateway on Node, Bun or Deno, or set network.allowPrivate.",
        });
      return exchange(r, w, options.clock);
    },
    async close() {
      closed = true;
    },
  };
}

async function exchange(r: HttpRequest, w: Within, clock: Clock): Promise<HttpResponse> {
  const { origin, path } = parseTarget(r.url);
  const life = new Life(w.signal, clock, r.endByMs);
  const cancelDeadline = clock.at(w.deadlineMs, () => life.end(timeout("The server did not begin to answer in time.")));
  try {
    const response = await fetch(origin + path, {
      method: r.method,
      headers: r.headers.map(([name, value]): [string, string] => [name, value]),
      body: r.body === null || r.body instanceof Uint8Array ? r.body : toStream(r.body),
      // Required for a body that is a stream, harmless for others.
      ...{ duplex: "half" },
      redirect: "manual",
      signal: life.signal,
    });
    return new FetchedResponse(response, life, r.idleMs);
  } catch (error) {
    life.release();
    throw life.failure ?? transportError(error, "head");
  } finally {
    cancelDeadline();
  }
}

/** The one controller of an exchange: aborted by the caller, a timeout, or who drops the answer. */
class Life {
  readonly #controller = new AbortController();
  readonly #cancelEnd: () => void;
  failure: GatewayError | null = null;

  constructor(
    readonly outer: AbortSignal | undefined,
    readonly clock: Clock,
    endByMs: number | undefined,
  ) {
    const late = (): void => this.end(new GatewayError("deadline_exceeded", "The answer was not complete by the deadline."));
    this.#cancelEnd = endByMs === undefined ? () => undefined : clock.at(endByMs, late);
    if (outer?.aborted === true) this.#onAbort();
    else outer?.addEventListener("abort", this.#onAbort);
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  end(error: GatewayError): void {
    this.failure ??= error;
    this.release();
    this.#controller.abort(this.failure);
  }
  release(): void {
    this.#cancelEnd();
    this.outer?.removeEventListener("abort", this.#onAbort);
  }
  readonly #onAbort = (): void => {
    const reason: unknown = this.outer?.reason;
    this.end(GatewayError.is(reason) ? reason : new GatewayError("cancelled", "The call was cancelled.", { cause: reason }));
  };
}

class FetchedResponse implements HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly #response: Response;
  readonly #life: Life;
  readonly #idleMs: number;

  constructor(response: Response, life: Life, idleMs: number) {
    this.status = response.status;
    // `fetch` has unpacked the body already.
    this.headers = [...response.headers].filter(([name]) => name !== "content-encoding" && name !== "content-length");
    this.#response = response;
    this.#life = life;
    this.#idleMs = idleMs;
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.chunks()) {
      length += chunk.byteLength;
      if (length > maxBytes)
        throw new GatewayError("payload_too_large", `The server's answer is larger than ${maxBytes} bytes.`, { details: { maxBytes } });
      parts.push(chunk);
    }
    return joinBytes(parts);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const reader = this.#response.body?.getReader();
    let whole = false;
    try {
      while (reader !== undefined) {
        const read = await this.#withinIdle(() => reader.read());
        if (read.done) break;
        yield read.value as Uint8Array;
      }
      whole = true;
    } finally {
      if (whole) this.#life.release();
      else this.discard();
    }
  }

  discard(): void {
    this.#life.end(new GatewayError("cancelled", "The answer was dropped."));
  }

  async #withinIdle<T>(read: () => Promise<T>): Promise<T> {
    const { clock } = this.#life;
    const cancel = clock.at(clock.now() + this.#idleMs, () =>
      this.#life.end(timeout("The server fell silent in the middle of its answer.")),
    );
    try {
      return await read();
    } catch (error) {
      throw this.#life.failure ?? transportError(error, "body");
    } finally {
      cancel();
    }
  }
}

function timeout(message: string): GatewayError {
  return new GatewayError("upstream_timeout", message);
}

function toStream(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
