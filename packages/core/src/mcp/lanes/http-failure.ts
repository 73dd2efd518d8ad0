import { GatewayError, type ErrorCode } from "../../errors/index.js";
import type { HttpResponse } from "../../ports/index.js";
import { idText, readMessage, upstreamPlan, valueMember, type RpcMessage } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { headerOf } from "./http-headers.js";

/** Failures of which it is certain that the request never reached the server. */
const notSent: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Tells a request that was certainly not sent from one that may have been: only the first may be repeated. What is no failure of the connection is left as it is. */
export function sentOrNot(error: unknown): unknown {
  if (!GatewayError.is(error, "upstream_unavailable")) return error;
  const cause = error.details?.["cause"];
  if (typeof cause !== "string" || notSent.has(cause) || /CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO/.test(cause)) return error;
  return new GatewayError("upstream_interrupted", "The connection to the server broke before it answered.", { cause: error });
}

/** Our session is not known to the server (it was restarted, or forgot it): nothing was done, and a new one will do. */
export function isSessionLost(error: unknown): boolean {
  return GatewayError.is(error, "upstream_unavailable") && error.details?.["session"] === "lost";
}

interface Asked {
  readonly id: number;
  readonly session: string | null;
}

/**
 * What an answer with an error status means. A JSON-RPC error in its body is the answer, whatever the status; the body is otherwise not told.
 * An upstream's 401 is the operator's to mend and never reaches a caller as 401.
 */
export function failedAnswer(response: HttpResponse, body: Uint8Array, asked: Asked): RpcMessage {
  const { status } = response;
  const message = rpcError(body);
  if (asked.session !== null && lostSession(status, message))
    throw new GatewayError("upstream_unavailable", "The server does not know our session any more.", {
      details: { status, session: "lost" },
    });
  if (status !== 401 && status !== 403 && message !== null && (message.id === null || idText(message) === String(asked.id))) return message;
  throw new GatewayError(codeFor(status), `The server answered with status ${status}.`, {
    details: { status },
    ...hintFor(status),
    ...retryAfter(headerOf(response.headers, "retry-after")),
  });
}

function rpcError(body: Uint8Array): RpcMessage | null {
  try {
    const message = readMessage(body, upstreamPlan);
    return message.kind === "response" && message.error !== null ? message : null;
  } catch {
    return null;
  }
}

/** 404 by the specification; some servers say 400 with a message. */
function lostSession(status: number, message: RpcMessage | null): boolean {
  if (status === 404) return true;
  if (status !== 400 || message === null) return false;
  const code = valueMember(message.bytes, message.error, "code");
  const text = valueMember(message.bytes, message.error, "message");
  return code === RPC.serverError && typeof text === "string" && /session/i.test(text);
}

function codeFor(status: number): ErrorCode {
  if (status === 401 || status === 403) return "upstream_credential";
  if (status === 429) return "upstream_rate_limited";
  return status >= 500 ? "upstream_unavailable" : "upstream_rejected";
}

function hintFor(status: number): { readonly hint?: string } {
  if (status === 401 || status === 403) return { hint: "Check the credential among the server's configured headers." };
  if (status === 404 || status === 405) return { hint: "Check that the address is the server's MCP endpoint (Streamable HTTP)." };
  return {};
}

function retryAfter(header: string | undefined): { readonly retryAfterMs?: number } {
  return header !== undefined && /^\d{1,6}$/.test(header) ? { retryAfterMs: Number(header) * 1000 } : {};
}
