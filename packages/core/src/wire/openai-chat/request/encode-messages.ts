import type { MediaPart, Message, ReasoningPart, RefusalPart, TextPart, ToolCallPart, ToolResultPart } from "../../../calls/index.js";
import type { Quirks } from "../../shared/codec.js";
import { unsupported } from "../../shared/fields.js";
import { chatExtras } from "../extras.js";
import { isLegacyCall } from "../legacy-call.js";
import { encodeContent, encodeMedia, encodeTextPart } from "./content-parts.js";

type AssistantMessage = Extract<Message, { role: "assistant" }>;

/** `messages` of a request. Each result of a tool is a message of its own; what it holds beside text follows in a message of the user, the only place for it. */
export function encodeMessages(messages: readonly Message[], quirks: Quirks): unknown[] {
  return messages.flatMap((message, i) => encodeMessage(message, `messages[${i}]`, quirks));
}

function encodeMessage(message: Message, path: string, quirks: Quirks): unknown[] {
  switch (message.role) {
    case "system":
    case "developer": {
      const role = quirks.developerRole === false ? "system" : message.role;
      return [{ ...chatExtras(message), role, content: encodeContent(message.content, `${path}.content`) }];
    }
    case "user": {
      const name = message.name === undefined ? {} : { name: message.name };
      return [{ ...chatExtras(message), role: "user", content: encodeContent(neutral(message.content), `${path}.content`), ...name }];
    }
    case "assistant":
      return [encodeAssistant(message, path, quirks)];
    case "tool":
      return encodeResults(message.content, path);
  }
}

function encodeResults(results: readonly ToolResultPart[], path: string): unknown[] {
  const lifted: MediaPart[] = [];
  const messages: unknown[] = results.map((result) => {
    const { role, ...extras } = chatExtras(result);
    const media = result.content.filter((part) => part.type === "media");
    lifted.push(...media);
    const content = resultText(result, media);
    if (role === "function") return { ...extras, role, content };
    return { ...extras, role: "tool", tool_call_id: result.callId, content };
  });
  if (lifted.length > 0) messages.push({ role: "user", content: lifted.map((part, i) => encodeMedia(part, `${path}.content[${i}]`)) });
  return messages;
}

/** The protocol has no place to say that a tool failed, or that it gave more than text; so the text says it. */
function resultText(result: ToolResultPart, media: readonly MediaPart[]): unknown {
  const parts = result.content.filter((part) => part.type === "text");
  const failed = result.isError === true && !/^error/i.test(parts[0]?.text ?? "");
  if (!failed && media.length === 0) return parts.length === 0 ? "" : encodeContent(parts, "");
  const lines = parts.map((part) => part.text);
  if (media.length > 0) lines.push(`(${media.map((part) => part.mediaType).join(", ")}: in the next message)`);
  return `${failed ? "Error: " : ""}${lines.join("\n")}`;
}

function encodeAssistant(message: AssistantMessage, path: string, quirks: Quirks): unknown {
  const reasoning: ReasoningPart[] = [];
  const spoken: (TextPart | RefusalPart)[] = [];
  const calls: ToolCallPart[] = [];
  let audio: unknown;
  message.content.forEach((part, i) => {
    if (part.type === "reasoning") reasoning.push(part);
    else if (part.type === "tool-call") calls.push(part);
    else if (part.type === "media") audio = audioReference(part, `${path}.content[${i}]`);
    else if (part.type !== "native") spoken.push(part);
  });
  return {
    ...chatExtras(message),
    role: "assistant",
    ...encodeSpoken(spoken),
    ...(message.name === undefined ? {} : { name: message.name }),
    ...(quirks.reasoningField === "none" ? {} : encodeReasoning(reasoning, quirks.reasoningField)),
    ...(audio === undefined ? {} : { audio }),
    ...encodeCalls(calls),
  };
}

/** Text and a refusal behind it have fields; any other order needs the list of parts. */
function encodeSpoken(parts: readonly (TextPart | RefusalPart)[]): { content: unknown; refusal?: string } {
  const texts = parts.filter((part) => part.type === "text");
  const refusals = parts.filter((part) => part.type === "refusal");
  const last = parts.at(-1);
  if (refusals.length === 0) return { content: texts.length === 0 ? null : encodeContent(texts, "") };
  if (refusals.length === 1 && last?.type === "refusal")
    return { content: texts.length === 0 ? null : encodeContent(texts, ""), refusal: last.text };
  return { content: parts.map((part) => (part.type === "text" ? encodeTextPart(part) : { type: "refusal", refusal: part.text })) };
}

/**
 * The fields of a message that carry reasoning: the one that it came in, and for reasoning from elsewhere `elsewhere`, or none. What the vendor sealed goes back
 * whole and in order.
 */
export function encodeReasoning(parts: readonly ReasoningPart[], elsewhere: string | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const part of parts) {
    const { field, reasoning_details: details } = chatExtras(part);
    const name = typeof field === "string" ? field : details === undefined ? elsewhere : undefined;
    if (name !== undefined) out[name] = `${(out[name] as string | undefined) ?? ""}${part.text}`;
    if (Array.isArray(details))
      out["reasoning_details"] = [...((out["reasoning_details"] as unknown[] | undefined) ?? []), ...(details as unknown[])];
  }
  return out;
}

/** Without the items that only another protocol knows. */
function neutral<P extends { readonly type: string }>(parts: readonly P[]): Exclude<P, { readonly type: "native" }>[] {
  return parts.filter((part): part is Exclude<P, { readonly type: "native" }> => part.type !== "native");
}

/** The calls of a message, of a request as of an answer. */
export function encodeCalls(calls: readonly ToolCallPart[]): { tool_calls?: unknown[]; function_call?: unknown } {
  const legacy = calls.find(isLegacyCall);
  const others = calls.filter((call) => call !== legacy).map(encodeToolCall);
  return {
    ...(others.length === 0 ? {} : { tool_calls: others }),
    ...(legacy === undefined ? {} : { function_call: { name: legacy.name, arguments: legacy.arguments } }),
  };
}

function encodeToolCall(call: ToolCallPart): unknown {
  const { type, ...extras } = chatExtras(call);
  if (type === "custom") return { ...extras, id: call.id, type, custom: { name: call.name, input: call.arguments } };
  return {
    ...extras,
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.arguments === "" ? "{}" : call.arguments },
  };
}

/** The only media of an assistant that the protocol takes back is sound of its own, by its id. */
function audioReference(part: MediaPart, path: string): unknown {
  const { id } = chatExtras(part);
  if (typeof id === "string") return { id };
  throw unsupported(path, `is ${part.mediaType} in a message of the assistant, which Chat Completions does not take`);
}
