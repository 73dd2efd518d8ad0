import type { AnswerPart, TextPart, ToolCallPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { decodeCitation } from "../citations.js";
import { asExtras, withoutNulls } from "../extras.js";
import { asNative } from "../request/decode-blocks.js";

type Json = Record<string, unknown>;

/** One block of a vendor's answer. `input` is the JSON text of a call's input, where it is known as text. */
export function decodeBlock(block: Json, input: string | undefined): AnswerPart {
  const { type, ...fields } = block;
  switch (type) {
    case "text":
      return decodeText(fields);
    case "thinking": {
      const { thinking, signature, ...own } = fields;
      const opaque = typeof signature === "string" && signature !== "" ? { opaque: signature } : {};
      return { type: "reasoning", text: typeof thinking === "string" ? thinking : "", ...opaque, ...asExtras(withoutNulls(own)) };
    }
    case "redacted_thinking": {
      const { data, ...own } = fields;
      return { type: "reasoning", text: "", opaque: String(data), redacted: true, ...asExtras(withoutNulls(own)) };
    }
    case "tool_use":
      return decodeCall(fields, input);
    case "image": {
      const { source, ...own } = fields;
      const held = isObject(source) && typeof source["data"] === "string" && typeof source["media_type"] === "string";
      if (!held) return asNative(block);
      const { data, media_type: mediaType } = source as { data: string; media_type: string };
      return { type: "media", mediaType, source: { kind: "base64", data }, ...asExtras(withoutNulls(own)) };
    }
    default:
      return asNative(block);
  }
}

function decodeText({ text, citations, ...own }: Json): TextPart {
  const cited = Array.isArray(citations) ? citations.map(decodeCitation).filter((citation) => citation !== null) : [];
  return {
    type: "text",
    text: typeof text === "string" ? text : "",
    ...(cited.length === 0 ? {} : { citations: cited }),
    ...asExtras(withoutNulls(own)),
  };
}

function decodeCall({ id, name, input, ...own }: Json, text: string | undefined): ToolCallPart {
  return {
    type: "tool-call",
    id: typeof id === "string" ? id : "",
    name: typeof name === "string" ? name : "",
    arguments: text ?? (isObject(input) ? JSON.stringify(input) : "{}"),
    ...asExtras(withoutNulls(own)),
  };
}
