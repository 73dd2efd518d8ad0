import type { RE2JS } from "re2js";
import type { GuardrailSettings } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Finder, Scanner } from "../scanner.js";
import { longestMatch } from "./longest-match.js";
import { loadPeer } from "./peers.js";

/** A larger program is no pattern that a person wrote. */
const MAX_PROGRAM = 20_000;
/** An automaton makes at most as many steps as its instructions times the text's characters: so many are made for one text (about a second). */
const MAX_STEPS = 50_000_000;
const MAX_CHARS = 1_000_000;

type Engine = typeof import("re2js");

/**
 * What a person wrote, on an engine whose time grows with the text alone, whatever the pattern: `re2js`, RE2 in JavaScript.
 * Errors: `missing_dependency`; `validation_failed` for a pattern that RE2 has not, or one that is too large.
 */
export async function regexScanner(settings: GuardrailSettings<"regex">): Promise<Scanner> {
  const engine = await loadPeer("re2js", () => import("re2js"));
  const compiled = settings.patterns.map((given, at) => ({ given, program: compile(engine, given, at) }));
  const size = compiled.reduce((sum, { program }) => sum + program.programSize(), 0);
  if (size > MAX_PROGRAM) throw invalid(0, `is too large: ${size} instructions, ${MAX_PROGRAM} are allowed`);
  return {
    finders: compiled.map(({ given, program }) => finderOf(program, given.name ?? given.pattern.slice(0, 80))),
    reach: compiled.reduce((most, { given }) => Math.max(most, longestMatch(given.pattern)), 0) + 2,
    maxChars: Math.min(MAX_CHARS, Math.floor(MAX_STEPS / Math.max(1, size))),
    isShown: false,
  };
}

function finderOf(program: RE2JS, name: string): Finder {
  return (text, from) => {
    const matcher = program.matcher(text);
    if (!matcher.find(from)) return null;
    return { start: matcher.start(), end: matcher.end(), type: "custom", pattern: name, label: "[removed]", confidence: 1 };
  };
}

function compile(engine: Engine, { pattern, flags }: GuardrailSettings<"regex">["patterns"][number], at: number): RE2JS {
  const { RE2JS } = engine;
  const bits = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL };
  try {
    return RE2JS.compile(
      pattern,
      [...flags].reduce((sum, flag) => sum | bits[flag as keyof typeof bits], 0),
    );
  } catch (error) {
    throw invalid(at, error instanceof Error ? error.message : "is not a pattern");
  }
}

function invalid(at: number, why: string): GatewayError {
  return new GatewayError("validation_failed", `settings.patterns[${at}].pattern: ${why}`, {
    hint: "Patterns are in RE2 syntax: no look-around and no back-references.",
    details: { field: `settings.patterns[${at}].pattern` },
  });
}
