import { GatewayError } from "../errors/index.js";
import type { Crypto } from "../ports/index.js";
import { placeholderIn } from "./placeholders.js";

/** What a key made from the gateway's secret is for. One key never serves two purposes, so that what leaks from one tells nothing of another. */
export type KeyPurpose =
  | "gateway-keys"
  | "sealed-values"
  | "mcp-sessions"
  | "parked-calls"
  | "opaque-tokens"
  | "response-cache"
  | "session-tails"
  | "guardrail-webhooks"
  | "web-sessions";

/** The key of a purpose, 32 bytes; the same bytes for the same secret, in every process and every version. */
export type PurposeKeys = (purpose: KeyPurpose) => Uint8Array;

/** A key that is known once the gateway has started. */
export type LateKey = () => Uint8Array;

export const SECRET_BYTES = 32;
/** Of 32 random bytes about 30 are different; fewer than this never happens by chance. */
const LEAST_DIFFERENT = 16;

/**
 * Derives one key a purpose from the gateway's secret, each once.
 * Errors: `invalid_config` when the secret is not 32 bytes, or is no random one (few different bytes, an even progression, a repetition, a placeholder in text).
 * Source: RFC 5869 (HKDF with SHA-256), salt `sallyport/v1`, the purpose as info, one block.
 */
export function purposeKeys(crypto: Crypto, secret: Uint8Array): PurposeKeys {
  refuseWeakSecret(secret);
  const encoder = new TextEncoder();
  const extracted = crypto.hmac(encoder.encode("sallyport/v1"), secret);
  const made = new Map<KeyPurpose, Uint8Array>();
  return (purpose) => {
    let key = made.get(purpose);
    if (key === undefined) made.set(purpose, (key = crypto.hmac(extracted, encoder.encode(`${purpose}\x01`))));
    return key;
  };
}

function refuseWeakSecret(secret: Uint8Array): void {
  const weakness = weaknessOf(secret);
  if (weakness === null) return;
  throw new GatewayError("invalid_config", `The gateway's secret is refused: ${weakness}.`, {
    hint: "Make one with `openssl rand -base64 32`, or leave it out: one is made and kept.",
  });
}

function weaknessOf(secret: Uint8Array): string | null {
  if (secret.length !== SECRET_BYTES) return `it has ${secret.length} bytes, exactly ${SECRET_BYTES} are needed`;
  const isText = secret.every((byte) => byte >= 0x20 && byte < 0x7f);
  const placeholder = isText ? placeholderIn(String.fromCharCode(...secret)) : null;
  if (placeholder !== null) return placeholder;
  if (isProgression(secret)) return "its bytes are an even progression";
  // Text has fewer different bytes than random ones and may still be a good secret.
  if (new Set(secret).size < (isText ? LEAST_DIFFERENT / 2 : LEAST_DIFFERENT)) return "it has too few different bytes to be random";
  return null;
}

function isProgression(bytes: Uint8Array): boolean {
  const step = (bytes[1]! - bytes[0]!) & 0xff;
  return bytes.every((byte, i) => i === 0 || ((byte - bytes[i - 1]!) & 0xff) === step);
}
