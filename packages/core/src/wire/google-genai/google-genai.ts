import type { Codec } from "../shared/codec.js";
import { decodeAnswer } from "./answer/decode-answer.js";
import { encodeAnswer } from "./answer/encode-answer.js";
import { readUsage } from "./answer/read-usage.js";
import { decodeError } from "./decode-error.js";
import { encodeError } from "./encode-error.js";
import { countTokens } from "./operations/count-tokens.js";
import { embed } from "./operations/embed.js";
import { decodeRequest } from "./request/decode-request.js";
import { encodeRequest } from "./request/encode-request.js";
import { scanHead } from "./request/scan-head.js";
import { spliceRequest } from "./request/splice-request.js";
import { decodeStream } from "./stream/decode-stream.js";
import { encodeStream } from "./stream/encode-stream.js";
import { relayStream } from "./stream/relay-stream.js";

/**
 * Google's `generateContent`, `streamGenerateContent`, `countTokens` and embeddings, of the Gemini API and of Vertex AI. A stream is always SSE; the face makes a JSON
 * array of it for who does not ask for SSE.
 * Sources: https://ai.google.dev/api/generate-content, the types of the vendor's SDK (`@google/genai`), recorded answers.
 */
export const googleGenai: Codec = {
  protocol: "google-genai",
  traits: {
    // The SDK on FunctionDeclaration.name; what other pages say of 64 characters is the stricter limit.
    toolName: /^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$/,
    toolCallId: /^[^]+$/,
    textTools: false,
    carries: { reasoning: true, toolCalls: true, text: true },
    keptHistory: ["cachedContent"],
    handles: ["fileUri", "file_uri", "cachedContent", "cached_content", "fileSearchStoreNames", "file_search_store_names"],
    // Which capacity serves the call. Source: https://cloud.google.com/vertex-ai/generative-ai/docs/use-provisioned-throughput
    callerHeaders: [
      { name: "x-vertex-ai-llm-request-type", value: /^(?:dedicated|shared)$/ },
      { name: "x-vertex-ai-llm-shared-request-type", value: /^(?:priority|flex)$/ },
    ],
    tokensBoundTo: ["family", "key"],
  },
  count: countTokens,
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
