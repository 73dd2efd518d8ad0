import type { Message, RefusalPart, TextPart, ToolCallPart, ToolResultPart } from "../../../calls/index.js";
import { Fields, invalid } from "../../shared/fields.js";
import { asExtras } from "../extras.js";
import { legacyCallId } from "../legacy-call.js";
import { contentList, decodeContent, decodeText, decodeTextPart } from "./content-parts.js";

type AssistantMessage = Extract<Message, { role: "assistant" }>;
type AssistantPart = AssistantMessage["content"][number];

/** `messages`, in order. Results that follow each other answer one turn, and are one neutral message. */
export function decodeMessages(list: readonly unknown[]): Message[] {
  const messages: Message[] = [];
  list.forEach((value, i) => {
    const message = decodeMessage(new Fields(value, `messages[${i}]`));
    const last = messages.at(-1);
    if (message.role === "tool" && last?.role === "tool")
      messages[messages.length - 1] = { role: "tool", content: [...last.content, ...message.content] };
    else messages.push(message);
  });
  return messages;
}

function decodeMessage(fields: Fields): Message {
  const role = fields.string("role");
  switch (role) {
    case "system":
    case "developer":
      return { role, content: decodeText(fields), ...asExtras(fields.rest()) };
    case "user":
      return { role, content: decodeContent(fields), ...named(fields), ...asExtras(fields.rest()) };
    case "assistant":
      return decodeAssistant(fields);
    case "tool":
      return { role, content: [decodeResult(fields)] };
    case "function":
      return { role: "tool", content: [decodeLegacyResult(fields)] };
    default:
      throw invalid(fields.path("role"), 'must be "system", "developer", "user", "assistant" or "tool"');
  }
}

function named(fields: Fields): { name?: string } {
  const name = fields.optionalString("name");
  return name === undefined ? {} : { name };
}

function decodeResult(fields: Fields): ToolResultPart {
  const callId = fields.string("tool_call_id");
  return { type: "tool-result", callId, content: decodeContent(fields), ...asExtras(fields.rest()) };
}

function decodeLegacyResult(fields: Fields): ToolResultPart {
  fields.raw("role");
  const content: TextPart[] = [{ type: "text", text: fields.optionalString("content") ?? "" }];
  return { type: "tool-result", callId: legacyCallId, content, ...asExtras({ role: "function", ...fields.rest() }) };
}

function decodeAssistant(fields: Fields): AssistantMessage {
  const content: AssistantPart[] = [...decodeReasoning(fields), ...decodeAssistantContent(fields), ...decodeRefusal(fields)];
  const calls = fields.optionalList("tool_calls") ?? [];
  content.push(...calls.map((call, i) => decodeToolCall(new Fields(call, `${fields.path("tool_calls")}[${i}]`))));
  const legacy = fields.optionalFields("function_call");
  if (legacy !== undefined) content.push(decodeLegacyCall(legacy));
  return { role: "assistant", content, ...named(fields), ...asExtras(withoutNulls(fields.rest())) };
}

/** Reasoning as compatible vendors name it. An empty text is kept: some refuse a tool turn that comes back without the field. */
function decodeReasoning(fields: Fields): AssistantPart[] {
  const details = fields.optionalList("reasoning_details");
  for (const field of ["reasoning_content", "reasoning"]) {
    const text = fields.optionalString(field);
    if (text !== undefined) return [{ type: "reasoning", text, ...asExtras({ field, reasoning_details: details }) }];
  }
  return details === undefined ? [] : [{ type: "reasoning", text: "", ...asExtras({ reasoning_details: details }) }];
}

function decodeAssistantContent(fields: Fields): (TextPart | RefusalPart)[] {
  const content = fields.raw("content");
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  return contentList(fields).map((value, i) => {
    const part = new Fields(value, `${fields.path("content")}[${i}]`);
    const type = part.string("type");
    if (type === "text") return decodeTextPart(part);
    if (type === "refusal") return { type: "refusal", text: part.string("refusal") };
    throw invalid(part.path("type"), 'must be "text" or "refusal" in a message of the assistant');
  });
}

function decodeRefusal(fields: Fields): RefusalPart[] {
  const refusal = fields.optionalString("refusal");
  return refusal === undefined ? [] : [{ type: "refusal", text: refusal }];
}

function decodeToolCall(call: Fields): ToolCallPart {
  const id = call.string("id");
  const type = call.optionalString("type") ?? "function";
  call.raw("index");
  if (type === "custom") {
    const custom = call.fields("custom");
    return {
      type: "tool-call",
      id,
      name: custom.string("name"),
      arguments: custom.string("input"),
      input: "text",
      ...asExtras(call.rest()),
    };
  }
  if (type !== "function") throw invalid(call.path("type"), 'must be "function" or "custom"');
  const called = call.fields("function");
  return { type: "tool-call", id, name: called.string("name"), arguments: argumentsOf(called), ...asExtras(call.rest()) };
}

function decodeLegacyCall(call: Fields): ToolCallPart {
  return {
    type: "tool-call",
    id: legacyCallId,
    name: call.string("name"),
    arguments: argumentsOf(call),
    ...asExtras({ type: "function_call" }),
  };
}

/** The JSON text as the model wrote it; a call without arguments is written as one with none. */
function argumentsOf(called: Fields): string {
  const text = called.optionalString("arguments") ?? "";
  return text === "" ? "{}" : text;
}

/** An answer that is handed back as a turn has nulls for all that it did not have (`audio`, `function_call`). */
function withoutNulls(fields: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  return fields === undefined ? undefined : Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
