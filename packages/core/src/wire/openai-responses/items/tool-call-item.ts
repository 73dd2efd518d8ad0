import type { ToolCallPart } from "../../../calls/index.js";
import { asExtras, ownExtras, saidFields, textOf, type Json } from "../extras.js";

export const callTypes = new Set<unknown>(["function_call", "custom_tool_call"]);

/**
 * A call of a function, or of a custom tool, which takes text. The item has two ids: `call_id`, by which the result finds the call, is ours; its own rides in
 * `extras`. A function called without arguments is called with none.
 */
export function decodeToolCall(item: Json, id: string): ToolCallPart {
  const isText = item["type"] === "custom_tool_call";
  const text = argumentsText(item[isText ? "input" : "arguments"]);
  return {
    type: "tool-call",
    id,
    name: textOf(item["name"]) ?? "",
    arguments: text === "" && !isText ? "{}" : text,
    ...(isText ? { input: "text" as const } : {}),
    ...toolCallExtras(item),
  };
}

/** The fields of the item beside those that are neutral. That it is complete need not be said. */
export function toolCallExtras(item: Json): { extras?: ToolCallPart["extras"] } {
  const { type: _type, call_id: _id, name: _name, arguments: _arguments, input: _input, status, ...own } = item;
  return asExtras({ ...saidFields(own), status: status === "completed" ? undefined : textOf(status) });
}

/** The JSON text as the model wrote it; a few vendors send the object itself. */
export function argumentsText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** The item of a call, without an id of its own unless it had one. */
export function encodeToolCall(part: ToolCallPart): Json {
  const own = ownExtras(part);
  const head = { ...own, call_id: part.id, name: part.name };
  if (part.input === "text") return { ...head, type: "custom_tool_call", input: part.arguments };
  return { ...head, type: "function_call", arguments: part.arguments === "" ? "{}" : part.arguments };
}
