import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { GatewayError } from "../errors/index.js";
import { newId } from "../util/ids.js";

/** Answers what is no HTTP request in the shape of our errors, and closes the connection: nothing after it can be trusted to be one. */
export function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  // A connection that was reset has nobody left to read; one that is answering already must not get a second head in between.
  if (error.code === "ECONNRESET" || !socket.writable || (socket as Socket).bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const requestId = newId("req");
  const known = toError(error.code);
  const body = JSON.stringify({ error: { ...known.toJSON(), request_id: requestId } });
  socket.end(
    [
      `HTTP/1.1 ${known.status} ${known.status === 413 ? "Payload Too Large" : "Bad Request"}`,
      "content-type: application/json",
      `x-request-id: ${requestId}`,
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

function toError(code: string | undefined): GatewayError {
  if (code === "HPE_HEADER_OVERFLOW") return new GatewayError("payload_too_large", "The head of the request is larger than 16 KiB.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new GatewayError("bad_request", "The request did not arrive in time.");
  return new GatewayError("bad_request", "This is not an HTTP/1.1 request.");
}
