import type { HttpAnswer, Json, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { CallOptions } from "../../seams/index.js";
import type { McpRequest } from "../downstream/request.js";
import { utf8 } from "../frames/splice.js";
import { isObject } from "./json-path.js";

const HEADERS: Readonly<Record<string, string>> = { "content-type": "application/json", accept: "application/json" };

/**
 * The first contents of a server's resource as text, read as a client would: by the caller's grants, past the same policy. Errors: `not_found`, `forbidden` and those of the way, told by what was said; `unsupported_feature` for what is no text.
 */
export async function readResource(
  serve: (request: McpRequest, o: CallOptions) => Promise<HttpAnswer>,
  at: { readonly server: string; readonly uri: string },
  o: CallOptions,
): Promise<string> {
  const bytes = utf8(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri: at.uri } }));
  const answer = await serve({ method: "POST", header: (name) => HEADERS[name], bytes, namespace: null, server: at.server }, o);
  try {
    if (answer.body.kind !== "bytes") throw new GatewayError("internal", "A resource was streamed to a reader that takes no stream.");
    const text = firstContents(JSON.parse(new TextDecoder().decode(answer.body.bytes)) as JsonObject);
    answer.done("sent");
    return text;
  } catch (error) {
    answer.done("failed", GatewayError.from(error).code);
    throw error;
  }
}

function firstContents({ error, result }: JsonObject): string {
  if (isObject(error as Json)) {
    const { message } = error as JsonObject;
    throw new GatewayError("upstream_rejected", `The resource was refused: ${String(message).slice(0, 300)}`);
  }
  const contents = isObject(result as Json) ? (result as JsonObject)["contents"] : undefined;
  const first = Array.isArray(contents) ? (contents as readonly Json[])[0] : undefined;
  if (isObject(first) && typeof first["text"] === "string") return first["text"];
  throw new GatewayError("unsupported_feature", "The resource has no text.");
}
