import type { Json, JsonObject } from "../../calls/index.js";
import { isObject } from "./json-path.js";

/** What a tool's result says: its structured content, else its first text, as JSON where it is some. A result without either is null. */
export function valueOf(raw: JsonObject): Json {
  const structured = raw["structuredContent"];
  if (structured !== undefined) return structured as Json;
  const block = firstText(raw);
  return block === null ? null : (jsonOf(block.text) ?? block.text);
}

export interface TextBlock {
  readonly index: number;
  readonly text: string;
}

/** The first block of text; null: there is none. */
export function firstText(raw: JsonObject): TextBlock | null {
  for (const [index, block] of contentOf(raw).entries())
    if (isObject(block) && block["type"] === "text" && typeof block["text"] === "string") return { index, text: block["text"] };
  return null;
}

export function contentOf(raw: JsonObject): readonly Json[] {
  return Array.isArray(raw["content"]) ? (raw["content"] as readonly Json[]) : [];
}

/** undefined: it is no JSON. */
export function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
