import type { Crypto } from "../../../ports/index.js";

/** Without vowels and what looks alike, so that it spells nothing and is read over a telephone. Source: RFC 8628 §6.1. */
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const LENGTH = 8;

/** What a person carries from where a sign-in was begun to the browser that finishes it: 34 bits, of use with the link alone and for few tries. */
export function newConfirmationCode(crypto: Pick<Crypto, "random">): string {
  let code = "";
  while (code.length < LENGTH)
    // From 240 on the first letters would come more often.
    for (const byte of crypto.random(LENGTH)) if (byte < 240 && code.length < LENGTH) code += LETTERS[byte % LETTERS.length];
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** The code as it is compared: people write it in small letters, with blanks or without the dash. */
export function plainCode(code: string): string {
  return code.toUpperCase().replaceAll(/[^A-Z]/g, "");
}
