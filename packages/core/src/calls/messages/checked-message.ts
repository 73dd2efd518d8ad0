import { GatewayError } from "../../errors/index.js";
import type { Message } from "../model-call.js";

const roles = new Set(["system", "developer", "user", "assistant", "tool"]);
const partsOf: Readonly<Record<string, readonly string[]>> = {
  system: ["text"],
  developer: ["text"],
  user: ["text", "media"],
  assistant: ["text", "reasoning", "refusal", "tool-call", "media"],
  tool: ["tool-result"],
};

/**
 * A message as somebody gave it: looks at what the codecs rely on, roles, kinds of parts, and that texts are texts. A content that is one text may say just that. `place` is named in errors.
 * Errors: `validation_failed`.
 */
export function checkedMessage(message: unknown, place: string): Message {
  if (!isObject(message) || typeof message["role"] !== "string" || !roles.has(message["role"]))
    throw invalid(`${place}.role`, `one of ${[...roles].join(", ")} is expected.`);
  const allowed = partsOf[message["role"]] ?? [];
  const content = message["content"];
  if (typeof content === "string" && allowed.includes("text"))
    return { ...message, content: [{ type: "text", text: content }] } as unknown as Message;
  if (!Array.isArray(content)) throw invalid(`${place}.content`, "a list of parts is expected, or a text.");
  content.forEach((part: unknown, i) => {
    const at = `${place}.content[${i}]`;
    if (!isObject(part) || typeof part["type"] !== "string" || !allowed.includes(part["type"]))
      throw invalid(`${at}.type`, `one of ${allowed.join(", ")} is expected.`);
    for (const field of textFields[part["type"]] ?? [])
      if (typeof part[field] !== "string") throw invalid(`${at}.${field}`, "a text is expected.");
    if (part["type"] === "tool-result" && !Array.isArray(part["content"])) throw invalid(`${at}.content`, "a list of parts is expected.");
    if (part["type"] === "media" && !isObject(part["source"])) throw invalid(`${at}.source`, "an object is expected.");
  });
  return message as unknown as Message;
}
const textFields: Readonly<Record<string, readonly string[]>> = {
  text: ["text"],
  reasoning: ["text"],
  refusal: ["text"],
  media: ["mediaType"],
  "tool-call": ["id", "name", "arguments"],
  "tool-result": ["callId"],
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function invalid(field: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${what}`, { details: { field } });
}
