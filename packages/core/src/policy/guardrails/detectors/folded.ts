import type { Finder, Scanner } from "../scanner.js";

const BEYOND_ASCII = /[^\0-\x7f]/;
/** What is not shown: zero-width characters, soft hyphens, marks of direction, selectors of variants. */
const UNSHOWN = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;
const HAS_UNSHOWN = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/u;
/** What NFKC makes one: a character with the marks that follow it, vowels and finals of Hangul among them. */
const CLUSTER =
  /\P{M}[\p{M}\p{Default_Ignorable_Code_Point}\p{Cf}\u1160-\u11ff]*|[\p{M}\p{Default_Ignorable_Code_Point}\p{Cf}\u1160-\u11ff]+/gu;
/** In a stream no more than this is held back for characters that are not shown: a longer run of them parts a word. */
const MOST_HELD = 4_096;

/** A text as it is read: for each UTF-16 unit where that began, and ended, in the text as it was written. */
interface Folded {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Units before the last character: that may still get marks. */
  readonly certain: number;
}

/** A text as it is read: its compatibility form (NFKC), without what is not shown. A text of nothing else stays. Source: UAX #15; UAX #44, Default_Ignorable_Code_Point. */
export function foldText(text: string): string {
  return text.replace(UNSHOWN, "").normalize("NFKC") || text;
}

/**
 * The scanner for texts as they are written and as they are read, whose matches are places of texts as they were written. Both, since what is not shown also parts words: it is in the middle of one, or between
 * two. Plain ASCII costs one search of the text more.
 */
export function folding(scanner: Scanner): Scanner {
  let last: { readonly of: string; readonly folded: Folded | null } = { of: "", folded: null };
  const foldedOf = (text: string): Folded | null => {
    // A text is searched once for every match in it.
    if (last.of !== text) last = { of: text, folded: fold(text) };
    return last.folded;
  };
  const finders = scanner.finders.map(
    (finder): Finder =>
      (text, from) => {
        const folded = foldedOf(text);
        if (folded === null) return null;
        const match = finder(folded.text, firstFrom(folded.starts, from));
        // An empty match is nothing.
        if (match === null || match.end <= match.start) return null;
        return { ...match, start: folded.starts[match.start]!, end: folded.ends[match.end - 1]! };
      },
  );
  return {
    ...scanner,
    finders: [...scanner.finders, ...finders],
    settled: (text) => {
      const folded = foldedOf(text);
      const written = text.length - scanner.reach;
      if (folded === null) return written;
      const certain = folded.certain - scanner.reach;
      const read = certain < 0 ? -1 : folded.starts[certain]!;
      return Math.max(Math.min(written, read), written - MOST_HELD);
    },
  };
}

/** null: it is read as it is written. */
function fold(text: string): Folded | null {
  if (!BEYOND_ASCII.test(text) || (!HAS_UNSHOWN.test(text) && text.normalize("NFKC") === text)) return null;
  let out = "";
  let certain = 0;
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { 0: cluster, index } of text.matchAll(CLUSTER)) {
    const isPlain = cluster.length === 1 && cluster < "\x80";
    const read = isPlain ? cluster : cluster.replace(UNSHOWN, "").normalize("NFKC");
    certain = out.length;
    out += read;
    // Of what is read as it is written each unit stands for itself, as in a text that is not folded.
    const isSame = isPlain || read === cluster;
    for (let i = 0; i < read.length; i++) {
      starts.push(isSame ? index + i : index);
      ends.push(isSame ? index + i + 1 : index + cluster.length);
    }
  }
  return { text: out, starts, ends, certain };
}

/** The first place that began at `from` or later. */
function firstFrom(starts: readonly number[], from: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
