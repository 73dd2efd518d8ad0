import type { GatewayError } from "../../errors/index.js";
import { isObject } from "../../util/json.js";
import { errorInBody } from "../openai-chat/decode-error.js";
import { errorBody } from "../openai-chat/encode-error.js";
import { textOf, type Json } from "./extras.js";

/** Codes of `response.error` by the protocol; what else goes wrong is the server's error there. */
const responseCodes = new Set([
  "rate_limit_exceeded",
  "invalid_prompt",
  "data_residency_mismatch",
  "bio_policy",
  "vector_store_timeout",
  "invalid_image",
  "invalid_image_format",
  "invalid_base64_image",
  "invalid_image_url",
  "image_too_large",
  "image_too_small",
  "image_parse_error",
  "image_content_policy_violation",
  "invalid_image_mode",
  "image_file_too_large",
  "unsupported_image_media_type",
  "empty_image_file",
  "failed_to_download_image",
  "image_file_not_found",
]);

/** The vendor's error where an answer was due: an error body, or a response that failed inside a 200; null for every other answer. */
export function errorInResponse(body: Json): GatewayError | null {
  if (body["object"] !== "response" && body["output"] === undefined) return errorInBody(body);
  if (body["status"] !== "failed" && !isObject(body["error"])) return null;
  const error = isObject(body["error"]) ? body["error"] : {};
  const code = textOf(error["code"]);
  return errorInBody({ error: { message: "The vendor failed to make the response.", ...error, ...callerFault(code) } });
}

/** A code that says that the request was at fault, of which the words alone do not tell. */
function callerFault(code: string | undefined): { readonly type?: string } {
  return code !== undefined && code !== "vector_store_timeout" && code !== "rate_limit_exceeded" && responseCodes.has(code)
    ? { type: "invalid_request_error" }
    : {};
}

/**
 * The `error` event of a stream. The protocol has its fields at the top; the vendor sends them in `error`, which is where its SDKs look to throw. Here they stand in
 * both places. Null for every other event.
 */
export function errorInEvent(name: string, body: Json): GatewayError | null {
  const { type } = body;
  if (type === "response.failed" && isObject(body["response"]))
    return errorInResponse({ ...body["response"], object: "response", status: "failed" });
  if (type !== "error" && name !== "error") return type === undefined ? errorInBody(body) : null;
  if (isObject(body["error"]) || typeof body["error"] === "string") return errorInBody(body);
  return errorInBody({ error: { message: body["message"], code: body["code"], param: body["param"] } });
}

export function errorEvent(error: GatewayError): Json {
  const { error: words } = errorBody(error);
  return { type: "error", code: words["code"] ?? null, message: words["message"] ?? "", param: words["param"] ?? null, error: words };
}

/** `error` of a response that failed. */
export function errorOfResponse(error: GatewayError): Json {
  const { error: words } = errorBody(error);
  const { code } = words;
  return { code: typeof code === "string" && responseCodes.has(code) ? code : "server_error", message: words["message"] ?? "" };
}
