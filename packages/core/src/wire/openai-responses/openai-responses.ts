import { decodeError } from "../openai-chat/decode-error.js";
import { encodeError } from "../openai-chat/encode-error.js";
import type { Codec } from "../shared/codec.js";
import { decodeAnswer } from "./answer/decode-answer.js";
import { encodeAnswer } from "./answer/encode-answer.js";
import { readUsage } from "./answer/read-usage.js";
import { count } from "./count.js";
import { decodeRequest, keptHistory } from "./request/decode-request.js";
import { encodeRequest } from "./request/encode-request.js";
import { scanHead } from "./request/scan-head.js";
import { spliceRequest } from "./request/splice-request.js";
import { decodeStream } from "./stream/decode-stream.js";
import { encodeStream } from "./stream/encode-stream.js";
import { relayStream } from "./stream/relay-stream.js";

/**
 * OpenAI's Responses, `POST /responses` and `POST /responses/input_tokens`, and Open Responses, its neutral form. Errors are those of all of OpenAI's API.
 * State is not the codec's: what asks for it rides in `extras["openai-responses"]`.
 * Sources: https://platform.openai.com/docs/api-reference/responses, its OpenAPI description, the types of the vendor's SDK, recorded answers of several vendors.
 */
export const openaiResponses: Codec = {
  protocol: "openai-responses",
  traits: {
    toolName: /^[a-zA-Z0-9_-]{1,64}$/,
    toolCallId: /^.{1,64}$/s,
    textTools: true,
    carries: { reasoning: true, toolCalls: false, text: false },
    tokensBoundTo: ["key"],
    reasoningBy: "effort",
    imageDetail: true,
    handles: ["file_id", "file_ids", "vector_store_ids", "container", "prompt", "skill_id"],
    keptHistory,
  },
  count,
  scanHead,
  decodeRequest,
  encodeAnswer,
  encodeStream,
  encodeError,
  encodeRequest,
  decodeAnswer,
  decodeStream,
  decodeError,
  spliceRequest,
  readUsage,
  relayStream,
};
