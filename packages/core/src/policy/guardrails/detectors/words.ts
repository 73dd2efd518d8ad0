import type { GuardrailSettings } from "../../../entities/index.js";
import { patternFinder, type Scanner } from "../scanner.js";
import { folding, foldText } from "./folded.js";

const WORD_START = /^[\p{L}\p{N}_]/u;
const WORD_END = /[\p{L}\p{N}_]$/u;
const BEFORE = "(?<![\\p{L}\\p{N}_])";
const AFTER = "(?![\\p{L}\\p{N}_])";
/** Each position of a text is compared with each word at the most. */
const MAX_COMPARISONS = 400_000_000;
/** Much more than any body: a pattern of plain words is looked for at hundreds of MB a second. */
export const ANY_LENGTH = 100_000_000;

/** Plain texts, each found whatever its case unless `exact`, and however it is written: wide, with ligatures, with what is not shown between its letters. */
export function wordsScanner(settings: GuardrailSettings<"words">): Scanner {
  const flags = settings.exact ? "gu" : "giu";
  // The longest first: of two that begin together the pattern takes the first.
  const words = [...new Set(settings.words.map(foldText))].sort((a, b) => b.length - a.length);
  const finder = patternFinder(new RegExp(anyOf(words, settings.whole), flags), (match) => ({
    type: "custom",
    pattern: known(words, match[0]),
    label: "[removed]",
    confidence: 1,
  }));
  // A letter of another case may be longer: "ﬀ" stands for "FF" nowhere, "ẞ" for "ß", one unit each; two are allowed for.
  return folding({
    finders: [finder],
    reach: 2 * longest(words) + 2,
    maxChars: Math.min(ANY_LENGTH, Math.floor(MAX_COMPARISONS / words.length)),
    isShown: true,
  });
}

/** A pattern of plain texts; `whole`: only where no letter, digit or _ stands on either side of one that begins or ends with such. */
export function anyOf(words: readonly string[], whole: boolean): string {
  const groups = new Map<string, string[]>();
  for (const word of words) {
    const key = whole ? `${WORD_START.test(word)} ${WORD_END.test(word)}` : "false false";
    groups.set(key, [...(groups.get(key) ?? []), escaped(word)]);
  }
  return [...groups]
    .map(([key, texts]) => `${key.startsWith("true") ? BEFORE : ""}(?:${texts.join("|")})${key.endsWith("true") ? AFTER : ""}`)
    .join("|");
}

/** A plain text within a pattern. */
export function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, (c) => (c === "-" ? "\\x2d" : `\\${c}`));
}

export const longest = (texts: readonly string[]): number => texts.reduce((most, { length }) => Math.max(most, length), 0);

function known(words: readonly string[], found: string): string {
  return words.find((word) => word.toLowerCase() === found.toLowerCase()) ?? words[0]!;
}
