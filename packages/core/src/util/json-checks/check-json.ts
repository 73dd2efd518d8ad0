import { GatewayError } from "../../errors/index.js";
import { isWellFormed } from "../well-formed.js";

const encoder = new TextEncoder();

export interface CheckJsonOptions {
  /** What is checked, for the message: "payload". */
  readonly what: string;
  /** Of its JSON text. */
  readonly maxBytes: number;
}

/**
 * Holds that a value is JSON and comes back from a store as it is: null, booleans, finite numbers, strings, arrays and plain objects of them, without cycles. Properties that
 * are undefined are left out, as JSON does. Texts and names are well-formed Unicode. Errors: `validation_failed` naming the place, `payload_too_large`.
 */
export function checkJson(value: unknown, o: CheckJsonOptions): void {
  let text: string;
  try {
    const problem = problemOf(value);
    if (problem !== null)
      throw new GatewayError("validation_failed", `${o.what}${problem.at} ${problem.what}.`, {
        hint: problem.hint,
        details: { field: o.what },
      });
    text = JSON.stringify(value);
  } catch (error) {
    if (GatewayError.is(error)) throw error;
    throw new GatewayError("validation_failed", `The ${o.what} refers to itself, or is nested too deeply.`, {
      hint: "Send a plain value without cycles.",
      cause: error,
    });
  }
  // A UTF-16 unit is at most three bytes: most values need no second look.
  if (text.length * 3 > o.maxBytes && encoder.encode(text).length > o.maxBytes)
    throw new GatewayError("payload_too_large", `The ${o.what} has more than ${o.maxBytes} bytes of JSON.`, {
      hint: "Keep the content elsewhere and pass a reference to it.",
      details: { maxBytes: o.maxBytes },
    });
}

interface Problem {
  /** The path below the value. */
  readonly at: string;
  readonly what: string;
  readonly hint: string;
}
const notJson: Problem = {
  at: "",
  what: "is not JSON",
  hint: "Use null, booleans, finite numbers, strings, arrays and plain objects; turn dates and big numbers into strings.",
};
const halfPair: Problem = {
  at: "",
  what: "holds half a surrogate pair, which is no text",
  hint: "The text was cut inside a character: cut it elsewhere, or use toWellFormed().",
};

/** The first part that is not JSON, or no text; null when there is none. A cycle overflows the stack, which the caller tells. */
function problemOf(value: unknown): Problem | null {
  switch (typeof value) {
    case "string":
      return isWellFormed(value) ? null : halfPair;
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : notJson;
    case "object":
      break;
    default:
      return notJson;
  }
  if (value === null) return null;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const problem = problemOf(value[i]);
      if (problem !== null) return { ...problem, at: `[${i}]${problem.at}` };
    }
    return null;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || typeof (value as { toJSON?: unknown }).toJSON === "function")
    return notJson;
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === undefined) continue;
    if (!isWellFormed(key)) return halfPair; // not to be told in a message
    const problem = problemOf(inner);
    if (problem !== null) return { ...problem, at: `.${key}${problem.at}` };
  }
  return null;
}
