import type { Headers, HttpAnswer, Inbound, ProtocolId } from "../calls/index.js";
import { GatewayError, headersOf } from "../errors/index.js";
import { headerSafe } from "../util/encoding/header-safe.js";
import { dialects } from "./dialects.js";
import { requestIdOf } from "./request-id.js";

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);
/** Nothing is held by an answer that is whole. */
const ignore = (): void => undefined;

const jsonHeaders: Headers = [
  ["content-type", "application/json"],
  ["cache-control", "no-store"],
  ["x-content-type-options", "nosniff"],
];

/** A whole JSON answer of our own faces. */
export function jsonAnswer(status: number, body: unknown): HttpAnswer {
  return jsonBytesAnswer(encoder.encode(JSON.stringify(body)), [], status);
}

/** A whole answer that is JSON already; `headers` beside those that every such answer has. */
export function jsonBytesAnswer(bytes: Uint8Array, headers: Headers = [], status = 200): HttpAnswer {
  const more = headers.filter(([name]) => !jsonHeaders.some(([own]) => own === name));
  return { status, headers: [...jsonHeaders, ...more], body: { kind: "bytes", bytes }, done: ignore };
}

export function emptyAnswer(status: number, headers: Headers): HttpAnswer {
  return { status, headers, body: { kind: "bytes", bytes: nothing }, done: ignore };
}

/** Which shape errors have: a vendor's dialect, or our own `{error: {code, message, hint?, details?, request_id}}`. */
export type ErrorShape = ProtocolId | "own";

/** An error before the first byte of an answer. */
export function errorAnswer(error: GatewayError, requestId: string, shape: ErrorShape): HttpAnswer {
  const extra: (readonly [string, string])[] = [...headersOf(error), ...askedHeaders(error)];
  if (error.code === "unauthenticated" && !extra.some(([name]) => name === "www-authenticate")) extra.push(["www-authenticate", "Bearer"]);
  if (error.code === "method_not_allowed") extra.push(["allow", [error.details?.["allowed"]].flat().join(", ")]);
  if (error.retryAfterMs !== undefined) extra.push(["retry-after", String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)))]);
  const codec = shape === "own" ? undefined : dialects[shape];
  if (codec === undefined) {
    const answer = jsonAnswer(error.status, { error: { ...error.toJSON(), request_id: requestId } });
    return { ...answer, headers: [...answer.headers, ...extra] };
  }
  const encoded = codec.encodeError(error, requestId);
  const own = extra.filter(([name]) => !encoded.headers.some(([other]) => other === name));
  return { status: encoded.status, headers: [...encoded.headers, ...own], body: { kind: "bytes", bytes: encoded.bytes }, done: ignore };
}

/** Who was asked last, and how often anybody was: an error says so as an answer does. None when nobody was asked. */
function askedHeaders({ code, details = {} }: GatewayError): [string, string][] {
  const { provider, model, attempts } = details;
  if (!code.startsWith("upstream_") || typeof provider !== "string") return [];
  return [
    ["x-sallyport-provider", headerSafe(provider)],
    ...(typeof model === "string" ? ([["x-sallyport-model", headerSafe(`${provider}/${model}`)]] as [string, string][]) : []),
    ["x-sallyport-attempts", typeof attempts === "number" ? String(attempts) : "1"],
  ];
}

/** What a host answers when the gateway did not: it could not start, or has a defect. */
export function failedAnswer(error: unknown, inbound: Inbound): HttpAnswer {
  const requestId = requestIdOf(inbound.header("x-request-id"));
  const answer = errorAnswer(GatewayError.from(error), requestId, "own");
  return { ...answer, headers: [...answer.headers, ["x-request-id", requestId]] };
}
