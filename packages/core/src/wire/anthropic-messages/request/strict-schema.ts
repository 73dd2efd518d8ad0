import type { Json, JsonObject } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";

/**
 * Keywords that the vendor refuses in a schema that it enforces. Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 * and what its SDK's `transformJSONSchema` leaves out.
 */
const refused = new Set([
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "maxItems",
  "uniqueItems",
  "contains",
  "minContains",
  "maxContains",
  "minProperties",
  "maxProperties",
  "propertyNames",
  "patternProperties",
  "unevaluatedProperties",
]);
const formats = new Set(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]);
const listed = ["anyOf", "allOf", "prefixItems"];
const named = ["properties", "$defs", "definitions"];

/**
 * A schema as the vendor can hold its model to: objects are closed, `oneOf` is `anyOf`, and limits that it does not know are told to the model in the description. Each
 * change is reported. The schema itself when there is none.
 */
export function strictSchema(schema: JsonObject, report: (what: string) => void): JsonObject {
  return strict(schema, "#", report);
}

function strict(schema: JsonObject, path: string, report: (what: string) => void): JsonObject {
  const out: Record<string, Json> = {};
  const told: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (isRefused(key, value)) {
      told.push(`${key}: ${JSON.stringify(value)}`);
      report(`has "${key}" at ${path}, which the vendor does not enforce: it was told to the model in words`);
    } else if (key === "oneOf") {
      report(`has "oneOf" at ${path}, sent as "anyOf"`);
      out["anyOf"] = inner("anyOf", value, { path, report });
    } else out[key] = inner(key, value, { path, report });
  }
  if (isOpen(schema)) {
    out["additionalProperties"] = false;
    report(`lets other properties in at ${path}, which the vendor wants closed`);
  }
  if (told.length > 0) {
    const description = typeof out["description"] === "string" ? `${out["description"]}\n\n` : "";
    out["description"] = `${description}{${told.join(", ")}}`;
  }
  return out;
}

function inner(key: string, value: Json, o: { readonly path: string; readonly report: (what: string) => void }): Json {
  const at = `${o.path}/${key}`;
  if (listed.includes(key) && Array.isArray(value))
    return (value as readonly Json[]).map((one, i) => (isSchema(one) ? strict(one, `${at}/${i}`, o.report) : one));
  if (named.includes(key) && isSchema(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, isSchema(one) ? strict(one, `${at}/${name}`, o.report) : one]),
    );
  return key === "items" && isSchema(value) ? strict(value, at, o.report) : value;
}

function isRefused(key: string, value: Json): boolean {
  if (key === "format") return typeof value !== "string" || !formats.has(value);
  if (key === "minItems") return value !== 0 && value !== 1;
  return refused.has(key);
}

function isOpen(schema: JsonObject): boolean {
  const { type } = schema;
  const isObjectType = type === "object" || (Array.isArray(type) && type.includes("object")) || schema["properties"] !== undefined;
  return isObjectType && schema["additionalProperties"] !== false;
}

function isSchema(value: Json): value is JsonObject {
  return isObject(value);
}
