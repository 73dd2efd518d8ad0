import { gcm } from "@noble/ciphers/aes.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Crypto } from "../ports/index.js";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** The most that one call of `getRandomValues` gives. */
const RANDOM_AT_ONCE = 65_536;

/** For runtimes without `node:crypto`, where the platform's own hashes and ciphers are asynchronous only. Same bytes as on Node. */
export const crypto: Crypto = {
  random: randomBytes,
  sha256: (bytes) => sha256(bytes),
  hmac: (key, bytes) => hmac(sha256, key, bytes),
  equal(a, b) {
    if (a.byteLength !== b.byteLength) return false;
    let difference = 0;
    for (let i = 0; i < a.byteLength; i++) difference |= a[i]! ^ b[i]!;
    return difference === 0;
  },
  seal(key, plain, aad) {
    const nonce = randomBytes(NONCE_BYTES);
    const encrypted = gcm(key, nonce, aad).encrypt(plain);
    const sealed = new Uint8Array(NONCE_BYTES + encrypted.byteLength);
    sealed.set(nonce);
    sealed.set(encrypted, NONCE_BYTES);
    return sealed;
  },
  open(key, sealed, aad) {
    if (sealed.byteLength < NONCE_BYTES + TAG_BYTES) return null;
    const cipher = gcm(key, sealed.subarray(0, NONCE_BYTES), aad);
    try {
      return cipher.decrypt(sealed.subarray(NONCE_BYTES));
    } catch {
      // The tag does not fit: another key, another aad, or changed bytes.
      return null;
    }
  },
};

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_AT_ONCE) globalThis.crypto.getRandomValues(bytes.subarray(at, at + RANDOM_AT_ONCE));
  return bytes;
}
