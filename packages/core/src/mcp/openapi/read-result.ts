import type { Json, JsonObject } from "../../calls/index.js";
import type { HttpResponse } from "../../ports/index.js";
import { headerOf, mediaType } from "../lanes/http-headers.js";

const decoder = new TextDecoder("utf-8");

/** What an API answered as the result of a tool: its text, JSON as structured content too, pictures and sounds as what they are. From 300 on the result is an error, which its caller may read. */
export async function readResult(response: HttpResponse, maxBytes: number): Promise<JsonObject> {
  const bytes = await response.bytes(maxBytes);
  const { status } = response;
  const type = mediaType(headerOf(response.headers, "content-type"));
  const isError = status >= 300;
  const meta = { "sallyport/httpStatus": status };
  return { ...contentOf(bytes, { type, status, isError }), ...(isError ? { isError } : {}), _meta: meta };
}

interface Said {
  readonly type: string;
  readonly status: number;
  readonly isError: boolean;
}

function contentOf(bytes: Uint8Array, { type, status, isError }: Said): JsonObject {
  const says = (text: string): JsonObject => ({ type: "text", text: isError ? `HTTP ${status}: ${text}` : text });
  if (bytes.length === 0) return { content: [{ type: "text", text: `HTTP ${status}` }] };
  const [family] = type.split("/");
  if (family === "image" || family === "audio") return { content: [{ type: family, data: base64(bytes), mimeType: type }] };
  if (isJson(type)) {
    const text = decoder.decode(bytes);
    const value = parsed(text);
    if (value === undefined || isError) return { content: [says(text)] };
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return { content: [says(text)], structuredContent: isObject ? value : { result: value } };
  }
  if (isText(type)) return { content: [says(decoder.decode(bytes))] };
  const resource = { uri: "sallyport:answer", mimeType: type === "" ? "application/octet-stream" : type, blob: base64(bytes) };
  return { content: [{ type: "resource", resource }] };
}

function isJson(type: string): boolean {
  return /^application\/(?:[\w.-]+\+)?json$/.test(type);
}

function isText(type: string): boolean {
  return type === "" || type.startsWith("text/") || /^application\/(?:[\w.-]+\+)?(?:xml|yaml|javascript|x-ndjson|jsonl)$/.test(type);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const CHUNK = 32_768;
function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}
