import type { Crypto } from "../../ports/index.js";

/** A key of this gateway taken apart: `spk_<environment>_<id>_<secret><checksum>`. */
export interface KeyParts {
  readonly environment: string;
  /** The row's id without its `key_`. */
  readonly id: string;
}

const form = /^spk_([a-z0-9]{1,12})_([a-z0-9]{24})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
export const KEY_ID_PREFIX = "key_";

/**
 * The parts of a key; `broken`: it looks like one and its checksum does not hold, so no look-up is worth it; null: it is of no such form.
 * Source: the form of GitHub's tokens, https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
export function parseKey(text: string): KeyParts | "broken" | null {
  const found = form.exec(text);
  if (found === null) return null;
  const [, environment, id, , checksum] = found;
  return checksumOf(text.slice(0, -CHECKSUM_LENGTH)) === checksum ? { environment: environment!, id: id! } : "broken";
}

/** A new key for the row: 256 random bits in it. */
export function makeKey(crypto: Crypto, o: { readonly environment: string; readonly rowId: string }): string {
  const secret = base62(crypto.random(SECRET_BYTES), SECRET_LENGTH);
  const text = `spk_${o.environment}_${o.rowId.slice(KEY_ID_PREFIX.length)}_${secret}`;
  return text + checksumOf(text);
}

/** What people may know a key by: nothing of its secret. */
export function shownPrefix(key: string): string {
  return key.slice(0, key.lastIndexOf("_") + 1);
}

/** CRC-32 (ISO 3309) of the ASCII text in base 62. */
function checksumOf(text: string): string {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) crc = (crc >>> 8) ^ table[(crc ^ text.charCodeAt(i)) & 0xff]!;
  let rest = (crc ^ 0xffffffff) >>> 0;
  let out = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    out = digits[rest % 62]! + out;
    rest = Math.floor(rest / 62);
  }
  return out;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function base62(bytes: Uint8Array, length: number): string {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  let out = "";
  for (let i = 0; i < length; i++) {
    out = digits[Number(number % 62n)]! + out;
    number /= 62n;
  }
  return out;
}
