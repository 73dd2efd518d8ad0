import type { IncomingMessage, ServerResponse } from "node:http";
import { NodeExchange, NodeInbound, readTarget, type HandlingGateway } from "@sallyport/core/node";
import { replayOf, type ParsedRequest } from "./replay.js";

/** What Express adds to a request; its `Request` is one. */
export interface ExpressRequest extends IncomingMessage, ParsedRequest {
  readonly baseUrl: string;
}
/** Fits where Express takes a handler: `app.use("/ai", mount(gateway))`. */
export type ExpressHandler = (request: ExpressRequest, response: ServerResponse) => void;

/**
 * A gateway under any path of an Express 5 application: every face below that path, in any order with `express.json()`, `compression()` and `helmet()`. It answers all that
 * comes below the path, 404 included, so nothing that follows it there is reached.
 *
 * A body that a parser has read is used again: the bytes when the parser kept them (`req.rawBody`, `express.raw()`, `express.text()`), else the parsed JSON written anew, in which numbers beyond 2^53 and
 * duplicate fields are already lost; mount before the parser to have the body as it was sent. Streams are sent event by event: `no-transform` keeps compression away from
 * them. A client that leaves aborts its call.
 * Concurrency: any number of requests; one gateway may be mounted several times.
 */
export function mount(gateway: HandlingGateway): ExpressHandler {
  return (request, response) => {
    // Express has taken the mount's own path off `url`, and kept it in `baseUrl`; a middleware that rewrites `url` is heeded.
    const target = readTarget(request.url ?? "/");
    const inbound = new NodeInbound(request, { ...target, basePath: request.baseUrl, replay: replayOf(request) });
    new NodeExchange(inbound, response, { wrapped: true }).start(gateway);
  };
}
