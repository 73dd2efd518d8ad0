import { isObject } from "../../util/json.js";
import { Fields, invalid } from "../shared/fields.js";

/**
 * Google's JSON is that of protocol buffers: each field is known by two names, `inlineData` and `inline_data`, and its own examples use both. An object with the first
 * kind of names; what lies deeper, and what people name themselves (arguments, schemas, labels), is not touched.
 * Source: https://protobuf.dev/programming-guides/json/ (Field names). Errors: `validation_failed` when a field stands under both.
 */
export function camelKeys(value: unknown, path = ""): unknown {
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  if (!keys.some((key) => key.includes("_"))) return value;
  const camel = keys.map((key) => [camelName(key), value[key]] as const);
  const names = new Set<string>();
  for (const [name] of camel) {
    if (names.has(name)) throw invalid(path === "" ? name : `${path}.${name}`, "stands twice, under both of its names");
    names.add(name);
  }
  return Object.fromEntries(camel);
}

function camelName(key: string): string {
  return /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/.test(key) ? key.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase()) : key;
}

/** The fields of a caller's object, under either of their names. */
export function googleFields(value: unknown, path = ""): Fields {
  return new Fields(camelKeys(value, path), path);
}

/** An object that is a field of another; undefined when it was not said. */
export function fieldsOf(of: Fields, key: string): Fields | undefined {
  const value = of.optionalObject(key);
  return value === undefined ? undefined : googleFields(value, of.path(key));
}
