import type { Citation, TextPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { asExtras, chatExtras } from "../extras.js";

type Json = Record<string, unknown>;

/** `annotations` of a message: citations of the web, and what else there is, which stays the protocol's own. */
export function splitAnnotations(annotations: unknown): {
  readonly citations: readonly Citation[];
  readonly others: unknown[] | undefined;
} {
  if (!Array.isArray(annotations)) return { citations: [], others: undefined };
  const citations: Citation[] = [];
  const others: unknown[] = [];
  for (const annotation of annotations as unknown[]) {
    const citation = decodeCitation(annotation);
    if (citation === null) others.push(annotation);
    else citations.push(citation);
  }
  return { citations, others: others.length > 0 || annotations.length === 0 ? others : undefined };
}

function decodeCitation(annotation: unknown): Citation | null {
  if (!isObject(annotation) || annotation["type"] !== "url_citation" || !isObject(annotation["url_citation"])) return null;
  // OpenRouter says what was read there in `content`.
  const { url, title, start_index: start, end_index: end, content, ...own } = annotation["url_citation"];
  return {
    ...(typeof url === "string" ? { url } : {}),
    ...(typeof title === "string" ? { title } : {}),
    ...(typeof content === "string" ? { citedText: content } : {}),
    ...(Number.isSafeInteger(start) ? { start: start as number } : {}),
    ...(Number.isSafeInteger(end) ? { end: end as number } : {}),
    ...asExtras(own),
  };
}

/** Citations counted over the whole text of a message, put to the part that each begins in; counted from its beginning. */
export function placeCitations(parts: readonly TextPart[], citations: readonly Citation[]): readonly TextPart[] {
  let base = 0;
  return parts.map((part, i) => {
    const [from, to] = [base, base + part.text.length];
    base = to;
    const isLast = i === parts.length - 1;
    const own = citations.filter(({ start = 0 }) => (start >= from || i === 0) && (start < to || isLast));
    return own.length === 0 ? part : { ...part, citations: own.map((citation) => movedBy(citation, -from)) };
  });
}

export function movedBy(citation: Citation, by: number): Citation {
  const { start, end } = citation;
  return {
    ...citation,
    ...(start === undefined ? {} : { start: Math.max(0, start + by) }),
    ...(end === undefined ? {} : { end: Math.max(0, end + by) }),
  };
}

/** A citation of text that begins at `base` of the message and has `length`: all of it, when no place is known. Null for one of no address, which the protocol has no form for. */
export function encodeCitation(citation: Citation, { base, length }: { readonly base: number; readonly length: number }): Json | null {
  if (citation.url === undefined) return null;
  const { url, title, citedText, start = 0, end = length } = citation;
  const content = citedText === undefined ? {} : { content: citedText };
  const place = { start_index: base + start, end_index: base + end };
  return { type: "url_citation", url_citation: { ...chatExtras(citation), ...place, title: title ?? "", url, ...content } };
}
