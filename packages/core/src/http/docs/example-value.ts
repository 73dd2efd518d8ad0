import type { JsonObject } from "../../routes/index.js";

const DEEPEST = 4;

/** A value that a schema of the document accepts, for an example: what has to be there and nothing else. */
export function exampleValue(schema: JsonObject, components: JsonObject, depth = 0): unknown {
  const { $ref, enum: choices, const: only, anyOf, oneOf, type } = schema as Record<string, never>;
  if (typeof $ref === "string") {
    const named = components[($ref as string).split("/").at(-1) ?? ""];
    return depth > DEEPEST || named === undefined ? null : exampleValue(named as JsonObject, components, depth + 1);
  }
  if (only !== undefined) return only;
  if (schema["default"] !== undefined) return schema["default"];
  if (Array.isArray(choices)) return (choices as unknown[])[0];
  const options = (anyOf ?? oneOf) as readonly JsonObject[] | undefined;
  if (options !== undefined && options.length > 0) return exampleValue(options[0]!, components, depth + 1);
  switch ((Array.isArray(type) ? (type as unknown[])[0] : type) as string | undefined) {
    case "object":
      return exampleObject(schema, components, depth);
    case "array":
      return depth > DEEPEST || schema["items"] === undefined ? [] : [exampleValue(schema["items"] as JsonObject, components, depth + 1)];
    case "integer":
    case "number":
      return typeof schema["minimum"] === "number" && schema["minimum"] > 0 ? schema["minimum"] : 1;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "…";
  }
}

function exampleObject(schema: JsonObject, components: JsonObject, depth: number): unknown {
  if (depth > DEEPEST) return {};
  const properties = (schema["properties"] ?? {}) as Record<string, JsonObject>;
  const required = (schema["required"] ?? []) as string[];
  // What has a default may be left out of an example as well.
  const shown = required.filter((name) => properties[name]?.["default"] === undefined);
  return Object.fromEntries(shown.map((name) => [name, exampleValue(properties[name] ?? {}, components, depth + 1)]));
}
