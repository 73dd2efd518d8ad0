import type { GuardrailSettings } from "../../../entities/index.js";
import { patternFinder, SURROUNDINGS, type Finder, type Match, type Scanner } from "../scanner.js";
import { injectionHints, injectionTexts, injectionWays, type InjectionPattern } from "./injection-patterns.js";
import { folding, foldText } from "./folded.js";
import { ANY_LENGTH, escaped, longest } from "./words.js";

/** No pattern of ours matches more. */
const LONGEST_WAY = 360;
/** Each position of a text is compared with each text at the most. */
const MAX_COMPARISONS = 400_000_000;

/** Least confidence that counts, by how much is to be found. */
const least = { strict: 0.5, moderate: 0.75, permissive: 0.85 } as const;

/**
 * Texts and ways of saying things by which prompts take a model over. A text of `allow` excuses what lies within it and nothing else: whatever else stands in the same text is still found.
 */
export function injectionScanner({ sensitivity, block, allow: excused }: GuardrailSettings<"injection">): Scanner {
  const allow = excused.map(foldText);
  const from = least[sensitivity];
  const own = block.map(foldText).map(
    (text): InjectionPattern<string> => ({
      ...{ pattern: text, name: text, type: "prompt_injection", severity: "high" },
    }),
  );
  const texts = [...injectionTexts, ...own];
  const finders = [textsFinder(texts, 0.85)];
  if (from <= 0.75) for (const each of injectionWays) finders.push(wayFinder(each));
  if (from <= 0.5) finders.push(textsFinder(injectionHints, 0.5));
  const spread = 4 * Math.max(longest(texts.map(({ pattern }) => pattern)), longest(allow));
  return folding({
    finders: allow.length === 0 ? finders : finders.map((finder) => excusing(finder, allow)),
    reach: Math.max(LONGEST_WAY, spread) + (allow.length === 0 ? 0 : spread) + 2,
    surroundings: SURROUNDINGS + (allow.length === 0 ? 0 : spread),
    maxChars: Math.min(ANY_LENGTH, Math.floor(MAX_COMPARISONS / (texts.length + allow.length))),
    isShown: true,
  });
}

/** Case does not count, and a blank stands for some white space. */
function spoken(texts: readonly string[]): RegExp {
  const sorted = [...texts].sort((a, b) => b.length - a.length);
  return new RegExp(sorted.map((text) => escaped(text.trim()).replaceAll(/\s+/g, "\\s{1,4}")).join("|"), "giu");
}
const same = (text: string): string => text.trim().toLowerCase().replaceAll(/\s+/g, " ");

function textsFinder(patterns: readonly InjectionPattern<string>[], confidence: number): Finder {
  const byText = new Map(patterns.map((each) => [same(each.pattern), each]));
  return patternFinder(spoken(patterns.map(({ pattern }) => pattern)), ([text]) =>
    about(byText.get(same(text)) ?? patterns[0]!, confidence),
  );
}
function wayFinder(each: InjectionPattern<RegExp>): Finder {
  // Of its own: a pattern with a place in a text is not shared.
  const pattern = new RegExp(each.pattern.source, each.pattern.flags);
  return patternFinder(pattern, () => about(each, 0.75));
}

function about({ name, type, severity }: Omit<InjectionPattern<unknown>, "pattern">, confidence: number): Omit<Match, "start" | "end"> {
  return { type, pattern: name, severity, confidence, label: "[removed]" };
}

function excusing(finder: Finder, allow: readonly string[]): Finder {
  const allowed = spoken(allow);
  const before = 4 * longest(allow);
  return (text, from) => {
    for (let match = finder(text, from); match !== null; match = finder(text, match.start + 1)) if (!isWithin(match, text)) return match;
    return null;
  };
  function isWithin(match: Match, text: string): boolean {
    allowed.lastIndex = Math.max(0, match.start - before);
    for (let excuse = allowed.exec(text); excuse !== null && excuse.index <= match.start; excuse = allowed.exec(text)) {
      if (excuse.index + excuse[0].length >= match.end) return true;
      // Another may begin within it.
      allowed.lastIndex = excuse.index + 1;
    }
    return false;
  }
}
