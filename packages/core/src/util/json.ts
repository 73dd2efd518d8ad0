import { GatewayError } from "../errors/index.js";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes of a text. A lone surrogate becomes U+FFFD, as UTF-8 has no form for it: text that may hold one goes through `JSON.stringify` first, which escapes it. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes. Errors: `invalid_json` when they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw new GatewayError("invalid_json", "The text is not valid UTF-8.", { hint: "Send JSON encoded as UTF-8." });
  }
}

/** The value of JSON bytes. An own `__proto__` key stays an ordinary property. Errors: `invalid_json`, with nothing of the text in it. */
export function parseJson(bytes: Uint8Array): unknown {
  return parseJsonText(fromUtf8(bytes));
}

/** The same for text. Errors: `invalid_json`. */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The engine's own message quotes the text, which may be a prompt.
    throw new GatewayError("invalid_json", "The text is not valid JSON.", { hint: "Send one JSON value, complete, encoded as UTF-8." });
  }
}

/** A JSON object: neither null nor a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
