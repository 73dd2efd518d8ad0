import type { Headers } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { utf8 } from "../../util/json.js";
import type { EncodedError } from "../shared/codec.js";
import { isStatusWord, wordFor } from "./decode-error.js";

type Json = Readonly<Record<string, unknown>>;

/** Statuses of a vendor's refusal that its caller may act on; another one is shown as 400. */
const passedOn = new Set([400, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 422, 424, 431, 451]);
const rpc = "type.googleapis.com/google.rpc.";

/**
 * `Codec.encodeError` of Google's protocol: `{error: {code, message, status, details}}`. The details are Google's own kinds: `ErrorInfo` with our code, `BadRequest` with
 * the field, `RetryInfo` with the wait, `RequestInfo` with the request's id, all of which its SDK keeps in the error's message.
 * Source: https://google.aip.dev/193.
 */
export function encodeError(error: GatewayError, requestId: string): EncodedError {
  const body = errorBody(error, requestId);
  return { status: statusOf(error), headers: errorHeaders(error, requestId), bytes: utf8(JSON.stringify(body)) };
}

/** The terminal frame of a stream that failed: its SDK throws on it. */
export function errorFrame(error: GatewayError): Uint8Array {
  return utf8(`data: ${JSON.stringify(errorBody(error, undefined))}\n\n`);
}

function errorBody(error: GatewayError, requestId: string | undefined): Json {
  const code = statusOf(error);
  const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  const type = error.details?.["type"];
  const status = error.code === "upstream_rejected" && isStatusWord(type) ? type : wordFor(code);
  return { error: { code, message, status, details: detailsOf(error, requestId) } };
}

function detailsOf(error: GatewayError, requestId: string | undefined): readonly Json[] {
  const param = error.details?.["param"];
  const reason = error.details?.["reason"];
  const info = {
    "@type": `${rpc}ErrorInfo`,
    reason: (typeof reason === "string" ? reason : error.code).toUpperCase(),
    domain: "sallyport",
  };
  const details: Json[] = [info];
  if (typeof param === "string" && param !== "")
    details.push({ "@type": `${rpc}BadRequest`, fieldViolations: [{ field: param, description: error.message }] });
  if (error.retryAfterMs !== undefined)
    details.push({ "@type": `${rpc}RetryInfo`, retryDelay: `${Math.ceil(error.retryAfterMs) / 1000}s` });
  if (requestId !== undefined) details.push({ "@type": `${rpc}RequestInfo`, requestId });
  return details;
}

function errorHeaders(error: GatewayError, requestId: string): Headers {
  const headers: [string, string][] = [
    ["content-type", "application/json"],
    ["x-request-id", requestId],
  ];
  if (error.retryAfterMs !== undefined) headers.push(["retry-after", String(Math.ceil(error.retryAfterMs / 1000))]);
  if (!error.retryable || error.details?.["retryable"] === false) headers.push(["x-should-retry", "false"]);
  return headers;
}

/** A budget that is used up is a quota to Google's clients. */
function statusOf(error: GatewayError): number {
  if (error.code === "budget_exceeded") return 429;
  if (error.code !== "upstream_rejected") return error.status;
  const given = error.details?.["status"];
  return typeof given === "number" && passedOn.has(given) ? given : error.status;
}
