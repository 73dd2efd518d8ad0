/** More than the APIs of models take for the name of a tool. */
const MAX_NAME = 64;
/** What all of them take. */
const PLAIN = /^[A-Za-z0-9_-]{1,64}$/;
const CODED = /-x[a-z2-7]{20}$/;
const DIGITS = "abcdefghijklmnopqrstuvwxyz234567";
const DIGEST_CHARS = 20;
const HEAD = MAX_NAME - DIGEST_CHARS - 2;
const encoder = new TextEncoder();

export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/**
 * A name as it is shown: itself when every model's API takes it, at most 64 characters of `A-Za-z0-9_-`; otherwise its beginning, readable, and 100 bits of its SHA-256. It depends on the name alone, and two names are
 * shown as two: what happens to look like a shortened name is shortened as well.
 */
export function shownName(name: string, sha256: Sha256): string {
  return isPlain(name) ? name : codedName(name, sha256);
}

/** Shown as it is. */
export function isPlain(name: string): boolean {
  return PLAIN.test(name) && !CODED.test(name);
}

/** Whether a shown name may stand for one that was shortened; such a one is looked up, it says only how it begins. */
export function isCoded(shown: string): boolean {
  return shown.length <= MAX_NAME && CODED.test(shown);
}

function codedName(name: string, sha256: Sha256): string {
  const head = name.slice(0, HEAD).replace(/[^A-Za-z0-9_-]/g, "_");
  const digest = sha256(encoder.encode(name));
  let text = "";
  let bits = 0;
  let value = 0;
  for (let at = 0; text.length < DIGEST_CHARS; ) {
    if (bits < 5) {
      value = (value << 8) | digest[at++]!;
      bits += 8;
    }
    bits -= 5;
    text += DIGITS[(value >> bits) & 31];
    value &= (1 << bits) - 1;
  }
  return `${head}-x${text}`;
}
