import type { Codec } from "../shared/codec.js";
import { decodeAnswer } from "./answer/decode-answer.js";
import { encodeAnswer } from "./answer/encode-answer.js";
import { readUsage } from "./answer/read-usage.js";
import { decodeError } from "./decode-error.js";
import { embed } from "./embed.js";
import { encodeError } from "./encode-error.js";
import { decodeRequest } from "./request/decode-request.js";
import { encodeRequest } from "./request/encode-request.js";
import { scanHead } from "./request/scan-head.js";
import { spliceRequest } from "./request/splice-request.js";
import { decodeStream } from "./stream/decode-stream.js";
import { encodeStream } from "./stream/encode-stream.js";
import { relayStream } from "./stream/relay-stream.js";

/**
 * OpenAI's Chat Completions, `POST /chat/completions`, and the dialects of those who imitate it.
 * Sources: https://platform.openai.com/docs/api-reference/chat, the types of the vendor's SDK, recorded answers of several vendors.
 */
export const openaiChat: Codec = {
  protocol: "openai-chat",
  traits: {
    toolName: /^[a-zA-Z0-9_-]{1,64}$/,
    toolCallId: /^.{1,40}$/s,
    textTools: true,
    carries: { reasoning: false, toolCalls: false, text: false },
    reasoningBy: "effort",
    mediaByUrl: /^image\//,
    imageDetail: true,
    handles: ["file_id"],
  },
  embed,
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
