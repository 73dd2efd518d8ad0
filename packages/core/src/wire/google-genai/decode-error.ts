import type { Headers } from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import { durationMs } from "../shared/retry-after.js";
import { vendorError, type VendorFailure } from "../shared/vendor-error.js";

type Json = Readonly<Record<string, unknown>>;

const lenient = new TextDecoder("utf-8");
/** What of a body that is no JSON is worth telling. */
const maxPlainChars = 300;

/** Google's words for kinds of failure, with their HTTP status. Source: google/rpc/code.proto. */
const statuses: Readonly<Record<string, number>> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  UNAUTHENTICATED: 401,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
};

/** `Codec.decodeError` of Google's protocol: `{error: {code, message, status, details}}`, a list of one, a bare text, a web page, or nothing. */
export function decodeError(status: number, headers: Headers, bytes: Uint8Array): GatewayError {
  const text = lenient.decode(bytes).trim();
  const body = parsed(text);
  return body === null ? vendorError({ status, headers, message: plainText(text, status) }) : failureOf(body, status, headers);
}

/** The error in an answer, or in a frame of one, that began with 200; null when there is none. */
export function errorInBody(body: Json): GatewayError | null {
  const error = body["error"];
  const isEmpty = isObject(error) ? Object.keys(error).length === 0 : !error;
  return isEmpty ? null : failureOf(body, statusIn(error), []);
}

function failureOf(body: Json, status: number, headers: Headers): GatewayError {
  const error = body["error"];
  const said: Json = isObject(error) ? error : { message: typeof error === "string" ? error : body["message"] };
  const details = Array.isArray(said["details"]) ? said["details"].filter(isObject) : [];
  const reason = textOf(details.find((detail) => typeof detail["reason"] === "string")?.["reason"]);
  return vendorError({
    // A key that is wrong is an invalid argument to Google.
    status: reason !== undefined && /^API_KEY_/.test(reason) ? 401 : status,
    headers: withDelay(headers, details),
    message: textOf(said["message"]),
    type: textOf(said["status"]),
    code: reason,
    param: violated(details),
  } satisfies VendorFailure);
}

/** Google names the wait in the body (google.rpc.RetryInfo), not in a header. */
function withDelay(headers: Headers, details: readonly Json[]): Headers {
  const delay = durationMs(textOf(details.find((detail) => detail["retryDelay"] !== undefined)?.["retryDelay"]));
  const hasHeader = headers.some(([name]) => name === "retry-after" || name === "retry-after-ms");
  return delay === undefined || hasHeader ? headers : [...headers, ["retry-after-ms", String(delay)]];
}

/** The field that was wrong (google.rpc.BadRequest). */
function violated(details: readonly Json[]): string | undefined {
  const violations = details.find((detail) => Array.isArray(detail["fieldViolations"]))?.["fieldViolations"];
  const first = Array.isArray(violations) ? (violations[0] as unknown) : undefined;
  return isObject(first) ? textOf(first["field"]) : undefined;
}

function statusIn(error: unknown): number {
  if (!isObject(error)) return 500;
  const { code, status } = error;
  if (typeof code === "number" && Number.isInteger(code) && code >= 400 && code <= 599) return code;
  return typeof status === "string" && Object.hasOwn(statuses, status) ? (statuses[status] as number) : 500;
}

/** Google's word for an HTTP status. */
export function wordFor(status: number): string {
  if (status === 400 || status === 413 || status === 415 || status === 422) return "INVALID_ARGUMENT";
  const exact = Object.entries(statuses).find(([word, given]) => given === status && word !== "ALREADY_EXISTS" && word !== "UNKNOWN");
  if (exact !== undefined) return exact[0];
  return status >= 500 ? "UNAVAILABLE" : "FAILED_PRECONDITION";
}
/** Whether a word is one of Google's. */
export function isStatusWord(word: unknown): word is string {
  return typeof word === "string" && Object.hasOwn(statuses, word);
}

function parsed(text: string): Json | null {
  try {
    const value = JSON.parse(text) as unknown;
    // Without `alt=sse` a stream that failed is a list of one.
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return isObject(first) ? first : null;
  } catch {
    return null;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A web page comes from a proxy on the way and tells a machine nothing. */
function plainText(text: string, status: number): string {
  if (text.startsWith("<")) return `A web page with status ${status} came instead of the vendor's answer.`;
  return text.length > maxPlainChars ? `${text.slice(0, maxPlainChars)}…` : text;
}
