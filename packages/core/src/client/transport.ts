import { codes, GatewayError, type ErrorCode } from "../errors/index.js";
import { SESSION_TOKEN_HEADER, SessionToken } from "./session-token.js";

export interface ClientOptions {
  /** Where the gateway is mounted: `https://gateway.example.com/ai`. */
  readonly baseUrl: string;
  /** A key of the gateway, or what gives one when it is asked. Left out: the page's own session. */
  readonly key?: string | (() => string | Promise<string>) | undefined;
  /** The session's token, as the sign-in answered it: without a key, all that changes something has to carry it. Left out: asked for at `GET /api/v1/me` before the first change. */
  readonly csrfToken?: string | (() => string | Promise<string>) | undefined;
  /** The platform's own when left out. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
export interface Asked extends CallOptions {
  readonly method: string;
  /** Without the base, beginning with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Sent as JSON; undefined: no body. */
  readonly body?: unknown;
}

/** One gateway over HTTP. */
export class Transport {
  readonly #o: ClientOptions;
  readonly #base: string;
  readonly #token: SessionToken;

  constructor(options: ClientOptions) {
    this.#o = options;
    this.#token = new SessionToken(options.csrfToken, async () => {
      const response = await this.#fetch({ method: "GET", path: "/api/v1/me" }, {});
      return ((await response.json()) as { readonly csrf_token: string | null }).csrf_token;
    });
    this.#base = options.baseUrl.replace(/\/+$/, "");
  }

  /** The JSON of an answer. Errors: those that the gateway answers with, as `GatewayError` with its code, details and request id; `upstream_unavailable` when it cannot be reached. */
  async json<T>(asked: Asked): Promise<T> {
    const response = await this.send(asked);
    try {
      return (await response.json()) as T;
    } catch (cause) {
      throw new GatewayError("upstream_protocol", "The gateway's answer is not JSON.", { cause, requestId: requestIdOf(response) });
    }
  }

  /** The answer, when it is a good one. Errors: as `json`. */
  async send(asked: Asked): Promise<Response> {
    const { key } = this.#o;
    const credential = typeof key === "function" ? await key() : key;
    if (credential !== undefined) return this.#fetch(asked, { authorization: `Bearer ${credential}` });
    const token = await unlessAborted(this.#token.of(asked.method), asked.signal);
    try {
      return await this.#fetch(asked, tokenHeader(token));
    } catch (error) {
      if (!GatewayError.is(error, "forbidden") || error.details?.["missing"] !== SESSION_TOKEN_HEADER || !this.#token.refused())
        throw error;
      const other = await this.#token.of(asked.method);
      if (other === null || other === token) throw error;
      return this.#fetch(asked, tokenHeader(other));
    }
  }

  async #fetch(asked: Asked, identity: Readonly<Record<string, string>>): Promise<Response> {
    const { headers: own, fetch = globalThis.fetch } = this.#o;
    const headers: Record<string, string> = { accept: "application/json", ...own };
    for (const [name, value] of Object.entries(asked.headers ?? {})) if (value !== undefined) headers[name] = value;
    Object.assign(headers, identity);
    if (asked.body !== undefined) headers["content-type"] = "application/json";
    const init: RequestInit = { method: asked.method, headers };
    if (asked.body !== undefined) init.body = JSON.stringify(asked.body);
    if (asked.signal !== undefined) init.signal = asked.signal;
    let response: Response;
    try {
      response = await fetch(`${this.#base}${asked.path}${queryOf(asked.query)}`, init);
    } catch (cause) {
      if (asked.signal?.aborted === true) throw GatewayError.from(asked.signal.reason);
      throw new GatewayError("upstream_unavailable", "The gateway could not be reached.", { cause });
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

/** What others wait for too is not ended by one of them who goes. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(GatewayError.from(signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

function tokenHeader(token: string | null): Readonly<Record<string, string>> {
  return token === null ? {} : { [SESSION_TOKEN_HEADER]: token };
}

function queryOf(query: Asked["query"]): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

function requestIdOf(response: Response): string | undefined {
  return response.headers.get("x-sallyport-request-id") ?? response.headers.get("x-request-id") ?? undefined;
}

interface ErrorBody {
  readonly error?: { code?: unknown; message?: unknown; hint?: unknown; details?: unknown };
}

/** An error as the gateway made it. A code that this version does not know keeps its name in the details. */
async function errorOf(response: Response): Promise<GatewayError> {
  const { error = {} } = ((await response.json().catch(() => null)) ?? {}) as ErrorBody;
  const { code, message, hint, details } = error;
  const isKnown = typeof code === "string" && Object.hasOwn(codes, code);
  const seconds = Number(response.headers.get("retry-after"));
  return new GatewayError(
    isKnown ? (code as ErrorCode) : codeOfStatus(response.status),
    typeof message === "string" ? message : `The gateway answered ${response.status}.`,
    {
      ...(typeof hint === "string" ? { hint } : {}),
      details: {
        ...(details as object | undefined),
        ...(isKnown ? {} : { status: response.status, ...(typeof code === "string" ? { code } : {}) }),
      },
      ...(seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {}),
      requestId: requestIdOf(response),
    },
  );
}

function codeOfStatus(status: number): ErrorCode {
  const known: Readonly<Record<number, ErrorCode>> = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "payload_too_large",
    429: "rate_limited",
    503: "overloaded",
  };
  return known[status] ?? (status >= 500 ? "upstream_unavailable" : "bad_request");
}
