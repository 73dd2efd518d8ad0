import type { Codec } from "../shared/codec.js";
import { decodeAnswer } from "./answer/decode-answer.js";
import { encodeAnswer } from "./answer/encode-answer.js";
import { readUsage } from "./answer/read-usage.js";
import { callBetas } from "./betas.js";
import { countTokens } from "./count-tokens.js";
import { decodeError } from "./decode-error.js";
import { encodeError } from "./encode-error.js";
import { decodeRequest } from "./request/decode-request.js";
import { encodeRequest } from "./request/encode-request.js";
import { scanHead } from "./request/scan-head.js";
import { spliceRequest } from "./request/splice-request.js";
import { decodeStream } from "./stream/decode-stream.js";
import { encodeStream } from "./stream/encode-stream.js";
import { relayStream } from "./stream/relay-stream.js";

/**
 * Anthropic's Messages, `POST /v1/messages`, and of those who imitate it.
 * Sources: https://platform.claude.com/docs/en/api/messages, the types of the vendor's SDK (1.11, `anthropic-version` 2026-10-21), recorded answers.
 */
export const anthropicMessages: Codec = {
  protocol: "anthropic-messages",
  traits: {
    // What the vendor's own refusal names: "String should match pattern …".
    toolName: /^[a-zA-Z0-9_-]{1,128}$/,
    toolCallId: /^[a-zA-Z0-9_-]+$/,
    textTools: false,
    carries: { reasoning: true, toolCalls: false, text: false },
    tokensBoundTo: ["model", "key", "prefix", "text"],
    needsMaxTokens: true,
    // The vendor's SDK reckons an hour for 128,000 tokens, and refuses to wait longer than ten minutes for a whole answer.
    streamAbove: 21_333,
    toolsWithHistory: true,
    mediaByUrl: /^(?:image\/|application\/(?:pdf|octet-stream)$)/,
    keptHistory: ["thread"],
    handles: ["file_id", "container", "thread", "skill_id"],
    callerHeaders: [{ name: "anthropic-beta", value: callBetas }],
  },
  count: countTokens,
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
