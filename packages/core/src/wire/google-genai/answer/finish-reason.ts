import type { FinishReason as GoogleReason } from "@google/genai";
import type { FinishReason } from "../../../calls/index.js";

/** Google's words, all that its SDK knows. Source: https://ai.google.dev/api/generate-content#FinishReason. */
const words: Readonly<Record<`${GoogleReason}`, FinishReason>> = {
  FINISH_REASON_UNSPECIFIED: "other",
  STOP: "stop",
  MAX_TOKENS: "length",
  SAFETY: "content-filter",
  RECITATION: "content-filter",
  LANGUAGE: "content-filter",
  BLOCKLIST: "content-filter",
  PROHIBITED_CONTENT: "content-filter",
  SPII: "content-filter",
  IMAGE_SAFETY: "content-filter",
  IMAGE_PROHIBITED_CONTENT: "content-filter",
  IMAGE_RECITATION: "content-filter",
  IMAGE_OTHER: "content-filter",
  NO_IMAGE: "other",
  MALFORMED_FUNCTION_CALL: "malformed-tool",
  UNEXPECTED_TOOL_CALL: "malformed-tool",
  TOO_MANY_TOOL_CALLS: "malformed-tool",
  CONTINUATION: "paused",
  OTHER: "other",
};
const decoded = new Map<string, FinishReason>([
  ...Object.entries(words),
  // Of the service, and not of its SDK.
  ["MODEL_ARMOR", "content-filter"],
  ["MALFORMED_RESPONSE", "malformed-tool"],
]);

const encoded: Readonly<Record<FinishReason, string>> = {
  stop: "STOP",
  "tool-calls": "STOP",
  length: "MAX_TOKENS",
  "context-overflow": "MAX_TOKENS",
  "content-filter": "SAFETY",
  refusal: "SAFETY",
  paused: "CONTINUATION",
  "malformed-tool": "MALFORMED_FUNCTION_CALL",
  cancelled: "OTHER",
  interrupted: "OTHER",
  other: "OTHER",
};

/** What a word of Google's means: it says STOP after calls as well. `raw` is set where we would say another. */
export function decodeFinish(word: string | undefined, hasCalls: boolean): { readonly reason: FinishReason; readonly raw?: string } {
  const said = word === undefined ? "other" : (decoded.get(word) ?? "other");
  const reason = hasCalls && (said === "stop" || word === undefined) ? "tool-calls" : said;
  return word === undefined || encoded[reason] === word ? { reason } : { reason, raw: word };
}

/** Google's word for a reason: the one that it said itself, if it did. */
export function encodeFinish(reason: FinishReason, raw: string | undefined): string {
  const isOwn = raw !== undefined && (decoded.get(raw) === reason || (reason === "other" && /^[A-Z][A-Z_]+$/.test(raw)));
  return isOwn ? raw : encoded[reason];
}
