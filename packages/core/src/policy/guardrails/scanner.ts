import type { DetectionType, Severity } from "../../entities/index.js";

/** Something found at a place of a text; offsets are UTF-16 code units, `end` is exclusive. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly type: DetectionType;
  /** What it was found by, for people: never what was found. */
  readonly pattern: string;
  /** What stands in its place when it is masked. */
  readonly label: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** Left out: what its guardrail says. */
  readonly severity?: Severity | undefined;
}

/** The first match that begins at `from` or later; null: there is none. What stands before `from` counts as its surroundings. */
export type Finder = (text: string, from: number) => Match | null;

/** Finds places in texts: synchronous, in time that grows with the text and not with its square. */
export interface Scanner {
  readonly finders: readonly Finder[];
  /** No match, with the character after it that decides it, is longer. Infinity: nobody can say, so that a stream is held back until its text is whole. */
  readonly reach: number;
  /** The last place of an unfinished text where a match that begins there is known for certain; left out: `text.length - reach`. */
  settled?(text: string): number;
  /** How much of what stands before a match it looks at; `SURROUNDINGS` when left out. */
  readonly surroundings?: number;
  /** Texts that are longer are not looked at, and count as unseen. */
  readonly maxChars: number;
  /** What was found may stand in an excerpt: it says what was matched, and is nobody's secret. */
  readonly isShown: boolean;
}

/** What stands before a place and decides whether something begins there: no look-behind of ours is longer. */
export const SURROUNDINGS = 16;

/** All matches of a text from `from` on, leftmost first, the longest of those that begin together, none overlapping another. */
export function findAll(text: string, from: number, finders: readonly Finder[]): Match[] {
  const found: Match[] = [];
  const next: (Match | null | undefined)[] = finders.map(() => undefined);
  for (let at = from; at <= text.length; ) {
    let first: Match | null = null;
    for (let i = 0; i < finders.length; i++) {
      let match = next[i];
      if (match === undefined || (match !== null && match.start < at)) next[i] = match = finders[i]!(text, at);
      if (match !== null && (first === null || match.start < first.start || (match.start === first.start && match.end > first.end)))
        first = match;
    }
    if (first === null) break;
    // An empty match is nothing, but what follows it may be something.
    if (first.end > first.start) found.push(first);
    at = Math.max(first.end, first.start + 1);
  }
  return found;
}

/** A finder of a pattern of ours, which must have the flag `g`: such a pattern has bounded repetition and no nested ones, and a test holds it to that. */
export function patternFinder(pattern: RegExp, of: (match: RegExpExecArray) => Omit<Match, "start" | "end"> | null): Finder {
  return (text, from) => {
    pattern.lastIndex = from;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const about = of(match);
      if (about !== null) return { start: match.index, end: match.index + match[0].length, ...about };
      // Not what it looks like: another one may begin within it.
      pattern.lastIndex = match.index + 1;
    }
    return null;
  };
}

/** The text with the labels in the place of what was found. */
export function masked(text: string, matches: readonly Match[]): string {
  if (matches.length === 0) return text;
  let out = "";
  let at = 0;
  for (const { start, end, label } of matches) {
    out += text.slice(at, start) + label;
    at = end;
  }
  return out + text.slice(at);
}
