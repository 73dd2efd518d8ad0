import { codes, GatewayError, type ErrorCode } from "../errors/index.js";

export interface ClientOptions {
  /** Where the gateway is mounted: `https://gateway.example.com/ai`. */
  readonly baseUrl: string;
  /** A key of the gateway, or what gives one when it is asked. Left out: the page's own session. */
  readonly key?: string | (() => string | Promise<string>) | undefined;
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

  constructor(options: ClientOptions) {
    this.#o = options;
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
    const { key, headers: own, fetch = globalThis.fetch } = this.#o;
    const headers: Record<string, string> = { accept: "application/json", ...own };
    for (const [name, value] of Object.entries(asked.headers ?? {})) if (value !== undefined) headers[name] = value;
    const credential = typeof key === "function" ? await key() : key;
    if (credential !== undefined) headers["authorization"] = `Bearer ${credential}`;
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
