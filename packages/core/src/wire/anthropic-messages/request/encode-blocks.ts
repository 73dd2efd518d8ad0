import type { MediaPart, NativePart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { unsupported } from "../../shared/fields.js";
import { encodeCache, type Block } from "../cache-control.js";
import { encodeCitation, isOwnCitation } from "../citations.js";
import { messagesExtras } from "../extras.js";
import { toolInput } from "../tool-input.js";
import type { AssistantPart, UserPart } from "./decode-blocks.js";
import { encodeMedia } from "./encode-media.js";
import { kept, type Encoding } from "./encoding.js";

/** A text block; null for a text of blanks, which the vendor refuses. */
export function encodeText(part: TextPart, path: string, encoding: Encoding): Block | null {
  const { cache_control: control, block, ...extras } = messagesExtras(part);
  // What was made readable for others goes back as the block that it was.
  if (isObject(block)) return kept({ ...block, ...encodeCache(part.cache, block["cache_control"]) }, encoding);
  if (part.text.trim() === "") return null;
  const citations = part.citations?.filter(isOwnCitation) ?? [];
  if (citations.length < (part.citations?.length ?? 0))
    encoding.warn({ field: `${path}.citations`, what: "of other vendors were left out: the vendor takes back its own" });
  const cited = citations.length === 0 ? {} : { citations: citations.map(encodeCitation) };
  return kept({ ...extras, type: "text", text: part.text, ...cited, ...encodeCache(part.cache, control) }, encoding);
}

export function encodeUserPart(part: UserPart, path: string, encoding: Encoding): Block | null {
  switch (part.type) {
    case "text":
      return encodeText(part, path, encoding);
    case "media":
      return kept(encodeMedia(part, path), encoding);
    case "native":
      return encodeNative(part, path, encoding);
  }
}

export function encodeAssistantPart(part: AssistantPart, path: string, encoding: Encoding): Block | null {
  switch (part.type) {
    case "text":
      return encodeText(part, path, encoding);
    case "refusal":
      // What the assistant said, in words: the protocol has no block for it.
      return encodeText({ type: "text", text: part.text }, path, encoding);
    case "reasoning":
      return encodeReasoning(part, path, encoding);
    case "tool-call":
      return encodeCall(part, path, encoding);
    case "native":
      return encodeNative(part, path, encoding);
    case "media":
      throw unsupported(path, `is ${part.mediaType.slice(0, 60)} in a message of the assistant, which Messages does not take`);
  }
}

/** The vendor verifies its own reasoning by the signature, and refuses what has none. */
function encodeReasoning(part: ReasoningPart, path: string, { warn }: Encoding): Block | null {
  if (part.opaque === undefined) {
    warn({ field: path, what: "is reasoning without a signature of the vendor, and was left out" });
    return null;
  }
  const extras = messagesExtras(part);
  if (part.redacted === true) return { ...extras, type: "redacted_thinking", data: part.opaque };
  return { ...extras, type: "thinking", thinking: part.text, signature: part.opaque };
}

function encodeCall(part: ToolCallPart, path: string, encoding: Encoding): Block {
  const { cache_control: control, ...extras } = messagesExtras(part);
  const { input, valid } = toolInput(part.arguments);
  if (!valid) encoding.warn({ field: `${path}.arguments`, what: "are no JSON object, and were sent as a text in one" });
  return kept({ ...extras, type: "tool_use", id: part.id, name: part.name, input, ...encodeCache(part.cache, control) }, encoding);
}

export function encodeResult(part: ToolResultPart, path: string, encoding: Encoding): Block {
  const { cache_control: control, content: own, ...extras } = messagesExtras(part);
  const content = Array.isArray(own)
    ? (own as unknown[]).map((block) => copied(block, encoding))
    : encodeResultContent(part.content, path, encoding);
  const failed = part.isError === undefined ? {} : { is_error: part.isError };
  return kept(
    {
      ...extras,
      type: "tool_result",
      tool_use_id: part.callId,
      ...(content.length === 0 ? {} : { content: shortest(content) }),
      ...failed,
      ...encodeCache(part.cache, control),
    },
    encoding,
  );
}

function encodeResultContent(parts: readonly (TextPart | MediaPart)[], path: string, encoding: Encoding): unknown[] {
  return parts.flatMap((part, i) => {
    const at = `${path}.content[${i}]`;
    const block = part.type === "text" ? encodeText(part, at, encoding) : kept(encodeMedia(part, at), encoding);
    return block === null ? [] : [block];
  });
}

function encodeNative(part: NativePart, path: string, encoding: Encoding): Block | null {
  if (part.protocol !== "anthropic-messages") {
    encoding.warn({ field: path, what: `is an item of ${part.protocol} alone, and was left out` });
    return null;
  }
  return kept({ ...part.item }, encoding);
}

function copied(block: unknown, encoding: Encoding): unknown {
  return isObject(block) ? kept({ ...block }, encoding) : block;
}

/** One plain text is said as a string, as people write it. */
export function shortest(content: readonly unknown[]): unknown {
  const only = content.length === 1 ? content[0] : undefined;
  if (!isObject(only) || only["type"] !== "text" || Object.keys(only).length > 2) return content;
  return only["text"];
}
