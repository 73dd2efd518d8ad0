import type { Citation, TokenLogprob } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { asExtras, ownExtras, textOf, type Json } from "../extras.js";

/** `annotations` of an output text. One that is more or less than a citation of an address is kept whole beside what is neutral of it. */
export function decodeAnnotations(list: unknown): Citation[] {
  return Array.isArray(list) ? list.filter(isObject).map(decodeAnnotation) : [];
}

export function decodeAnnotation(annotation: Json): Citation {
  const { type, url, title, start_index, end_index, ...rest } = annotation;
  const given: { url?: string; title?: string; start?: number; end?: number } = {};
  if (typeof url === "string") given.url = url;
  const name = typeof title === "string" ? title : textOf(rest["filename"]);
  if (name !== undefined) given.title = name;
  if (Number.isSafeInteger(start_index)) given.start = start_index as number;
  if (Number.isSafeInteger(end_index)) given.end = end_index as number;
  const plain = type === "url_citation" && Object.keys(rest).length === 0 && Object.keys(given).length === 4;
  return plain ? given : { ...given, ...asExtras({ annotation }) };
}

/**
 * The annotation of a citation in a text of `length` code units; null when the protocol has none for it: it only cites addresses. One without a place stands for
 * all of the text, because the protocol demands a place.
 */
export function encodeAnnotation(citation: Citation, length: number): Json | null {
  const own = ownExtras(citation)["annotation"];
  if (isObject(own)) return own;
  const { url, title, start, end } = citation;
  return url === undefined
    ? null
    : { type: "url_citation", start_index: start ?? 0, end_index: end ?? length, url, title: title ?? citation.citedText ?? "" };
}

/** `logprobs` of an output text; none when the list is empty, as it is when nobody asked for them. */
export function decodeLogprobs(list: unknown): TokenLogprob[] {
  return Array.isArray(list) ? list.filter(isObject).flatMap(decodeLogprob) : [];
}

function decodeLogprob(value: Json): TokenLogprob[] {
  const { token, logprob, bytes, top_logprobs: others } = value;
  if (typeof token !== "string" || typeof logprob !== "number") return [];
  const top = decodeLogprobs(others);
  return [{ token, logprob, ...(isBytes(bytes) ? { bytes } : {}), ...(top.length === 0 ? {} : { top }) }];
}
function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte));
}

const encoder = new TextEncoder();

export function encodeLogprobs(list: readonly TokenLogprob[] | undefined): Json[] {
  return (list ?? []).map(({ top, ...token }) => ({ ...tokenFields(token), top_logprobs: (top ?? []).map(tokenFields) }));
}
function tokenFields({ token, logprob, bytes }: Omit<TokenLogprob, "top">): Json {
  return { token, logprob, bytes: bytes ?? [...encoder.encode(token)] };
}
