import type { Headers } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { utf8 } from "../../util/json.js";
import type { EncodedError } from "../shared/codec.js";
import { statusOfType, typeOfStatus } from "./error-types.js";

/** Statuses of a vendor's refusal that its caller may act on; another one is shown as 400. */
const passedOn = new Set([400, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 422, 424, 431, 451]);
/** The words by which clients of this protocol know that the conversation has grown too long, and shorten it. */
const tooLong = "prompt is too long";

interface Shown {
  readonly status: number;
  readonly type: string;
}

/**
 * `Codec.encodeError` of Messages: the vendor's own shape, with the status that makes its SDK throw the right class; `error.details.error_code` is our code, or what the
 * vendor said there. `x-should-retry: false` keeps the SDK from repeating what cannot succeed, or what we have repeated already (`details.retryable: false`).
 */
export function encodeError(error: GatewayError, requestId: string): EncodedError {
  const body = { ...errorBody(error), request_id: requestId };
  return { status: shownAs(error).status, headers: errorHeaders(error, requestId), bytes: utf8(JSON.stringify(body)) };
}

/** The terminal frame of a stream that failed. */
export function errorFrame(error: GatewayError): Uint8Array {
  return utf8(`event: error\ndata: ${JSON.stringify(errorBody(error))}\n\n`);
}

function errorBody(error: GatewayError): Readonly<Record<string, unknown>> {
  const said = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  const overflow = detail(error, "reason") === "context_length_exceeded" && !said.includes(tooLong);
  const param = detail(error, "param");
  const details = { error_code: detail(error, "code") ?? error.code, ...(param === undefined ? {} : { param }) };
  return { type: "error", error: { type: shownAs(error).type, message: overflow ? `${tooLong}: ${said}` : said, details } };
}

function errorHeaders(error: GatewayError, requestId: string): Headers {
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["request-id", requestId],
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
    case "overloaded":
      return { status: 529, type: "overloaded_error" };
    case "upstream_unavailable": {
      // The vendor is there and has too much to do.
      const status = error.details?.["status"];
      return status === 529 || status === 503 ? { status: 529, type: "overloaded_error" } : { status: error.status, type: "api_error" };
    }
    case "upstream_rejected":
      return rejected(error);
    default:
      return { status: error.status, type: typeOfStatus(error.status) };
  }
}

/** A vendor's refusal goes on in its own words, as if the caller had asked the vendor itself. */
function rejected(error: GatewayError): Shown {
  const given = error.details?.["status"];
  const status = typeof given === "number" && passedOn.has(given) ? given : error.status;
  const type = detail(error, "type");
  return { status, type: type !== undefined && statusOfType(type) === status ? type : typeOfStatus(status) };
}

function detail(error: GatewayError, name: string): string | undefined {
  const value = error.details?.[name];
  return typeof value === "string" ? value : undefined;
}
