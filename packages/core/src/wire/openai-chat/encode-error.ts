import type { Headers } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { utf8 } from "../../util/json.js";
import type { EncodedError } from "../shared/codec.js";

/** Statuses of a vendor's refusal that its caller may act on; another one is shown as 400. */
const passedOn = new Set([400, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 422, 424, 431, 451]);

interface Shown {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
}

/**
 * `Codec.encodeError` of Chat Completions: OpenAI's own shape, with the status that makes its SDK throw the right class and the words that its clients look for;
 * other codes are ours. `x-should-retry: false` keeps the SDK from repeating what cannot succeed, or what we have repeated already (`details.retryable: false`).
 */
export function encodeError(error: GatewayError, requestId: string): EncodedError {
  return { status: shownAs(error).status, headers: errorHeaders(error, requestId), bytes: utf8(JSON.stringify(errorBody(error))) };
}

/** The terminal frame of a stream that failed. */
export function errorFrame(error: GatewayError): Uint8Array {
  return utf8(`data: ${JSON.stringify(errorBody(error))}\n\n`);
}

/** The error as OpenAI writes it, in all its dialects. */
export function errorBody(error: GatewayError): { readonly error: Readonly<Record<string, string | null>> } {
  const { type, code } = shownAs(error);
  const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return { error: { message, type, param: detail(error, "param") ?? null, code } };
}

function errorHeaders(error: GatewayError, requestId: string): Headers {
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["x-request-id", requestId],
  ];
  if (error.retryAfterMs !== undefined) {
    headers.push(["retry-after", String(Math.ceil(error.retryAfterMs / 1000))]);
    headers.push(["retry-after-ms", String(Math.ceil(error.retryAfterMs))]);
  }
  if (!error.retryable || error.details?.["retryable"] === false) headers.push(["x-should-retry", "false"]);
  return headers;
}

function shownAs(error: GatewayError): Shown {
  switch (error.code) {
    case "budget_exceeded":
      return { status: 429, type: "insufficient_quota", code: "insufficient_quota" };
    case "unauthenticated":
      return { status: 401, type: "authentication_error", code: "invalid_api_key" };
    case "rate_limited":
    case "upstream_rate_limited":
      return detail(error, "reason") === "insufficient_quota"
        ? { status: 429, type: "insufficient_quota", code: "insufficient_quota" }
        : { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" };
    case "upstream_rejected":
      return rejected(error);
    default:
      return { status: error.status, type: typeOf(error.status), code: error.code };
  }
}

/** A vendor's refusal goes on in its own words, as if the caller had asked the vendor itself. */
function rejected(error: GatewayError): Shown {
  const given = error.details?.["status"];
  const status = typeof given === "number" && passedOn.has(given) ? given : error.status;
  return { status, type: detail(error, "type") ?? typeOf(status), code: detail(error, "reason") ?? detail(error, "code") ?? null };
}

function typeOf(status: number): string {
  if (status >= 500) return "server_error";
  return status === 403 ? "permission_error" : "invalid_request_error";
}

function detail(error: GatewayError, name: string): string | undefined {
  const value = error.details?.[name];
  return typeof value === "string" ? value : undefined;
}
