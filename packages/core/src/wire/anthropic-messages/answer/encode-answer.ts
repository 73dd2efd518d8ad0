import type { AnswerPart, ModelAnswer } from "../../../calls/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { jsonText } from "../../shared/raw-json.js";
import { messagesExtras } from "../extras.js";
import { encodeBlock } from "./encode-blocks.js";
import { encodeFinish } from "./finish-reason.js";
import { encodeUsage } from "./usage.js";

type Json = Record<string, unknown>;

/** `Codec.encodeAnswer` of Messages. The protocol has one candidate, the first. */
export function encodeAnswer(answer: ModelAnswer): Uint8Array {
  const { usage: own, ...start } = messagesExtras(answer);
  const candidate = answer.candidates[0];
  const { stop_details: details, stop_reason: word, ...end } = candidate === undefined ? ({} as Json) : messagesExtras(candidate);
  const parts = candidate?.content ?? [];
  const refusal = refusalOf(parts);
  const finish = { reason: candidate?.finishReason ?? "other", stopSequence: candidate?.stopSequence };
  const holds = { calls: parts.some((part) => part.type === "tool-call"), refusal: refusal !== undefined };
  const head = { id: answer.id, type: "message", role: "assistant", model: answer.model };
  const message = {
    ...head,
    content: parts.map(encodeBlock).filter((block) => block !== null),
    container: null,
    ...end,
    stop_reason: encodeFinish(finish, holds, word),
    stop_sequence: candidate?.stopSequence ?? null,
    stop_details: stopDetails(refusal, details),
    usage: encodeUsage(answer.usage, own),
  };
  // The head and what we made last: nothing that rides along may stand in its place.
  return utf8(jsonText({ ...head, ...start, ...message }));
}

/** The words of a refusal, which here explain why the answer ended. */
export function refusalOf(parts: readonly AnswerPart[]): string | undefined {
  const texts = parts.flatMap((part) => (part.type === "refusal" ? [part.text] : []));
  return texts.length === 0 ? undefined : texts.join("");
}

/** `stop_details` of a refusal: its words over what the vendor said beside them. */
export function stopDetails(refusal: string | undefined, own: unknown): Json | null {
  if (isObject(own)) return own["type"] === "refusal" ? { ...own, explanation: refusal ?? null } : own;
  return refusal === undefined ? null : { type: "refusal", category: null, explanation: refusal };
}
