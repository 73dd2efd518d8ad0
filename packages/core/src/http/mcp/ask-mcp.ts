import type { HttpAnswer, JsonObject } from "../../calls/index.js";
import { codes, GatewayError, type ErrorCode } from "../../errors/index.js";
import { callOptions, type Exchange } from "../exchange.js";
import type { McpServing } from "../faces/mcp-face.js";
import { originOf } from "../origin.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const headers: Readonly<Record<string, string>> = { "content-type": "application/json", accept: "application/json" };

export interface McpQuestion {
  readonly method: string;
  readonly params: JsonObject;
  /** The one server that is asked, under its own names. */
  readonly server: string;
}

/**
 * One request of a REST caller, made as an MCP client would make it: the same policy, the same names, the same limits. Gives the result. Errors: those of ours by their code; `upstream_rejected`
 * for what the server itself refused.
 */
export async function askMcp(mcp: McpServing, x: Exchange, { method, params, server }: McpQuestion): Promise<JsonObject> {
  const bytes = encoder.encode(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  const request = { method: "POST" as const, header: (name: string) => headers[name], bytes, namespace: null, server };
  const answer = await mcp.serve(request, { ...callOptions(x), origin: originOf(x.inbound) });
  try {
    const reply = JSON.parse(decoder.decode(await bytesOf(answer))) as Reply;
    if (reply.error !== undefined) throw errorOf(reply.error, { server, requestId: x.requestId });
    answer.done("sent");
    const { resultType: _resultType, ...result } = reply.result ?? {};
    return result;
  } catch (error) {
    answer.done("failed", GatewayError.from(error).code);
    throw error;
  }
}

interface Reply {
  readonly result?: JsonObject;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

async function bytesOf({ body }: HttpAnswer): Promise<Uint8Array> {
  if (body.kind === "bytes") return body.bytes;
  throw new GatewayError("internal", "An MCP answer was streamed to a caller that takes none.");
}

function errorOf(
  { code, message, data }: NonNullable<Reply["error"]>,
  { server, requestId }: { readonly server: string; readonly requestId: string },
): GatewayError {
  const ours = (typeof data === "object" && data !== null ? data : {}) as {
    readonly code?: string;
    readonly hint?: string;
    readonly details?: Readonly<Record<string, unknown>>;
    readonly retry_after_ms?: number;
    readonly request_id?: string;
  };
  // A server may write what looks like an error of ours, and does not know which request it is.
  if (ours.request_id === requestId && typeof ours.code === "string" && Object.hasOwn(codes, ours.code))
    return new GatewayError(ours.code as ErrorCode, message, {
      ...(ours.hint === undefined ? {} : { hint: ours.hint }),
      ...(ours.details === undefined ? {} : { details: ours.details }),
      ...(ours.retry_after_ms === undefined ? {} : { retryAfterMs: ours.retry_after_ms }),
    });
  const said = { details: { server, rpcCode: code } };
  if (code === -32_002 || (code === -32_602 && /not found|unknown/i.test(message)))
    return new GatewayError("not_found", `The MCP server "${server}" says: ${message.slice(0, 500)}`, said);
  return new GatewayError("upstream_rejected", `The MCP server "${server}" refused it: ${message.slice(0, 500)}`, said);
}
