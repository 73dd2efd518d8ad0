import type { Json, JsonObject } from "../../calls/index.js";
import type { References } from "./references.js";

const MAX_DEPTH = 64;
const MAX_NODES = 10_000;

/** A schema that is larger or deeper than any client could use. */
export class SchemaTooLarge extends Error {}

/** How much one tool's schema may still hold: what a document refers to often is written out each time. */
export interface SchemaBudget {
  nodes: number;
  readonly references: References;
  /** References that are being written out: one of them again would go round in circles. */
  readonly open: Set<string>;
}
export function schemaBudget(references: References): SchemaBudget {
  return { nodes: MAX_NODES, references, open: new Set() };
}

/**
 * A schema of OpenAPI 3.0 or 3.1 as one of JSON Schema 2020-12 that refers to nothing: `nullable` becomes a type, what only the server sets is left out, references that go round in circles become
 * "anything". Throws SchemaTooLarge past 64 levels or the budget (T18).
 */
export function copySchema(schema: unknown, budget: SchemaBudget, depth = 0): JsonObject {
  if (depth > MAX_DEPTH || --budget.nodes < 0) throw new SchemaTooLarge();
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return {};
  const source = schema as JsonObject;
  const { $ref } = source as { readonly $ref?: unknown };
  if (typeof $ref === "string") return referred($ref, source, { budget, depth });
  const copied: Record<string, Json> = {};
  for (const [key, value] of Object.entries(source)) {
    if (dropped.has(key)) continue;
    if (mapsOfSchemas.has(key)) copied[key] = copyMap(value, budget, depth);
    else if (listsOfSchemas.has(key)) copied[key] = copyList(value, budget, depth);
    else if (schemas.has(key)) copied[key] = typeof value === "boolean" ? value : copySchema(value, budget, depth + 1);
    else copied[key] = copyValue(value, budget, depth);
  }
  return modern(source, withoutServerFields(copied));
}

const mapsOfSchemas: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs", "dependentSchemas"]);
const listsOfSchemas: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const schemas: ReadonlySet<string> = new Set([
  ...["items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"],
  ...["unevaluatedProperties", "unevaluatedItems"],
]);
/** Of OpenAPI alone, or of no use here. */
const dropped: ReadonlySet<string> = new Set(["nullable", "xml", "externalDocs", "discriminator", "example", "$id", "$anchor", "$schema"]);

/** What it refers to, with the description that stands beside it. */
function referred(
  reference: string,
  source: JsonObject,
  { budget, depth }: { readonly budget: SchemaBudget; readonly depth: number },
): JsonObject {
  if (budget.open.has(reference)) return about(source);
  budget.open.add(reference);
  try {
    return { ...copySchema(budget.references.at(reference), budget, depth + 1), ...about(source) };
  } finally {
    budget.open.delete(reference);
  }
}

function about(source: JsonObject): JsonObject {
  return typeof source["description"] === "string" ? { description: source["description"] } : {};
}

function copyMap(value: unknown, budget: SchemaBudget, depth: number): JsonObject {
  if (typeof value !== "object" || value === null) return {};
  // Own keys such as __proto__ stay keys.
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copySchema(inner, budget, depth + 1)]));
}

function copyList(value: unknown, budget: SchemaBudget, depth: number): Json {
  return Array.isArray(value) ? value.map((inner) => copySchema(inner, budget, depth + 1)) : [];
}

function copyValue(value: Json | undefined, budget: SchemaBudget, depth: number): Json {
  if (depth > MAX_DEPTH || --budget.nodes < 0) throw new SchemaTooLarge();
  if (Array.isArray(value)) return value.map((inner) => copyValue(inner, budget, depth + 1));
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyValue(inner, budget, depth + 1)]));
}

function withoutServerFields(copied: JsonObject): JsonObject {
  const properties = copied["properties"];
  if (typeof properties !== "object" || properties === null) return copied;
  const hidden = Object.entries(properties).flatMap(([name, one]) => (isReadOnly(one) ? [name] : []));
  if (hidden.length === 0) return copied;
  const kept = Object.fromEntries(Object.entries(copied["properties"] as JsonObject).filter(([name]) => !hidden.includes(name)));
  const required = copied["required"];
  return {
    ...copied,
    properties: kept,
    ...(Array.isArray(required) ? { required: required.filter((name) => !hidden.includes(name as string)) } : {}),
  };
}

function isReadOnly(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && (schema as JsonObject)["readOnly"] === true;
}

/** What 3.0 says otherwise than JSON Schema does. */
function modern(source: JsonObject, copied: JsonObject): JsonObject {
  const changed: Record<string, Json> = { ...copied };
  for (const [flag, bound] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    const isExclusive = changed[flag];
    if (typeof isExclusive !== "boolean") continue;
    delete changed[flag];
    if (!isExclusive || changed[bound] === undefined) continue;
    changed[flag] = changed[bound];
    delete changed[bound];
  }
  const { type } = changed;
  if (source["nullable"] === true && typeof type === "string") {
    changed["type"] = [type, "null"];
    if (Array.isArray(changed["enum"]) && !changed["enum"].includes(null)) changed["enum"] = [...changed["enum"], null];
  }
  return changed;
}
