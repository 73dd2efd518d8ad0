import type { ModelCall, TokenCount } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { utf8 } from "../../util/json.js";
import type { EncodedRequest, Quirks, TokenCounter } from "../shared/codec.js";
import { jsonText } from "../shared/raw-json.js";
import { parseUpstreamJson } from "../shared/upstream-json.js";
import { errorInBody } from "./decode-error.js";
import { decodeRequest } from "./request/decode-request.js";
import { encodeBody } from "./request/encode-request.js";
import { requestHeaders } from "../shared/requests/request-headers.js";

/** The fields of a request that can be counted; the vendor refuses every other. */
const counted = new Set([
  "model",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "cache_control",
  "context_management",
  "mcp_servers",
  "speed",
]);

/** `POST /v1/messages/count_tokens`: a call as it would be sent, without what says how it is to be answered. */
export const countTokens: TokenCounter = {
  decodeRequest,
  encodeAnswer: (count: TokenCount) => utf8(JSON.stringify({ input_tokens: count.inputTokens })),
  encodeRequest,
  decodeAnswer,
};

function encodeRequest(call: ModelCall, o: { readonly model: string; readonly quirks: Quirks }): EncodedRequest {
  const { body, warnings } = encodeBody(call, o.model);
  const bytes = utf8(jsonText(Object.fromEntries(Object.entries(body).filter(([field]) => counted.has(field)))));
  return { path: "/v1/messages/count_tokens", headers: requestHeaders(false), bytes, ...(warnings.length === 0 ? {} : { warnings }) };
}

function decodeAnswer(bytes: Uint8Array): TokenCount {
  const body = parseUpstreamJson(bytes);
  const error = errorInBody(body);
  if (error !== null) throw error;
  const inputTokens = body["input_tokens"];
  if (typeof inputTokens !== "number" || !Number.isSafeInteger(inputTokens) || inputTokens < 0)
    throw new GatewayError("upstream_protocol", "The vendor's count has no number of tokens.");
  return { inputTokens, estimated: false };
}
