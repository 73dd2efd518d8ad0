import { GatewayError } from "../../errors/index.js";

/** As many characters as a call may have arguments, with room to spare. */
const PIECE = 8_192;

/** The bytes as base64 (RFC 4648 §4, padded). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(binary);
}

/** Errors: `validation_failed` for a text that is no base64. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new GatewayError("validation_failed", "A text that should be base64 is none.");
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** One base64 text of several that were encoded apart, as streamed sound is: padding may stand only at the very end. */
export function joinBase64(parts: readonly string[]): string {
  if (parts.slice(0, -1).every((part) => part.length % 4 === 0 && !part.endsWith("="))) return parts.join("");
  return btoa(parts.map((part) => atob(part)).join(""));
}
