import type { Json, JsonObject } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { camelKeys } from "../proto-json.js";

/** Limits that are 64-bit integers, which proto3 JSON writes as texts. */
const integers = new Set(["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"]);

/**
 * Google's own schema object, a subset of OpenAPI 3.0's (`responseSchema`, `parameters`), as JSON Schema: types in lower case, `nullable` as a type, limits as numbers.
 * The order of properties is that of `properties`, so that `propertyOrdering` is left out. Source: https://ai.google.dev/api/caching#Schema.
 */
export function fromOpenApi(value: unknown): JsonObject {
  const schema = camelKeys(value);
  if (!isObject(schema)) return {};
  const out: Record<string, Json> = {};
  for (const [key, given] of Object.entries(schema)) {
    if (key === "type" || key === "nullable" || key === "propertyOrdering" || key === "__proto__") continue;
    const read = readKeyword(key, given);
    if (read !== undefined) out[key] = read;
  }
  const type = typeof schema["type"] === "string" ? schema["type"].toLowerCase() : undefined;
  const named = type === undefined || type === "type_unspecified" ? undefined : type;
  return schema["nullable"] === true ? nullable(named, out) : { ...(named === undefined ? {} : { type: named }), ...out };
}

function readKeyword(key: string, value: unknown): Json | undefined {
  if (key === "properties") return isObject(value) ? mapValues(value, fromOpenApi) : undefined;
  if (key === "items" || key === "additionalProperties") return isObject(value) ? fromOpenApi(value) : (value as Json);
  if (key === "anyOf") return Array.isArray(value) ? value.map(fromOpenApi) : undefined;
  // Says only that there is an `enum`.
  if (key === "format" && value === "enum") return undefined;
  if (integers.has(key) && typeof value === "string" && /^\d+$/.test(value)) return Number(value);
  return value as Json;
}

/** What may be null beside what it is; a list of values has to name it too. */
function nullable(type: string | undefined, rest: Record<string, Json>): JsonObject {
  if (Array.isArray(rest["anyOf"])) return { ...rest, anyOf: [...rest["anyOf"], { type: "null" }] };
  const values = rest["enum"];
  const withNull = Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {};
  return { ...(type === undefined ? {} : { type: [type, "null"] }), ...rest, ...withNull };
}

export function mapValues(values: Readonly<Record<string, unknown>>, map: (value: unknown, key: string) => Json): JsonObject {
  // Not by assignment: a property may be called __proto__.
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]));
}
