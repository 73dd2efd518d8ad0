import type { Caller, HttpAnswer, Inbound } from "../calls/index.js";
import type { CallOptions } from "../seams/index.js";
import type { RawParams } from "./route-table.js";

/** One request on its way through an open route. */
export interface OpenExchange {
  readonly inbound: Inbound;
  readonly requestId: string;
  readonly params: RawParams;
  /** Unix ms. */
  readonly deadlineMs: number;
  readonly maxBodyBytes: number;
}
/** One request of a known caller. */
export interface Exchange extends OpenExchange {
  readonly caller: Caller;
}
export type OpenHandler = (x: OpenExchange) => HttpAnswer | Promise<HttpAnswer>;
export type Handler = (x: Exchange) => HttpAnswer | Promise<HttpAnswer>;

/** What a call through a seam says of itself when it enters at the edge. */
export function callOptions(x: Exchange): CallOptions {
  const { caller, requestId, inbound, deadlineMs } = x;
  return { caller, requestId, signal: inbound.signal, deadlineMs, depth: 0, sessionId: inbound.header("x-session-id") };
}
