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

export function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** null: it is no base64url. */
export function fromBase64Url(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
