import type { ReasoningPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { asExtras, ownExtras, saidFields, textOf, type Json } from "../extras.js";

/** What one of a reasoning item's texts is: a summary of the reasoning, or (of open models) the reasoning itself. */
export type ReasoningKind = "summary" | "content";
/** Its kind and its length in UTF-16 code units. */
export type Segment = readonly [kind: ReasoningKind, length: number];

/** What stands between the texts of one item, which neutrally are one text. */
export const segmentSeparator = "\n\n";

/**
 * A reasoning item: its texts as one, summaries first; `opaque` is its `encrypted_content`. `extras.segments` says how the text is cut back into the item's own
 * texts, unless it is one summary or there is none; `extras.item` has its other fields.
 */
export function decodeReasoning(item: Json): ReasoningPart {
  const texts = [...textsOf(item["summary"], "summary"), ...textsOf(item["content"], "content")];
  const opaque = textOf(item["encrypted_content"]);
  const itemId = textOf(item["id"]);
  return {
    type: "reasoning",
    text: texts.map(([, text]) => text).join(segmentSeparator),
    ...(opaque === undefined ? {} : { opaque }),
    ...(itemId === undefined ? {} : { itemId }),
    ...reasoningExtras(
      texts.map(([kind, text]) => [kind, text.length]),
      item,
    ),
  };
}

/** The `extras` of a reasoning part: nothing when it is one summary, or none, and its item says nothing else. */
export function reasoningExtras(segments: readonly Segment[], given: Json): { extras?: ReasoningPart["extras"] } {
  const { type: _type, id: _id, summary: _summary, content, encrypted_content: _sealed, ...own } = given;
  const isEmpty = Array.isArray(content) && content.length === 0;
  const [first] = segments;
  const plain = first === undefined || (segments.length === 1 && first[0] === "summary" && first[1] > 0);
  const item = saidFields({ ...own, content: isEmpty ? content : undefined });
  return asExtras({ segments: plain ? undefined : segments, item: Object.keys(item).length === 0 ? undefined : item });
}

function textsOf(list: unknown, kind: ReasoningKind): (readonly [ReasoningKind, string])[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isObject).flatMap((part) => (typeof part["text"] === "string" ? [[kind, part["text"]] as const] : []));
}

/** The item of a part. Reasoning of another protocol is one summary; what was sealed alone has none. */
export function encodeReasoning(part: ReasoningPart, id: string | undefined): Json {
  const own = ownExtras(part);
  const texts = splitReasoning(part.text, own["segments"]);
  const content = texts.filter(([kind]) => kind === "content").map(([, text]) => ({ type: "reasoning_text", text }));
  return {
    ...(isObject(own["item"]) ? own["item"] : {}),
    ...(id === undefined ? {} : { id }),
    type: "reasoning",
    summary: texts.filter(([kind]) => kind === "summary").map(([, text]) => ({ type: "summary_text", text })),
    ...(content.length === 0 ? {} : { content }),
    ...(part.opaque === undefined ? {} : { encrypted_content: part.opaque }),
  };
}

/** The texts that a reasoning's text was joined of; all of it as one summary when that is not known, or no longer true. */
export function splitReasoning(text: string, segments: unknown): readonly (readonly [kind: ReasoningKind, text: string])[] {
  const known = isSegments(segments) ? segments : [];
  const length = known.reduce((sum, segment) => sum + segment[1], 0) + Math.max(0, known.length - 1) * segmentSeparator.length;
  if (known.length === 0 || length !== text.length) return text === "" ? [] : [["summary", text]];
  let at = 0;
  return known.map(([kind, size]) => {
    const cut = text.slice(at, at + size);
    at += size + segmentSeparator.length;
    return [kind, cut];
  });
}

export function isSegments(value: unknown): value is readonly Segment[] {
  return (
    Array.isArray(value) &&
    value.every((segment) => {
      if (!Array.isArray(segment)) return false;
      const [kind, length] = segment as unknown[];
      return (kind === "summary" || kind === "content") && typeof length === "number";
    })
  );
}
