import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Crypto } from "../ports/index.js";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `node:crypto`, synchronously. Keys of `seal` and `open` are 32 bytes. */
export const crypto: Crypto = {
  random: (bytes) => randomBytes(bytes),
  sha256: (bytes) => createHash("sha256").update(bytes).digest(),
  hmac: (key, bytes) => createHmac("sha256", key).update(bytes).digest(),
  equal: (a, b) => a.byteLength === b.byteLength && timingSafeEqual(a, b),
  seal(key, plain, aad) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES }).setAAD(aad);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  },
  open(key, sealed, aad) {
    if (sealed.byteLength < NONCE_BYTES + TAG_BYTES) return null;
    const tagAt = sealed.byteLength - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES }).setAAD(aad);
    decipher.setAuthTag(sealed.subarray(tagAt));
    const plain = decipher.update(sealed.subarray(NONCE_BYTES, tagAt));
    try {
      return Buffer.concat([plain, decipher.final()]);
    } catch {
      // The tag does not fit: another key, another aad, or changed bytes.
      return null;
    }
  },
};
