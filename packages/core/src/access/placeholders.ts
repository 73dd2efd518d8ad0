/** Words that examples and templates put where a key belongs. What is left when they are taken out has to be a key by itself. */
const words = [
  ...["placeholder", "changeme", "changeit", "replaceme", "password", "passphrase", "passwd", "example", "replace", "default", "letmein"],
  ...["secret", "insert", "please", "change", "sample", "qwerty", "dummy", "token", "admin", "todo", "fixme", "tbd"],
  ...["here", "this", "your", "mine", "with", "real", "must", "long", "key", "api", "the", "and", "put", "xxx", "foo", "bar", "baz"],
  ...["my", "me", "it", "is", "to", "be", "of", "a"],
];
/** Longest first, so that "changeme" is taken out whole. */
const anyWord = new RegExp([...words].sort((a, b) => b.length - a.length).join("|"), "g");
const runs = [
  "01234567890123456789",
  "98765432109876543210",
  "0123456789abcdef",
  "fedcba9876543210",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
];
const LEAST_REST = 12;
const LEAST_DIFFERENT = 6;
const LONGEST_UNIT = 12;

/**
 * Why the text is a placeholder or can be guessed, as the end of "it is refused: …"; null: it is neither. Only what nobody made at random is refused: few different
 * characters, a short piece repeated, the keyboard or the alphabet in order, or only the words that templates use.
 */
export function placeholderIn(text: string): string | null {
  if (new Set(text).size < LEAST_DIFFERENT) return `it has fewer than ${LEAST_DIFFERENT} different characters`;
  if (hasShortPeriod(text)) return "it is a short piece repeated";
  const plain = text.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (plain.length > 0 && isRun(plain)) return "it is the alphabet, the digits or the keyboard in order";
  return templateIn(text);
}

/** Only what templates put there: one character over and over, or nothing but their words. An operator's own choice may be weak, and stays the operator's. */
export function templateIn(text: string): string | null {
  if (new Set(text).size === 1) return "it is one character repeated";
  const plain = text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const rest = plain.replace(anyWord, "");
  if (plain.length > 0 && rest.length < plain.length && rest.length < LEAST_REST) return "it is a placeholder from a template";
  return null;
}

function hasShortPeriod(text: string): boolean {
  for (let unit = 1; unit <= Math.min(LONGEST_UNIT, text.length / 2); unit++) {
    let same = unit;
    while (same < text.length && text[same] === text[same - unit]) same++;
    if (same === text.length) return true;
  }
  return false;
}

/** Whether nothing but long pieces of one of the runs follow each other. */
function isRun(plain: string): boolean {
  let at = 0;
  while (at < plain.length) {
    let longest = 0;
    for (const run of runs) {
      const from = run.indexOf(plain.slice(at, at + 3));
      if (from < 0) continue;
      let length = 0;
      while (length < run.length - from && plain[at + length] === run[from + length]) length++;
      longest = Math.max(longest, length);
    }
    if (longest < Math.min(3, plain.length - at)) return false;
    at += longest;
  }
  return true;
}
