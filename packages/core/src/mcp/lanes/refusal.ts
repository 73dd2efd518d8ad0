import { idText, type RpcMessage } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";

/**
 * The answer to a request that a server sends us: `ping` is answered, every question is declined at once so that the server never waits for a caller that was not asked.
 */
export function answerToServer(request: RpcMessage): Uint8Array {
  const id = idText(request);
  if (request.method === "ping") return utf8(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
  const message = `This client declared no capability for ${request.method.slice(0, 100)}.`;
  return utf8(`{"jsonrpc":"2.0","id":${id},"error":{"code":${RPC.methodNotFound},"message":${JSON.stringify(message)}}}`);
}
