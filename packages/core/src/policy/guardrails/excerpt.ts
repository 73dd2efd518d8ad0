import { cutText } from "../../util/well-formed.js";
import { secretsScanner } from "./detectors/secrets.js";
import { findAll, masked, type Match } from "./scanner.js";

const AROUND = 200;
const LONGEST = 1_000;
const secrets = secretsScanner({}).finders;
/** Whatever else may stand beside it: addresses of mail, and numbers of many digits. */
const PERSONAL = /[^\s@]{1,64}@[^\s@]{1,255}|\d(?:[ ()./-]?\d){6,24}/g;
/** Also what steers terminals: a log shows excerpts. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Where something was found, as it may be kept: what was found is named unless it is shown, and secrets and personal data beside it are taken out. At most 1,000 characters. */
export function excerptOf(text: string, match: Pick<Match, "start" | "end" | "label">, isShown: boolean): string {
  const end = Math.min(match.end, match.start + LONGEST / 2);
  const before = redacted(text.slice(Math.max(0, match.start - AROUND), match.start));
  const after = redacted(text.slice(match.end, match.end + AROUND));
  const found = isShown ? redacted(text.slice(match.start, end)) : match.label;
  return cutText(`${before}${found}${after}`.replaceAll(CONTROLS, " "), LONGEST);
}

/** The beginning of a text that was judged as a whole: nobody knows which part of it was meant. */
export function excerptOfWhole(text: string): string {
  return cutText(redacted(text.slice(0, AROUND)).replaceAll(CONTROLS, " "), LONGEST);
}

function redacted(text: string): string {
  return masked(text, findAll(text, 0, secrets)).replaceAll(PERSONAL, "[…]");
}
