import type { AnswerPart, ToolCallPart } from "../../../calls/index.js";
import { googleExtras } from "../extras.js";
import { encodeCall } from "../request/encode-contents.js";
import { encodeMedia } from "../request/media-part.js";
import { isObjectText } from "../request/part-texts.js";

type Part = Record<string, unknown>;

/** The parts of an answer as Google's; items that only another protocol knows are left out, as is a call whose arguments are no JSON object (`brokenCall`). */
export function encodePart(part: AnswerPart): Part[] {
  switch (part.type) {
    case "text":
      return part.text === "" && part.opaque === undefined ? [] : [{ ...googleExtras(part), text: part.text, ...signed(part.opaque) }];
    case "refusal":
      return part.text === "" ? [] : [{ text: part.text }];
    case "reasoning":
      if (part.text === "" && part.opaque === undefined) return [];
      return [{ ...googleExtras(part), text: part.text, thought: true, ...signed(part.opaque) }];
    case "tool-call":
      return isBroken(part) ? [] : [encodeCall(part, () => undefined)];
    case "media":
      return [encodeMedia(part)];
    case "native":
      return part.protocol === "google-genai" ? [{ ...part.item }] : [];
  }
}

export function signed(opaque: string | undefined): { thoughtSignature?: string } {
  return opaque === undefined ? {} : { thoughtSignature: opaque };
}

/** Arguments that Google's clients could not be given: it takes an object and nothing else. */
export function isBroken(call: ToolCallPart): boolean {
  return call.arguments.trim() !== "" && !isObjectText(call.arguments);
}

/** How Google itself ends an answer whose call it could not read. */
export function brokenCall(call: ToolCallPart): { readonly finishReason: string; readonly finishMessage: string } {
  return {
    finishReason: "MALFORMED_FUNCTION_CALL",
    finishMessage: `Malformed function call: the arguments of ${call.name} are no JSON object: ${call.arguments.slice(0, 500)}`,
  };
}
