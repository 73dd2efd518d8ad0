import { GatewayError } from "../../errors/index.js";
import { JsonScanner } from "../json-scanner.js";
import { isObject, parseJson } from "../json.js";

/**
 * A caller's body as a value, for those who read its content. Two parsers may disagree about an object that says one key twice, and then a guardrail would
 * judge another text than the one the vendor reads; so a key that stands twice, at any depth, is refused.
 * Errors: `invalid_json`; `validation_failed` for a duplicate key or when it is no object.
 */
export function parseCallerJson(bytes: Uint8Array): Record<string, unknown> {
  const scanner = new JsonScanner(bytes);
  scanner.skip();
  scanner.finish();
  const value = parseJson(bytes);
  if (!isObject(value)) throw new GatewayError("validation_failed", "The body is not a JSON object.", { hint: "Send one JSON object." });
  // A parser keeps one member of a name, so every duplicate makes the tree poorer by a key than the text.
  if (countKeys(value) !== scanner.keys)
    throw new GatewayError("validation_failed", "The body says the same key twice in one object.", {
      hint: "Name each key of an object once.",
    });
  return value;
}

/** Recursion is bounded: the scan before it refuses deep nesting. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const element of value) count += countKeys(element);
  else
    for (const key of Object.keys(value)) {
      count++;
      count += countKeys((value as Record<string, unknown>)[key]);
    }
  return count;
}
