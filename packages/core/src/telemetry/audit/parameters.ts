import type { CallHead } from "../../calls/index.js";
import type { OpenCall } from "../../policy/step.js";
import type { Services } from "../../seams/index.js";
import { cutText, toWellFormedJson } from "../../util/well-formed.js";

/** JSON of more characters than this is kept as the text of its beginning. */
const MAX_CHARACTERS = 16_384;
const MASK = "***";

/**
 * What the audit keeps of a tool call's arguments, when `audit.parameters` is `redacted`: without known secrets, without the values of names that sound like one or are listed in
 * `audit.redactKeys`, cut to 16 KB. null for a model call, whose prompt is content, and for arguments that cannot be read.
 */
export function auditedParameters(redactor: Services["redactor"]): (call: OpenCall<CallHead>) => unknown {
  return (call) => {
    const { parameters, redactKeys } = call.snapshot.config.audit;
    if (parameters === "none" || call.head.kind !== "tool") return null;
    const content = call.content();
    if (content.kind !== "tool") return null;
    try {
      const value = redactor.redactJson(JSON.parse(content.arguments));
      const kept = toWellFormedJson(withoutKeys(value, new Set(redactKeys.map((key) => key.toLowerCase()))));
      const text = JSON.stringify(kept);
      return text.length <= MAX_CHARACTERS ? kept : { truncated: true, text: cutText(text, MAX_CHARACTERS) };
    } catch {
      // No JSON, or nested too deeply: the call is told of without them.
      return null;
    }
  };
}

function withoutKeys(value: unknown, keys: ReadonlySet<string>): unknown {
  if (keys.size === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutKeys(item, keys));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, keys.has(name.toLowerCase()) && item !== null ? MASK : withoutKeys(item, keys)]),
  );
}
