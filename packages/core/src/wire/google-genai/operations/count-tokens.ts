import type { ModelCall, TokenCount } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import type { EncodedRequest, PathHead, Quirks, TokenCounter, Warning } from "../../shared/codec.js";
import { parseCallerJson } from "../../../util/json-checks/caller-json.js";
import { jsonText, rawJsonAt } from "../../shared/raw-json.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { isVertexPath, methodPath, modelField } from "../model-path.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";
import { camelKeys } from "../proto-json.js";
import { decodeRequest } from "../request/decode-request.js";
import { encodeBody } from "../request/encode-request.js";

/**
 * `:countTokens`. The Gemini API counts `contents`, or a whole call as `generateContentRequest`; Vertex AI has the call's fields beside the contents.
 * Source: https://ai.google.dev/api/tokens#method:-models.counttokens.
 */
export const countTokens: TokenCounter = { decodeRequest: decodeCount, encodeAnswer, encodeRequest, decodeAnswer };

function decodeCount(bytes: Uint8Array, path?: PathHead): ModelCall {
  const body = parseCallerJson(bytes);
  const name = ["generateContentRequest", "generate_content_request"].find((key) => isObject(body[key]));
  if (name === undefined) return decodeRequest(bytes, path);
  return decodeRequest(utf8(rawJsonAt(bytes, [name]).get("") as string), path);
}

function encodeAnswer(count: TokenCount): Uint8Array {
  return utf8(JSON.stringify({ totalTokens: count.inputTokens }));
}

/** What steers the answer is not counted. */
function encodeRequest(call: ModelCall, o: { readonly model: string; readonly quirks: Quirks }): EncodedRequest {
  const warnings: Warning[] = [];
  const body = encodeBody(call, (field, what) => void warnings.push({ field, what }));
  const { contents, systemInstruction, tools, toolConfig, generationConfig, cachedContent } = body;
  const asked = isVertexPath(o.quirks)
    ? { contents, systemInstruction, tools, generationConfig }
    : systemInstruction === undefined && tools === undefined && cachedContent === undefined
      ? { contents }
      : { generateContentRequest: { model: modelField(o.model), contents, systemInstruction, tools, toolConfig, cachedContent } };
  return {
    path: methodPath(o.model, "countTokens", o.quirks),
    headers: requestHeaders(false),
    bytes: utf8(jsonText(asked)),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function decodeAnswer(bytes: Uint8Array): TokenCount {
  const body = parseUpstreamJson(bytes);
  const error = errorInBody(body);
  if (error !== null) throw error;
  const given = camelKeys(body) as Record<string, unknown>;
  // Zeros are not sent.
  const total = given["totalTokens"] ?? (Object.keys(given).length === 0 ? 0 : undefined);
  if (typeof total !== "number" || !Number.isSafeInteger(total) || total < 0)
    throw new GatewayError("upstream_protocol", "The vendor counted no tokens.");
  return { inputTokens: total, estimated: false };
}
