import type { Headers, HttpAnswer } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { requiredCapabilitiesOf } from "../bridge/missing-capability.js";
import type { Era } from "../frames/protocol.js";
import { META, RPC } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

export const JSON_HEADERS: Headers = [["content-type", "application/json"]];
export const STREAM_HEADERS: Headers = [
  ["content-type", "text/event-stream"],
  ["cache-control", "no-cache, no-transform"],
  ["x-accel-buffering", "no"],
];
const nothingToDo = (): void => undefined;
const NOTHING = new Uint8Array(0);
const TAIL = utf8("}");

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export function jsonAnswer(status: number, bytes: Uint8Array, headers: Headers = []): HttpAnswer {
  return { status, headers: [...JSON_HEADERS, ...headers], body: { kind: "bytes", bytes }, done: nothingToDo };
}
/** 202 for notifications, 204 for the end of a session. */
export function emptyAnswer(status: 202 | 204): HttpAnswer {
  return { status, headers: [], body: { kind: "bytes", bytes: NOTHING }, done: nothingToDo };
}

export function errorBytes(id: string, error: RpcError): Uint8Array {
  return utf8(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`);
}
export function errorAnswer(status: number, id: string, error: RpcError): HttpAnswer {
  return jsonAnswer(status, errorBytes(id, error), status === 405 ? [["allow", "GET, POST, DELETE"]] : []);
}
export function resultBytes(id: string, result: Uint8Array): Uint8Array {
  return joinBytes([utf8(`{"jsonrpc":"2.0","id":${id},"result":`), result, TAIL]);
}

/** What every result of 2026-07-28 carries, as members without braces; empty before it. `keepMs`: how long it may be kept, by its caller alone; null where results say nothing of it. */
export function resultHead(era: Era, version: string, o: { readonly keepMs: number | null }): string {
  if (era === "legacy") return "";
  const hints = o.keepMs === null ? "" : `"ttlMs":${o.keepMs},"cacheScope":"private",`;
  return `"resultType":"complete",${hints}"_meta":{${serverInfoMember(version)}}`;
}
export function serverInfoMember(version: string): string {
  return `"${META.serverInfo}":{"name":"sallyport","version":${JSON.stringify(version)}}`;
}

/**
 * One of our errors as a JSON-RPC error: what the protocol has a number for gets it, everything else is -32000, and `data` says which of ours it is.
 */
export function rpcError(thrown: unknown, requestId: string): RpcError {
  const error = GatewayError.from(thrown);
  const requiredCapabilities = requiredCapabilitiesOf(error);
  const data = {
    ...error.toJSON(),
    message: undefined,
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
    ...(requiredCapabilities === null ? {} : { requiredCapabilities, details: undefined }),
    request_id: requestId,
  };
  return { code: requiredCapabilities === null ? numberFor(error) : RPC.missingCapability, message: error.message, data };
}

/** What ended a call: where its caller's credential did, that, and not that the call was broken off for it. */
export function whyEnded(error: unknown, { signal }: { readonly signal: AbortSignal }): unknown {
  return GatewayError.is(signal.reason, "unauthenticated") ? signal.reason : error;
}

function numberFor(error: GatewayError): number {
  switch (error.code) {
    case "invalid_json":
      return RPC.parseError;
    case "bad_request":
      return RPC.invalidRequest;
    case "validation_failed":
    case "tool_not_found":
    case "not_found":
    case "unsupported_feature":
      return RPC.invalidParams;
    case "internal":
      return RPC.internalError;
    default:
      return RPC.serverError;
  }
}
