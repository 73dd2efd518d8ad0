import type { AnswerPart } from "../../../calls/index.js";
import { encodeCitation } from "../citations.js";
import { messagesExtras } from "../extras.js";
import { toolInput } from "../tool-input.js";

type Json = Record<string, unknown>;

/** One part of an answer as a block; null for what the protocol has no block for, and for a text that says nothing, which the vendor would not take back. */
export function encodeBlock(part: AnswerPart): Json | null {
  switch (part.type) {
    case "text": {
      if (part.text === "" && part.citations === undefined) return null;
      const cited = part.citations === undefined ? {} : { citations: part.citations.map(encodeCitation) };
      return { ...messagesExtras(part), type: "text", text: part.text, ...cited };
    }
    case "reasoning":
      return encodeReasoning(part);
    case "tool-call":
      return { ...messagesExtras(part), type: "tool_use", id: part.id, name: part.name, input: toolInput(part.arguments).input };
    case "native":
      return part.protocol === "anthropic-messages" ? part.item : null;
    case "media":
      return part.source.kind === "base64" ? encodeImage(part.mediaType, part.source.data, messagesExtras(part)) : null;
    case "refusal":
      return null;
  }
}

/** Reasoning that nobody sealed has an empty signature: clients want the field. */
export function encodeReasoning(part: Extract<AnswerPart, { type: "reasoning" }>): Json | null {
  const own = messagesExtras(part);
  if (part.redacted === true) return part.opaque === undefined ? null : { ...own, type: "redacted_thinking", data: part.opaque };
  if (part.text === "" && part.opaque === undefined) return null;
  return { ...own, type: "thinking", thinking: part.text, signature: part.opaque ?? "" };
}

/** A picture of another vendor's model, in the form that pictures have in requests; the vendor's own models make none. */
export function encodeImage(mediaType: string, data: string, own: Json): Json | null {
  return mediaType.startsWith("image/") ? { ...own, type: "image", source: { type: "base64", media_type: mediaType, data } } : null;
}
