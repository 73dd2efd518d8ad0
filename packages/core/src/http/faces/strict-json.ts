import type { Json } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { fromUtf8 } from "../../util/json.js";
import { findJsonFault } from "../../util/json-checks/json-fault.js";
import { parseJson } from "./json-body.js";

/**
 * A JSON body of our own REST face, where what decides must not be read in two ways: a key that stands twice in one object is refused, and so is `__proto__`, at every depth.
 * Errors: `invalid_json`, with the place and nothing of the body; `validation_failed` for `__proto__`.
 */
export function parseStrictJson(bytes: Uint8Array): Json {
  const value = parseJson(bytes);
  const fault = findJsonFault(fromUtf8(bytes).replace(/^\ufeff/, ""));
  if (fault !== null) {
    const what = fault.what.includes("stands twice") ? "A key stands twice in one object" : "The body is nested too deeply, or is not JSON";
    throw new GatewayError("invalid_json", `${what}, at line ${fault.line}, column ${fault.column}.`, { hint: "Send each key once." });
  }
  if (namesPrototype(value))
    throw new GatewayError("validation_failed", "The body has a key __proto__, which is never accepted.", { hint: "Leave it out." });
  return value;
}

/** At most 200 levels: deeper bodies are refused before. */
function namesPrototype(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(namesPrototype);
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(namesPrototype);
}
