import type { JsonObject, ToolCallPart, ToolSpec } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";

const inputSchema: JsonObject = {
  type: "object",
  properties: { input: { type: "string", description: "The whole input of the tool, as plain text." } },
  required: ["input"],
  additionalProperties: false,
};

/** A tool that takes text as a function whose only argument is that text. What the text has to follow cannot bind the model any more, and is told to it. */
export function asFunction({ input: _input, grammar, ...spec }: ToolSpec): ToolSpec {
  if (grammar === undefined) return { ...spec, inputSchema };
  const rule = `Its input has to follow this grammar (${grammar.syntax}):\n${grammar.definition}`;
  return { ...spec, inputSchema, description: spec.description === undefined ? rule : `${spec.description}\n\n${rule}` };
}

/** A call of such a tool, of a turn before. */
export function asFunctionCall({ input: _input, ...call }: ToolCallPart): ToolCallPart {
  return { ...call, arguments: JSON.stringify({ input: call.arguments }) };
}

/** The text in the arguments of such a function. Whatever else a model wrote is the tool's to complain of, and given to it as it stands. */
export function textInput(argumentsText: string): string {
  try {
    const value = JSON.parse(argumentsText) as unknown;
    if (typeof value === "string") return value;
    if (isObject(value)) {
      const texts = Object.values(value);
      const said = Object.hasOwn(value, "input") ? value["input"] : texts.length === 1 ? texts[0] : undefined;
      if (typeof said === "string") return said;
    }
  } catch {
    // Not JSON: the model wrote the text itself.
  }
  return argumentsText;
}
