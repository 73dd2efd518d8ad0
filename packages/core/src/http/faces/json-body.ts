import type { Inbound, Json } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";

/** A text is what `fetch` calls a body that says nothing of itself. That no page of another site sends one is seen to by the Origin check. */
const jsonType = /^application\/(?:[\w.+-]+\+)?json$|^text\/(?:json|plain)$|^$/;
/** Deeper JSON than this is nobody's request; it would exhaust the stack of whoever walks it. */
const MAX_DEPTH = 200;

/**
 * The bytes of a JSON body; whether they are JSON is for the reader to find out. Accepted: `application/json`, `application/*+json`, `text/json`, `text/plain`, or no type at all, in UTF-8.
 * A compressed body is refused, not inflated: its size would be decided by its sender, and what looks at requests would have to look twice.
 * Errors: `unsupported_media_type`, `payload_too_large`, `cancelled`.
 */
export function readJsonBytes(inbound: Inbound, maxBytes: number): Promise<Uint8Array> {
  checkEncoding(inbound.header("content-encoding"));
  const type = inbound.header("content-type");
  if (type !== undefined && type !== "application/json") checkType(type);
  checkLength(inbound.header("content-length"), maxBytes);
  return inbound.body(maxBytes);
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding === undefined || encoding === "" || encoding.toLowerCase() === "identity") return;
  throw new GatewayError("unsupported_media_type", "Compressed request bodies are not accepted.", {
    hint: "Send the body without Content-Encoding.",
  });
}

function checkType(type: string): void {
  const [media = "", ...parameters] = type.toLowerCase().split(";");
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith("charset="));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (jsonType.test(media.trim()) && isUtf8) return;
  throw new GatewayError("unsupported_media_type", "The body has to be JSON in UTF-8.", {
    hint: "Send Content-Type: application/json (curl -d alone does not).",
  });
}

function checkLength(length: string | undefined, maxBytes: number): void {
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
}

/** For every reader of a body that counts as it reads. */
export function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("payload_too_large", `The body is larger than ${maxBytes} bytes.`, {
    hint: "Send less, or have server.maxBodyBytes raised.",
    details: { max_bytes: maxBytes },
  });
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Errors: `invalid_json`, also for bytes that are not UTF-8 and for nesting deeper than 200. The message never shows the body. */
export function parseJson(bytes: Uint8Array): Json {
  if (isTooDeep(bytes)) throw new GatewayError("invalid_json", `The body is nested deeper than ${MAX_DEPTH} levels.`);
  try {
    return JSON.parse(decoder.decode(bytes)) as Json;
  } catch (error) {
    const at = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    const where = at === undefined ? "" : ` It breaks off being JSON at character ${at}.`;
    throw new GatewayError("invalid_json", `The body is not valid JSON.${where}`, { hint: "Send one JSON object, in UTF-8." });
  }
}

/** Counts brackets outside strings; wrong only for what is not JSON anyway. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}
