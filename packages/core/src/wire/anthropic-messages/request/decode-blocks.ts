import type {
  JsonObject,
  MediaPart,
  Message,
  NativePart,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from "../../../calls/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { toWellFormed } from "../../../util/well-formed.js";
import { encodeBase64 } from "../../shared/base64.js";
import { Fields, invalid } from "../../shared/fields.js";
import { decodeCache } from "../cache-control.js";
import { decodeCitation } from "../citations.js";
import { asExtras } from "../extras.js";

export type UserPart = Extract<Message, { role: "user" }>["content"][number];
export type AssistantPart = Extract<Message, { role: "assistant" }>["content"][number];

/** The blocks of a `content`: a text is one text block. `null` counts as none. */
export function blocksOf(fields: Fields, key = "content"): readonly unknown[] {
  const content = fields.raw(key);
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (content === undefined || content === null) return [];
  if (!Array.isArray(content)) throw invalid(fields.path(key), "must be a string or a list of blocks");
  return content;
}

/** The blocks of the system prompt: text alone. */
export function decodeSystem(fields: Fields, key: string): TextPart[] {
  return blocksOf(fields, key).map((value, i) => {
    const block = new Fields(value, `${fields.path(key)}[${i}]`);
    if (block.string("type") !== "text") throw invalid(block.path("type"), 'must be "text" in a system prompt');
    return decodeText(block);
  });
}

export function decodeUserBlock(block: Fields, value: unknown): UserPart | ToolResultPart {
  switch (block.string("type")) {
    case "text":
      return decodeText(block);
    case "image":
      return decodeImage(block) ?? asNative(value);
    case "document":
      return decodeDocument(block) ?? asSaidText(block, value) ?? asNative(value);
    case "search_result":
      return asSaidText(block, value) ?? asNative(value);
    case "tool_result":
      return decodeResult(block);
    default:
      return asNative(value);
  }
}

/** `input` is the JSON text of a call's input, as it stands in the body. */
export function decodeAssistantBlock(block: Fields, value: unknown, input: string | undefined): AssistantPart {
  switch (block.string("type")) {
    case "text":
      return decodeText(block);
    case "thinking":
      return decodeThinking(block);
    case "redacted_thinking": {
      const opaque = block.string("data");
      return { type: "reasoning", text: "", opaque, redacted: true, ...asExtras(block.rest()) };
    }
    case "tool_use":
      return decodeCall(block, input);
    case "image":
      return decodeImage(block) ?? asNative(value);
    default:
      return asNative(value);
  }
}

/** What the protocol has and we have no form for goes back whole, and to this protocol alone. */
export function asNative(value: unknown): NativePart {
  return { type: "native", protocol: "anthropic-messages", item: value as JsonObject };
}

export function decodeText(block: Fields): TextPart {
  block.raw("type");
  const text = block.string("text");
  const citations = (block.optionalList("citations") ?? []).map(decodeCitation).filter((citation) => citation !== null);
  const { cache, own } = decodeCache(block);
  return {
    type: "text",
    text,
    ...(citations.length === 0 ? {} : { citations }),
    ...(cache === undefined ? {} : { cache }),
    ...asExtras({ ...block.rest(), cache_control: own }),
  };
}

/** An empty text with a signature is valid, and comes back so. */
function decodeThinking(block: Fields): ReasoningPart {
  const text = block.optionalString("thinking") ?? "";
  const signature = block.optionalString("signature") ?? "";
  return { type: "reasoning", text, ...(signature === "" ? {} : { opaque: signature }), ...asExtras(block.rest()) };
}

function decodeCall(block: Fields, input: string | undefined): ToolCallPart {
  const id = block.string("id");
  const name = block.string("name");
  block.optionalObject("input");
  const { cache, own } = decodeCache(block);
  return {
    type: "tool-call",
    id,
    name,
    arguments: input === undefined || input === "null" ? "{}" : input,
    ...(cache === undefined ? {} : { cache }),
    ...asExtras({ ...block.rest(), cache_control: own }),
  };
}

function decodeResult(block: Fields): ToolResultPart {
  const callId = block.string("tool_use_id");
  const isError = block.optionalBoolean("is_error");
  const { cache, own } = decodeCache(block);
  const given = blocksOf(block);
  const parts = given.map((value, i) => decodeResultPart(new Fields(value, `${block.path("content")}[${i}]`), value));
  const content = parts.filter((part) => part !== null);
  return {
    type: "tool-result",
    callId,
    // A string that is empty says nothing, and as a block it would be refused.
    content: block.raw("content") === "" ? [] : content,
    ...(isError === undefined ? {} : { isError }),
    ...(cache === undefined ? {} : { cache }),
    // Blocks without a neutral form (references to tools, a browser's state) go back with all that stood beside them.
    ...asExtras({ ...block.rest(), cache_control: own, content: content.length === parts.length ? undefined : given }),
  };
}

function decodeResultPart(block: Fields, value: unknown): TextPart | MediaPart | null {
  const part = decodeUserBlock(block, value);
  return part.type === "text" || part.type === "media" ? part : null;
}

function decodeImage(block: Fields): MediaPart | null {
  const source = block.fields("source");
  const { cache, own } = decodeCache(block);
  const made = (mediaType: string, held: MediaPart["source"]): MediaPart => ({
    type: "media",
    mediaType,
    source: held,
    ...(cache === undefined ? {} : { cache }),
    ...asExtras({ ...block.rest(), cache_control: own, source: source.rest() }),
  });
  switch (source.string("type")) {
    case "base64":
      return made(source.string("media_type"), { kind: "base64", data: source.string("data") });
    case "url":
      return made("image/*", { kind: "url", url: source.string("url") });
    case "file":
      return made("image/*", { kind: "file", id: source.string("file_id") });
    default:
      return null;
  }
}

function decodeDocument(block: Fields): MediaPart | null {
  const source = block.fields("source");
  const filename = block.optionalString("title");
  const { cache, own } = decodeCache(block);
  const made = (mediaType: string, held: MediaPart["source"]): MediaPart => ({
    type: "media",
    mediaType,
    source: held,
    ...(filename === undefined ? {} : { filename }),
    ...(cache === undefined ? {} : { cache }),
    ...asExtras({ ...block.rest(), cache_control: own, source: source.rest() }),
  });
  switch (source.string("type")) {
    case "base64":
      return made(source.string("media_type"), { kind: "base64", data: source.string("data") });
    case "url":
      return made("application/pdf", { kind: "url", url: source.string("url") });
    case "file":
      return made("application/octet-stream", { kind: "file", id: source.string("file_id") });
    case "text": {
      source.optionalString("media_type");
      return made("text/plain", { kind: "base64", data: encodeBase64(utf8(toWellFormed(source.string("data")))) });
    }
    default:
      return null;
  }
}

/** A block that is made of texts (a search result, a document of parts): every model can read it as text, and this protocol gets it back whole. */
function asSaidText(block: Fields, value: unknown): TextPart | null {
  const title = block.optionalString("title");
  const source = block.raw("source");
  const content = isObject(source) ? source["content"] : block.raw("content");
  const parts: unknown[] = typeof content === "string" ? [{ type: "text", text: content }] : Array.isArray(content) ? content : [];
  const texts = parts.flatMap((part) => (isObject(part) && typeof part["text"] === "string" ? [part["text"]] : []));
  if (texts.length === 0 || texts.length < parts.length) return null;
  const { cache } = decodeCache(block);
  const head = [title, typeof source === "string" ? source : undefined].filter((line) => line !== undefined);
  return {
    type: "text",
    text: [...head, ...texts].join("\n"),
    ...(cache === undefined ? {} : { cache }),
    ...asExtras({ block: value }),
  };
}
