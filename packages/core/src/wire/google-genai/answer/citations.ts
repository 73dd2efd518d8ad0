import type { Citation } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { asExtras, googleExtras, said } from "../extras.js";
import { utf16Offset, utf8Offset } from "./offsets.js";

type Json = Readonly<Record<string, unknown>>;

/** A citation with its place in the whole visible text of a candidate, in UTF-16 code units. */
export interface PlacedCitation {
  readonly citation: Citation;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /** The vendor's part that the place counts from; the whole text when left out. */
  readonly part?: number | undefined;
}

/**
 * What a candidate rests on: one citation for each source of each of its `groundingSupports`, and one for each of its `citationMetadata`. Google counts bytes of UTF-8.
 * `textOf` gives the text that a place counts in. Sources: https://ai.google.dev/api/generate-content#Segment, #CitationSource.
 */
export function decodeCitations(candidate: Json, textOf: (part: number | undefined) => string): readonly PlacedCitation[] {
  return [...groundingOf(candidate["groundingMetadata"], textOf), ...quotedOf(candidate["citationMetadata"], textOf)];
}

function groundingOf(grounding: unknown, textOf: (part: number | undefined) => string): PlacedCitation[] {
  if (!isObject(grounding)) return [];
  const chunks = listOf(grounding["groundingChunks"]);
  return listOf(grounding["groundingSupports"]).flatMap((support) => {
    const segment = isObject(support["segment"]) ? support["segment"] : {};
    const part = typeof segment["partIndex"] === "number" && segment["partIndex"] > 0 ? segment["partIndex"] : undefined;
    const place = placeOf(segment, textOf(part));
    const indices = Array.isArray(support["groundingChunkIndices"]) ? (support["groundingChunkIndices"] as unknown[]) : [];
    return indices.flatMap((index) => {
      const source = typeof index === "number" ? sourceOf(chunks[index]) : undefined;
      return source === undefined ? [] : [{ citation: source, ...place, part }];
    });
  });
}

function sourceOf(chunk: Json | undefined): Citation | undefined {
  const source = chunk?.["web"] ?? chunk?.["retrievedContext"] ?? chunk?.["maps"] ?? chunk?.["image"];
  if (!isObject(source)) return undefined;
  return (
    said({ url: textIn(source["uri"] ?? source["sourceUri"]), title: textIn(source["title"]), citedText: textIn(source["text"]) }) ?? {}
  );
}

function quotedOf(metadata: unknown, textOf: (part: undefined) => string): PlacedCitation[] {
  if (!isObject(metadata)) return [];
  return listOf(metadata["citations"] ?? metadata["citationSources"]).map((source) => {
    const { startIndex: _start, endIndex: _end, uri, title, ...own } = source;
    const citation = { ...said({ url: textIn(uri), title: textIn(title) }), ...asExtras({ ...own, quoted: true }) };
    return { citation, ...placeOf(source, textOf(undefined)) };
  });
}

/** Zeros are not sent: a place with an end and no start begins at the beginning. */
function placeOf(segment: Json, text: string): { start?: number; end?: number } {
  const { startIndex, endIndex } = segment;
  if (typeof endIndex !== "number") return typeof startIndex === "number" ? { start: utf16Offset(text, startIndex) } : {};
  return { start: utf16Offset(text, typeof startIndex === "number" ? startIndex : 0), end: utf16Offset(text, endIndex) };
}

/** Citations with their places in `text` as Google's two lists of them. */
export function encodeCitations(placed: readonly PlacedCitation[], text: string): Json {
  const grounded = placed.filter(({ citation }) => googleExtras(citation)["quoted"] !== true);
  const quoted = placed.filter(({ citation }) => googleExtras(citation)["quoted"] === true);
  return {
    ...(grounded.length === 0 ? {} : { groundingMetadata: encodeGrounding(grounded, text) }),
    ...(quoted.length === 0 ? {} : { citationMetadata: { citations: quoted.map((given) => encodeQuoted(given, text)) } }),
  };
}

/** Sources in the order of their first use; what rests on several is said once. */
function encodeGrounding(placed: readonly PlacedCitation[], text: string): Json {
  const chunks: Json[] = [];
  const places = new Map<string, number>();
  const supports: { segment: Json; groundingChunkIndices: number[] }[] = [];
  for (const { citation, start, end } of placed) {
    const { url, title, citedText } = citation;
    const source = { ...said({ uri: url, title, text: citedText }) };
    const chunk = citedText === undefined ? { web: source } : { retrievedContext: source };
    const key = JSON.stringify(chunk);
    const index = places.get(key) ?? chunks.push(chunk) - 1;
    places.set(key, index);
    const segment = { ...placeIn(text, start, end) };
    const last = supports.at(-1);
    if (last !== undefined && JSON.stringify(last.segment) === JSON.stringify(segment) && !last.groundingChunkIndices.includes(index))
      last.groundingChunkIndices.push(index);
    else supports.push({ segment, groundingChunkIndices: [index] });
  }
  return { groundingChunks: chunks, groundingSupports: supports };
}

function placeIn(text: string, start: number | undefined, end: number | undefined): Json {
  return {
    ...(start === undefined ? {} : { startIndex: utf8Offset(text, start) }),
    ...(end === undefined ? {} : { endIndex: utf8Offset(text, end), text: text.slice(start ?? 0, end) }),
  };
}

function encodeQuoted({ citation, start, end }: PlacedCitation, text: string): Json {
  const { quoted: _quoted, ...own } = googleExtras(citation);
  const { text: _text, ...place } = placeIn(text, start, end);
  return { ...own, ...place, ...said({ uri: citation.url, title: citation.title }) };
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
