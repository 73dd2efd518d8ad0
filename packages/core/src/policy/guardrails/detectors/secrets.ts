import type { GuardrailSettings } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Finder, Match, Scanner } from "../scanner.js";
import { LONGEST_SECRET, LONGEST_SPACED_SECRET, PEM, secretFormats, type SecretFormat } from "./secret-formats.js";
import { ANY_LENGTH } from "./words.js";

/** Whole RSA keys of 16,384 bits are shorter. */
const LONGEST_KEY = 16_000;
const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
const KEY_BODY = /(?:[A-Za-z0-9+/=\s\\:,.()"']|-(?!----)){0,16000}/y;
const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
const BEGIN = "-----BEGIN ";
/** The first line of a key, and its last. */
const LONGEST_LINE = 90;

/** Keys and tokens by how they look, and private keys. Errors: `validation_failed` for a format that is not known. */
export function secretsScanner(settings: GuardrailSettings<"secrets">): Scanner {
  const known = [...secretFormats.map(({ name }) => name), PEM];
  const wanted = settings.formats ?? known;
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new GatewayError("validation_failed", `settings.formats: "${unknown}" is not known.`, {
      hint: `There are ${known.join(", ")}.`,
      details: { field: "settings.formats" },
    });
  const finders: Finder[] = secretFormats.filter(({ name }) => wanted.includes(name)).flatMap(findersOf);
  if (wanted.includes(PEM)) finders.push(findPrivateKey);
  return { finders, reach: LONGEST_KEY + 200, settled: settledAt, maxChars: ANY_LENGTH, isShown: false };
}

const found = (name: string): Omit<Match, "start" | "end"> => ({ type: "secret", pattern: name, label: `[${name}]`, confidence: 1 });

/** One for each beginning, so that one that is nowhere is looked for once. */
function findersOf({ name, prefixes, pattern }: SecretFormat): Finder[] {
  const about = found(name);
  return prefixes.map((prefix) => (text, from) => {
    for (let at = text.indexOf(prefix, from); at >= 0; at = text.indexOf(prefix, at + 1)) {
      // Within a longer word it is something else; and of one long word one place alone is tried.
      if (at > 0 && isTokenCharacter(text.charCodeAt(at - 1))) continue;
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match !== null) return { start: at, end: at + match[0].length, ...about };
    }
    return null;
  });
}

const privateKey = found(PEM);

/** With its end, or as far as it goes. */
function findPrivateKey(text: string, from: number): Match | null {
  for (let at = text.indexOf(BEGIN, from); at >= 0; at = text.indexOf(BEGIN, at + 1)) {
    const end = endOfKey(text, at);
    if (end !== null) return { start: at, end, ...privateKey };
  }
  return null;
}

/** Where the private key ends that begins at a place; null: none does. */
function endOfKey(text: string, at: number): number | null {
  let end = at;
  for (const [i, part] of [KEY_BEGIN, KEY_BODY, KEY_END].entries()) {
    part.lastIndex = end;
    const match = part.exec(text);
    if (match !== null) end += match[0].length;
    else if (i === 0) return null;
  }
  return end;
}

/** Few secrets have white space within: what stands before the last word is decided soon. A private key is waited for. */
function settledAt(text: string): number {
  const last = Math.min(text.length - LONGEST_SPACED_SECRET - 2, lastWord(text, LONGEST_SECRET) - 1);
  const begun = text.lastIndexOf(BEGIN);
  if (begun < 0) return last;
  const end = endOfKey(text, begun) ?? begun;
  return end + LONGEST_LINE < text.length ? last : Math.min(last, begun - 1);
}

/** Where the last run of characters that are no white space begins; it is looked for in the last `most` characters. */
export function lastWord(text: string, most: number): number {
  const least = Math.max(0, text.length - most);
  for (let at = text.length; at > least; at--) if (isSpace(text.charCodeAt(at - 1))) return at;
  return least;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0 || code === 0x2028 || code === 0x2029;
}
function isTokenCharacter(code: number): boolean {
  if (code === 0x5f || code === 0x2d) return true;
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}
