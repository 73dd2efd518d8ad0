import type { Headers, Json, JsonObject } from "../../calls/index.js";
import { decodeHeaderValue, encodeHeaderValue } from "./http-headers.js";

/** An argument that a tool wants mirrored in `Mcp-Param-<header>`. */
export interface ParamHeader {
  readonly path: readonly string[];
  readonly header: string;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const allowedTypes: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
/** A schema deeper than this is not searched: it declares nothing that could be mirrored. */
const MAX_DEPTH = 32;

/**
 * What a tool's input schema declares with `x-mcp-header`; null when a declaration is not allowed (a bad token, twice, on a type that has no text, or not reachable by
 * `properties` alone), for which the protocol wants the tool refused. Source: MCP 2026-07-28, Streamable HTTP, "Schema Extension".
 */
export function paramHeaders(schema: JsonObject): readonly ParamHeader[] | null {
  const found: ParamHeader[] = [];
  return visit(schema, { path: [], reachable: false, depth: 0 }, found) ? found : null;
}

interface Place {
  readonly path: readonly string[];
  readonly reachable: boolean;
  readonly depth: number;
}

function visit(node: Json, place: Place, found: ParamHeader[]): boolean {
  if (typeof node !== "object" || node === null || place.depth > MAX_DEPTH) return true;
  if (Array.isArray(node)) return node.every((item: Json) => visit(item, { ...place, reachable: false, depth: place.depth + 1 }, found));
  const schema = node as JsonObject;
  if (Object.hasOwn(schema, "x-mcp-header") && !declare(schema, place, found)) return false;
  return Object.entries(schema).every(([keyword, value]) => {
    const chained = keyword === "properties" && (place.reachable || place.path.length === 0) && isObject(value);
    if (!chained)
      return (
        dataKeywords.has(keyword) ||
        visit(value, { ...place, reachable: false, path: [...place.path, keyword], depth: place.depth + 1 }, found)
      );
    return Object.entries(value).every(([name, inner]) =>
      visit(inner, { path: [...place.path, name], reachable: true, depth: place.depth + 1 }, found),
    );
  });
}

/** Keywords whose values are data, not schemas. */
const dataKeywords: ReadonlySet<string> = new Set(["default", "const", "enum", "examples", "required", "x-mcp-header"]);

function declare(schema: JsonObject, place: Place, found: ParamHeader[]): boolean {
  const header = schema["x-mcp-header"];
  if (!place.reachable || typeof header !== "string" || !token.test(header) || !allowedTypes.has(schema["type"])) return false;
  if (found.some((other) => other.header.toLowerCase() === header.toLowerCase())) return false;
  found.push({ path: place.path, header });
  return true;
}

/** The headers for these arguments. */
export function mirror(declared: readonly ParamHeader[], args: Json): Headers {
  const headers: [string, string][] = [];
  for (const { path, header } of declared) {
    const value = asText(valueAt(args, path));
    if (value !== null) headers.push([`mcp-param-${header.toLowerCase()}`, encodeHeaderValue(value)]);
  }
  return headers;
}

/** What disagrees between a caller's headers and its arguments, in words; null when nothing does. */
export function disagreement(declared: readonly ParamHeader[], args: Json, header: (name: string) => string | undefined): string | null {
  for (const declaration of declared) {
    const value = valueAt(args, declaration.path);
    const expected = asText(value);
    if (expected === null) continue;
    const name = `Mcp-Param-${declaration.header}`;
    const sent = header(name.toLowerCase());
    if (sent === undefined) return `the body carries ${declaration.path.join(".")}, but the ${name} header is absent`;
    const decoded = decodeHeaderValue(sent);
    if (decoded === null) return `the ${name} header is not valid base64 of UTF-8`;
    const same = typeof value === "number" && /^-?\d+(\.\d+)?$/.test(decoded) ? Number(decoded) === value : decoded === expected;
    if (!same) return `the ${name} header and ${declaration.path.join(".")} of the body differ`;
  }
  return null;
}

function valueAt(root: Json, path: readonly string[]): Json | undefined {
  let node: Json | undefined = root;
  for (const key of path) {
    if (!isObject(node) || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}

function asText(value: Json | undefined): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" && (!Number.isInteger(value) || Number.isSafeInteger(value))) return String(value);
  return null;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
