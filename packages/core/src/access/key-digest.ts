import type { Crypto } from "../ports/index.js";
import type { LateKey } from "./purpose-keys.js";

/** The digest of a key under which its row is found: HMAC-SHA-256 in lower-case hex, 64 characters. */
export type KeyDigest = (key: string) => string;

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const encoder = new TextEncoder();

/**
 * `pepper` is the purpose key `gateway-keys`: whoever reads the store learns no key and cannot try any. Looking a digest up in a map tells by its timing at most
 * something of a digest, which nobody can aim at without the pepper.
 */
export function keyDigest(crypto: Crypto, pepper: LateKey): KeyDigest {
  return (key) => {
    const digest = crypto.hmac(pepper(), encoder.encode(key));
    let text = "";
    for (let i = 0; i < digest.length; i++) text += hex[digest[i]!]!;
    return text;
  };
}
