import type { Headers } from "../../calls/index.js";

const decoder = new TextDecoder("utf-8", { fatal: true });
const canonicalBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const PREFIX = "=?base64?";
const SUFFIX = "?=";

/**
 * A value as the protocol writes it into `Mcp-Name` and `Mcp-Param-*`: as it is when it is plain visible ASCII, else behind the base64 sentinel.
 * Source: MCP 2026-07-28, Streamable HTTP, "Standard Request Headers".
 */
export function encodeHeaderValue(value: string): string {
  const plain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !(value.startsWith(PREFIX) && value.endsWith(SUFFIX));
  if (plain) return value;
  let binary = "";
  for (const byte of new TextEncoder().encode(value)) binary += String.fromCharCode(byte);
  return `${PREFIX}${btoa(binary)}${SUFFIX}`;
}

/** The value that a header carries; null when it has the sentinel and what is inside is not canonical base64 of UTF-8. */
export function decodeHeaderValue(header: string): string | null {
  const value = header.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
  if (!(value.startsWith(PREFIX) && value.endsWith(SUFFIX))) return value;
  const inner = value.slice(PREFIX.length, value.length - SUFFIX.length);
  if (!canonicalBase64.test(inner)) return null;
  try {
    const binary = atob(inner);
    return decoder.decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** The first header of this lower-case name. */
export function headerOf(headers: Headers, name: string): string | undefined {
  for (const [key, value] of headers) if (key === name) return value;
  return undefined;
}

/** `application/json` out of `Application/JSON; charset=utf-8`. */
export function mediaType(contentType: string | undefined): string {
  if (contentType === undefined) return "";
  const end = contentType.indexOf(";");
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
