import type { Json, JsonObject } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { mergeAllOf } from "./merge-all-of.js";

type Warn = (field: string, what: string) => void;
type Schema = Readonly<Record<string, unknown>>;

/**
 * The keywords that Google reads in `responseJsonSchema` and `parametersJsonSchema`; of any other it says "Unknown name".
 * Source: the documentation of both fields in the vendor's SDK (GenerateContentConfig.responseJsonSchema).
 */
const kept = new Set([
  "$id",
  "$anchor",
  "type",
  "title",
  "description",
  "minItems",
  "maxItems",
  "minimum",
  "maximum",
  "required",
  "propertyOrdering",
]);
const formats = new Set(["date-time", "date", "time", "int32", "int64", "float", "double"]);
/** They say nothing to a model. */
const silent = new Set(["$schema", "$comment"]);
/** Handled together with other keywords. */
const elsewhere = new Set(["const", "enum", "nullable", "exclusiveMinimum", "exclusiveMaximum", "allOf"]);

/**
 * A JSON Schema in the part of it that Google knows. What has another form there is put into it, what has none is left out; each is told to `warn` with its place.
 * References and recursion stay, which Google follows in properties that are not required.
 */
export function toGoogleSchema(schema: unknown, field: string, warn: Warn): JsonObject {
  if (!isObject(schema)) return {};
  const given = typeof schema["$ref"] === "string" ? aloneWithReference(schema, field, warn) : mergeAllOf(schema, field, warn);
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(given)) {
    if (kept.has(key)) out[key] = value as Json;
    else if (!silent.has(key) && !elsewhere.has(key)) addKeyword(out, { key, value, field, warn });
  }
  addLimits(out, given, { field, warn });
  addValues(out, given, { field, warn });
  if (given["nullable"] === true) addNull(out);
  return out;
}

/** Where a schema stands, and who is told of what is changed there. */
interface Place {
  readonly field: string;
  readonly warn: Warn;
}
interface Keyword extends Place {
  readonly key: string;
  readonly value: unknown;
}

function addKeyword(out: Record<string, Json>, { key, value, field, warn }: Keyword): void {
  const below = (of: unknown, name: string): Json => (typeof of === "boolean" ? {} : toGoogleSchema(of, `${field}.${name}`, warn));
  switch (key) {
    case "$ref":
      out[key] = (value as string).replace(/^#\/definitions\//, "#/$defs/");
      return;
    case "$defs":
    case "definitions":
      out["$defs"] = { ...(out["$defs"] as JsonObject | undefined), ...schemas(value, (of, name) => below(of, `$defs.${name}`)) };
      return;
    case "properties":
      out[key] = schemas(value, (of, name) => below(of, `properties.${name}`));
      return;
    case "items":
      // A list was how older editions wrote `prefixItems`.
      if (Array.isArray(value)) out["prefixItems"] = value.map((of, i) => below(of, `items[${i}]`));
      else out[key] = below(value, key);
      return;
    case "prefixItems":
    case "anyOf":
    case "oneOf":
      out[key] = Array.isArray(value) ? value.map((of, i) => below(of, `${key}[${i}]`)) : [];
      return;
    case "additionalProperties":
      out[key] = typeof value === "boolean" ? value : below(value, key);
      return;
    case "format":
      if (formats.has(String(value))) out[key] = value as Json;
      else warn(`${field}.format`, `"${String(value).slice(0, 40)}" was left out: Google does not know it`);
      return;
    default:
      warn(`${field}.${key}`, "was left out: Google does not know it");
  }
}

function schemas(value: unknown, map: (of: unknown, name: string) => Json): JsonObject {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, of]) => [name, map(of, name)])) : {};
}

/** Beside a reference Google takes nothing but what begins with `$`. */
function aloneWithReference(schema: Schema, field: string, warn: Warn): Schema {
  const others = Object.keys(schema).filter((key) => !key.startsWith("$") && key !== "definitions");
  for (const key of others) warn(`${field}.${key}`, "was left out: Google takes nothing beside a $ref");
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !others.includes(key)));
}

/** Google's limits are inclusive: exact for whole numbers, a hair too wide for others. */
function addLimits(out: Record<string, Json>, schema: Schema, { field, warn }: Place): void {
  for (const [exclusive, inclusive, step] of [
    ["exclusiveMinimum", "minimum", 1],
    ["exclusiveMaximum", "maximum", -1],
  ] as const) {
    const given = schema[exclusive];
    if (given === undefined || given === false) continue;
    // OpenAPI's older edition says `true` beside the limit itself.
    const bound = typeof given === "number" ? given : schema[inclusive];
    if (typeof bound !== "number") warn(`${field}.${exclusive}`, "was left out: it is no limit");
    else {
      const isWhole = schema["type"] === "integer" && Number.isInteger(bound);
      const now = isWhole ? bound + step : bound;
      const before = out[inclusive];
      const stands = typeof before === "number" && typeof given === "number" && (step > 0 ? before > now : before < now);
      if (!stands) out[inclusive] = now;
      warn(`${field}.${exclusive}`, `was sent as ${inclusive} ${String(out[inclusive])}`);
    }
  }
}

/** `enum` of texts and numbers is known; null among them becomes a type, and true or false a boolean of either value. */
function addValues(out: Record<string, Json>, schema: Schema, { field, warn }: Place): void {
  const key = Object.hasOwn(schema, "const") ? "const" : "enum";
  const given = key === "const" ? [schema["const"]] : schema["enum"];
  if (!Array.isArray(given)) return;
  const plain = given.filter((value): value is string | number => typeof value === "string" || typeof value === "number");
  const others = given.filter((value) => value !== null && typeof value !== "string" && typeof value !== "number");
  if (plain.length > 0) out["enum"] = plain;
  if (plain.length > 0 && out["type"] === undefined) out["type"] = typesOf(plain);
  if (key === "const" && plain.length > 0) warn(`${field}.const`, "was sent as an enum of one value");
  if (others.length > 0) {
    if (others.every((value) => typeof value === "boolean") && plain.length === 0) out["type"] ??= "boolean";
    warn(`${field}.${key}`, "has values that are neither text nor number, to which Google does not hold the model");
  }
  if (!given.includes(null)) return;
  if (given.length === 1) out["type"] = "null";
  else addNull(out);
}

function typesOf(values: readonly (string | number)[]): Json {
  const types = [...new Set(values.map((value) => (typeof value === "string" ? "string" : "number")))];
  return types.length === 1 ? (types[0] as string) : types;
}

/** May also be null. A list of values is kept for the other case. */
function addNull(out: Record<string, Json>): void {
  const { type } = out;
  const listed = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (Array.isArray(out["anyOf"])) {
    if (!out["anyOf"].some((of) => isObject(of) && of["type"] === "null")) out["anyOf"] = [...out["anyOf"], { type: "null" }];
  } else if (out["enum"] !== undefined) {
    const { enum: values, ...rest } = out;
    const other = listed.filter((name) => name !== "null");
    for (const key of Object.keys(out)) delete out[key];
    const { title, description, type: _type, ...limits } = rest;
    const some = {
      ...(other.length === 0 ? {} : { type: other.length === 1 ? (other[0] as Json) : other }),
      ...limits,
      enum: values as Json,
    };
    if (title !== undefined) out["title"] = title;
    if (description !== undefined) out["description"] = description;
    out["anyOf"] = [some, { type: "null" }];
  } else if (listed.length > 0 && !listed.includes("null")) out["type"] = [...listed, "null"];
}
