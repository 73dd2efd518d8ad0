import type { GuardrailSettings, PiiType } from "../../../entities/index.js";
import { patternFinder, type Finder, type Match, type Scanner } from "../scanner.js";
import { loadPeer } from "./peers.js";
import { lastWord } from "./secrets.js";
import { ANY_LENGTH } from "./words.js";

/** Spaced IBANs; none but addresses of mail is longer. */
const LONGEST = 70;
const LONGEST_EMAIL = 330;

type Validator = typeof import("validator")["default"];
type Phones = typeof import("libphonenumber-js/min");

/**
 * Data of persons by how they look, and by what they are checked for: `validator` knows card numbers, IBANs and addresses, `libphonenumber-js` the phone numbers of every country.
 * Names, places and dates are not looked for. Errors: `missing_dependency`.
 */
export async function piiScanner(settings: GuardrailSettings<"pii">): Promise<Scanner> {
  const { types, country } = settings;
  const needs = (...wanted: PiiType[]): boolean => types.some((type) => wanted.includes(type));
  const validator = needs("card", "iban", "ip", "email") ? await loadPeer("validator", validators) : null;
  const phones = needs("phone") ? await loadPeer("libphonenumber-js", () => import("libphonenumber-js/min")) : null;
  const finders = types.map((type) => finderOf(type, { validator: validator!, phones: phones!, country }));
  return { finders, reach: LONGEST_EMAIL, settled: settledAt, maxChars: ANY_LENGTH, isShown: false };
}

async function validators(): Promise<Validator> {
  return (await import("validator")).default;
}

/** An address of mail has no white space; all else is short. */
function settledAt(text: string): number {
  return Math.min(text.length - LONGEST - 2, lastWord(text, LONGEST_EMAIL) - 1);
}

const found = (type: PiiType): Omit<Match, "start" | "end"> => ({ type: "pii", pattern: type, label: `[${type}]`, confidence: 0.95 });

function finderOf(
  type: PiiType,
  o: { readonly validator: Validator; readonly phones: Phones; readonly country: string | undefined },
): Finder {
  const { validator } = o;
  const about = found(type);
  switch (type) {
    case "email":
      return emailFinder(validator, about);
    case "card":
      return partFinder(/(?<![\p{L}\p{N}])\d(?:[ -]?\d){12,18}(?!\d)/gu, about, (part) =>
        validator.isCreditCard(part.replaceAll(/[ -]/g, "")),
      );
    case "iban":
      return partFinder(/(?<![\p{L}\p{N}])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![\p{L}\p{N}])/gu, about, (part) => validator.isIBAN(part));
    case "us_ssn":
      return patternFinder(/(?<![\p{L}\p{N}-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\p{L}\p{N}-])/gu, () => about);
    case "ip":
      return patternFinder(
        /(?<![\p{L}\p{N}.:])(?:(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\p{L}\p{N}:]))/gu,
        ([text]) => (validator.isIP(text) ? about : null),
      );
    case "phone":
      return partFinder(/(?<![\p{L}\p{N}+])\+?\(?\d[\d ()./-]{6,24}\d(?!\d)/gu, about, (part) => isPhone(part, o));
  }
}

function isPhone(text: string, { phones, country }: { readonly phones: Phones; readonly country: string | undefined }): boolean {
  if (country === undefined && !text.startsWith("+")) return false;
  return phones.parsePhoneNumberFromString(text, country as import("libphonenumber-js/min").CountryCode | undefined)?.isValid() === true;
}

/** What looks like one may be followed by more of the same characters: the longest part that is one counts, where it ends at a blank or another sign. */
function partFinder(pattern: RegExp, about: Omit<Match, "start" | "end">, isOne: (part: string) => boolean): Finder {
  return (text, from) => {
    pattern.lastIndex = from;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [candidate] = match;
      for (let end = candidate.length; end > 6; end = endBefore(candidate, end))
        if (isOne(candidate.slice(0, end))) return { start: match.index, end: match.index + end, ...about };
      pattern.lastIndex = match.index + 1;
    }
    return null;
  };
}

/** The next end of a word before a place; 0: there is none. */
function endBefore(text: string, end: number): number {
  for (let at = end - 1; at > 0; at--) if (!isWord(text[at]!) && isWord(text[at - 1]!)) return at;
  return 0;
}
const isWord = (character: string): boolean => /[A-Za-z0-9]/.test(character);

const LOCAL = /[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]/u;
const DOMAIN = /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}[\p{L}]{2,24}/uy;
const MOST_LOCAL = 64;

function emailFinder(validator: Validator, about: Omit<Match, "start" | "end">): Finder {
  return (text, from) => {
    for (let at = text.indexOf("@", from); at >= 0; at = text.indexOf("@", at + 1)) {
      DOMAIN.lastIndex = at + 1;
      const domain = DOMAIN.exec(text)?.[0].slice(0, 253);
      if (domain === undefined) continue;
      let start = at;
      while (start > from && at - start < MOST_LOCAL && LOCAL.test(text[start - 1]!)) start--;
      // The quotation mark or the dash before an address is none of it.
      while (start < at && !validator.isEmail(text.slice(start, at) + "@" + domain, { allow_utf8_local_part: true, require_tld: true }))
        start++;
      if (start < at) return { start, end: at + 1 + domain.length, ...about };
    }
    return null;
  };
}
