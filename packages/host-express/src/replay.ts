import type { IncomingMessage } from "node:http";

/** What body parsers leave on a request. */
export interface ParsedRequest {
  readonly body?: unknown;
  /** The convention of `verify: (req, _res, bytes) => { req.rawBody = bytes }`. */
  readonly rawBody?: unknown;
}

/** How to have a body again that was read before us, null from it when nothing of it was kept; undefined: nobody has read it. */
export function replayOf(request: IncomingMessage & ParsedRequest): (() => Uint8Array | null) | undefined {
  return request.readableDidRead || request.readableEnded ? () => bytesOf(request) : undefined;
}

function bytesOf({ rawBody, body, headers }: IncomingMessage & ParsedRequest): Uint8Array | null {
  for (const value of [rawBody, body]) {
    if (value instanceof Uint8Array) return value;
    if (typeof value === "string") return Buffer.from(value);
  }
  if (typeof body === "object" && body !== null) return Buffer.from(JSON.stringify(body));
  return headers["content-length"] === "0" ? new Uint8Array(0) : null;
}
