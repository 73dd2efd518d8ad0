import type { Json, JsonObject } from "../../calls/index.js";
import { canonicalJson } from "../../util/payload-hash.js";
import { isObject, mergeAt } from "./json-path.js";
import { contentOf, firstText, jsonOf } from "./result-value.js";
import type { RulesOutcome } from "./run-rules.js";

/**
 * A tool's result with what rules added. The value goes to `structuredContent`, and in the place of the block of text that says the same, which models read; where no block does, what was added is a block of its own, and so is each
 * warning. A tool whose `outputSchema` does not surely allow it keeps its structured content as it is: its clients would refuse the whole result.
 */
export function enrichedResult(raw: JsonObject, outcome: RulesOutcome, outputSchema: Json | undefined): JsonObject {
  const { response, added, warnings } = outcome;
  if (added.length === 0 && warnings.length === 0) return raw;
  const structured = raw["structuredContent"] as Json | undefined;
  const fits = outputSchema === undefined || outcome.added.every(({ path }) => allows(outputSchema, structured, path));
  const content = [...contentOf(raw)];
  const said = firstText(raw);
  const sameText = said !== null && saysTheSame(said.text, structured);
  if (added.length > 0) {
    if (fits && sameText) content[said.index] = { ...(content[said.index] as JsonObject), text: JSON.stringify(response) };
    else
      content.push({
        type: "text",
        text: JSON.stringify(added.reduce<JsonObject>((all, { path, value }) => mergeAt(all, path, value), {})),
      });
  }
  for (const warning of warnings) content.push({ type: "text", text: `warning: ${warning}` });
  return { ...raw, content, ...(fits && added.length > 0 ? { structuredContent: response } : {}) };
}

/** Whether a text is what the result's value was read from, or says it once more. */
function saysTheSame(text: string, structured: Json | undefined): boolean {
  const value = jsonOf(text);
  if (value === undefined) return false;
  return structured === undefined ? isObject(value) : canonicalJson(value) === canonicalJson(structured);
}

const UNSURE = [
  "$ref",
  "$dynamicRef",
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "patternProperties",
  "propertyNames",
  "maxProperties",
  "enum",
  "const",
];

/** Whether a schema certainly takes one more member where the path begins. */
function allows(schema: Json, structured: Json | undefined, path: string): boolean {
  if (!isObject(schema) || !isObject(structured)) return false;
  if (UNSURE.some((key) => Object.hasOwn(schema, key))) return false;
  const open = (key: string): boolean => schema[key] === undefined || schema[key] === true;
  if (!open("additionalProperties") || !open("unevaluatedProperties")) return false;
  const { properties } = schema;
  return properties === undefined || (isObject(properties as Json) && !Object.hasOwn(properties as JsonObject, path.split(".")[0]!));
}
