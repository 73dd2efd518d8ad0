import type { RefusalPart, TextPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { asExtras, ownExtras, saidFields, type Json } from "../extras.js";
import { decodeAnnotations, decodeLogprobs, encodeAnnotation, encodeLogprobs } from "./annotations.js";

export type SpokenPart = TextPart | RefusalPart;

/**
 * What a message item of the assistant says, part by part; null when it holds something else too. Its own fields (`id`, `phase`) stand at its first part, in
 * `extras.item`; an item that has none is marked so too when it follows another, because parts without a mark belong to the item of the part before.
 */
export function decodeMessage(item: Json, follows: boolean): SpokenPart[] | null {
  const { content } = item;
  const list: unknown[] = typeof content === "string" ? [{ type: "output_text", text: content }] : Array.isArray(content) ? content : [];
  const parts: SpokenPart[] = [];
  for (const value of list) {
    const mark = parts.length === 0 ? itemMark(item, follows) : undefined;
    const part = isObject(value) ? decodeSpoken(value, mark) : null;
    if (part === null) return null;
    parts.push(part);
  }
  return parts;
}

/** What a message item says of itself; whether it is whole is said by the answer that it stands in. */
export function itemMark(item: Json, follows: boolean): Json | undefined {
  const { type: _type, role: _role, content: _content, status: _status, ...own } = item;
  const said = saidFields(own);
  return follows || Object.keys(said).length > 0 ? said : undefined;
}

/** One part of a message; null when it is neither text nor a refusal. */
export function decodeSpoken(part: Json, item: Json | undefined): SpokenPart | null {
  const { type, text, refusal, annotations, logprobs, ...rest } = part;
  if (type === "refusal") return typeof refusal === "string" ? { type, text: refusal, ...asExtras({ ...saidFields(rest), item }) } : null;
  if ((type !== "output_text" && type !== "input_text" && type !== "text") || typeof text !== "string") return null;
  const citations = decodeAnnotations(annotations);
  const probabilities = decodeLogprobs(logprobs);
  return {
    type: "text",
    text,
    ...(citations.length === 0 ? {} : { citations }),
    ...(probabilities.length === 0 ? {} : { logprobs: probabilities }),
    ...asExtras({ ...saidFields(rest), item }),
  };
}

/** One part of a message's `content`. */
export function encodeSpoken(part: SpokenPart): Json {
  const { item: _item, ...own } = ownExtras(part);
  if (part.type === "refusal") return { ...own, type: "refusal", refusal: part.text };
  return {
    ...own,
    type: "output_text",
    text: part.text,
    annotations: (part.citations ?? []).flatMap((citation) => encodeAnnotation(citation, part.text.length) ?? []),
    logprobs: encodeLogprobs(part.logprobs),
  };
}

/** The mark of the item that begins with this part; undefined when it goes on. */
export function markOf(part: { readonly extras?: SpokenPart["extras"] }): Json | undefined {
  const { item } = ownExtras(part);
  return isObject(item) ? item : undefined;
}
