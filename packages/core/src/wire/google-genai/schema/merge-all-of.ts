import { isObject } from "../../../util/json.js";

type Warn = (field: string, what: string) => void;
type Schema = Readonly<Record<string, unknown>>;

/**
 * `allOf`, which Google does not know, put into the schema that it stands in: properties and required names together, of any other keyword that several say the first.
 * What cannot be put together (a reference among several, a keyword that two say differently) is told to `warn`.
 */
export function mergeAllOf(schema: Schema, field: string, warn: Warn): Schema {
  const { allOf, ...rest } = schema;
  if (!Array.isArray(allOf)) return schema;
  const [only] = allOf as unknown[];
  if (allOf.length === 1 && isObject(only) && Object.keys(rest).length === 0)
    return only["allOf"] === undefined ? only : mergeAllOf(only, field, warn);
  const merged: Record<string, unknown> = { ...rest };
  allOf.forEach((part: unknown, i) => {
    if (!isObject(part)) return;
    const flat = mergeAllOf(part, `${field}.allOf[${i}]`, warn);
    for (const [key, value] of Object.entries(flat)) mergeKeyword(merged, { key, value, place: `${field}.allOf[${i}].${key}`, warn });
  });
  warn(`${field}.allOf`, "was put into the schema that it stands in");
  return merged;
}

function mergeKeyword(merged: Record<string, unknown>, given: { key: string; value: unknown; place: string; warn: Warn }): void {
  const { key, value, place, warn } = given;
  const before = merged[key];
  if (key === "$ref") warn(place, "was left out: Google takes a $ref alone");
  else if (before === undefined) merged[key] = value;
  else if (key === "properties" && isObject(before) && isObject(value)) merged[key] = { ...value, ...before };
  else if (key === "required" && Array.isArray(before) && Array.isArray(value)) merged[key] = [...new Set([...before, ...value])];
  else if (JSON.stringify(before) !== JSON.stringify(value)) warn(place, "was left out beside another value of it");
}
