import { fromBase64Url, toBase64Url } from "../util/encoding/base64url.js";

/** A sealed value as it stands in a column: `v1.<key id>.<base64url of nonce, ciphertext and tag>`. */
export interface SealedText {
  readonly keyId: string;
  readonly sealed: Uint8Array;
}

const FORM = /^v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]+)$/;

export function writeSealed({ keyId, sealed }: SealedText): string {
  return `v1.${keyId}.${toBase64Url(sealed)}`;
}

/** null: it is no sealed value. */
export function readSealed(text: string): SealedText | null {
  const [, keyId, body] = FORM.exec(text) ?? [];
  if (keyId === undefined || body === undefined) return null;
  const sealed = fromBase64Url(body);
  return sealed === null ? null : { keyId, sealed };
}
