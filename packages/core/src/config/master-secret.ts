import { GatewayError } from "../errors/index.js";

const BYTES = 32;

/**
 * The gateway's secret as an operator writes it: exactly 32 bytes in base64 (standard or URL alphabet, padded or not). That it is no placeholder is seen when keys are derived from it.
 * Errors: `invalid_config` for anything else; the message does not repeat it.
 */
export function parseMasterSecret(text: string): Uint8Array {
  const bytes = fromBase64(text.trim());
  if (bytes === null) throw refused("it is not base64");
  if (bytes.length !== BYTES) throw refused(`it has ${bytes.length} bytes, exactly ${BYTES} are needed`);
  return bytes;
}

function fromBase64(text: string): Uint8Array | null {
  const plain = text.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) return null;
  return Uint8Array.from(atob(plain), (char) => char.charCodeAt(0));
}

function refused(why: string): GatewayError {
  return new GatewayError("invalid_config", `The gateway's secret (SALLYPORT_SECRET, or secret in code) is refused: ${why}.`, {
    hint: "Make one with `openssl rand -base64 32`, or leave it out: one is made and kept.",
  });
}
