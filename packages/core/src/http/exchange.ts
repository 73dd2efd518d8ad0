import type { Caller, Face, HttpAnswer, Inbound } from "../calls/index.js";
import type { Route } from "../routes/index.js";
import type { CallOptions } from "../seams/index.js";
import { originOf } from "./origin.js";
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
  /** The shape of the route's answers. */
  readonly face: Face;
}
export type OpenHandler = (x: OpenExchange) => HttpAnswer | Promise<HttpAnswer>;
export type Handler = (x: Exchange) => HttpAnswer | Promise<HttpAnswer>;

/** A route and what answers it. Only a route that declares itself `open` gets an open handler; all others are given a Caller, so they cannot be reached without one. */
export type Entry =
  | { readonly kind: "open"; readonly route: Route & { readonly open: true }; readonly handler: OpenHandler }
  | { readonly kind: "closed"; readonly route: Route; readonly handler: Handler };

/** What a call through a seam says of itself when it enters at the edge. */
export function callOptions(x: Exchange): CallOptions {
  const { caller, requestId, inbound, deadlineMs, face } = x;
  const { signal } = inbound;
  const [sessionId, cacheControl] = [inbound.header("x-session-id"), inbound.header("cache-control")];
  return { caller, requestId, signal, deadlineMs, depth: 0, face, sessionId, cacheControl, origin: originOf(inbound) };
}
