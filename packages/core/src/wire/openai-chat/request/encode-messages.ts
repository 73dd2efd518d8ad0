import type { MediaPart, Message, ReasoningPart, RefusalPart, TextPart, ToolCallPart, ToolResultPart } from "../../../calls/index.js";
import type { Quirks } from "../../shared/codec.js";
import { unsupported } from "../../shared/fields.js";
import type { Marking } from "../cache-marks.js";
import { chatExtras } from "../extras.js";
import { isLegacyCall } from "../legacy-call.js";
import { encodeContent, encodeMedia, encodeTextPart } from "./content-parts.js";

type AssistantMessage = Extract<Message, { role: "assistant" }>;

/** `messages` of a request. Each result of a tool is a message of its own; what it holds beside text follows in a message of the user, the only place for it. */
export function encodeMessages(messages: readonly Message[], marking: Marking): unknown[] {
  return messages.flatMap((message, i) => encodeMessage(message, `messages[${i}]`, marking));
}

function encodeMessage(message: Message, path: string, marking: Marking): unknown[] {
  switch (message.role) {
    case "system":
    case "developer": {
      const role = marking.quirks.developerRole === false ? "system" : message.role;
      return [{ ...chatExtras(message), role, content: encodeContent(message.content, `${path}.content`, marking) }];
    }
    case "user": {
      const name = message.name === undefined ? {} : { name: message.name };
      return [
        { ...chatExtras(message), role: "user", content: encodeContent(neutral(message.content), `${path}.content`, marking), ...name },
      ];
    }
    case "assistant":
      return encodeAssistant(message, path, marking);
    case "tool":
      return encodeResults(message.content, path, marking);
  }
}

function encodeResults(results: readonly ToolResultPart[], path: string, marking: Marking): unknown[] {
  const lifted: MediaPart[] = [];
  const messages: unknown[] = results.map((result, i) => {
    const { role, ...extras } = chatExtras(result);
    const media = result.content.filter((part) => part.type === "media");
    lifted.push(...media);
    const content = resultText(result, media, { ...marking, path: `${path}.content[${i}]` });
    if (role === "function") return { ...extras, role, content };
    return { ...extras, role: "tool", tool_call_id: result.callId, content };
  });
  if (lifted.length > 0)
    messages.push({ role: "user", content: lifted.map((part, i) => encodeMedia(part, `${path}.content[${i}]`, marking)) });
  return messages;
}

/** The protocol has no place to say that a tool failed, or that it gave more than text; so the text says it. */
function resultText(result: ToolResultPart, media: readonly MediaPart[], o: Marking & { readonly path: string }): unknown {
  const parts = result.content.filter((part) => part.type === "text");
  const failed = result.isError === true && !/^error/i.test(parts[0]?.text ?? "");
  if (!failed && media.length === 0) return parts.length === 0 ? "" : encodeContent(withMark(parts, result), `${o.path}.content`, o);
  const lines = parts.map((part) => part.text);
  if (media.length > 0) lines.push(`(${media.map((part) => part.mediaType).join(", ")}: in the next message)`);
  return `${failed ? "Error: " : ""}${lines.join("\n")}`;
}

/** A result that is to be cached ends with its last part. */
function withMark(parts: readonly TextPart[], { cache }: ToolResultPart): readonly TextPart[] {
  if (cache === undefined) return parts;
  return parts.map((part, i) => (i === parts.length - 1 ? { ...part, cache } : part));
}

function encodeAssistant(message: AssistantMessage, path: string, marking: Marking): unknown[] {
  const reasoning: ReasoningPart[] = [];
  const spoken: (TextPart | RefusalPart)[] = [];
  const calls: ToolCallPart[] = [];
  let audio: unknown;
  message.content.forEach((part, i) => {
    if (part.type === "reasoning") reasoning.push(part);
    else if (part.type === "tool-call") {
      calls.push(part);
      if (part.cache !== undefined)
        marking.warn(`${path}.content[${i}].cache`, "was left out: Chat Completions has no place for it in a call");
    } else if (part.type === "media") audio = audioReference(part, `${path}.content[${i}]`);
    else if (part.type !== "native") spoken.push(part);
  });
  const thought = sentReasoning(reasoning, calls.length > 0, marking.quirks);
  const said = {
    ...(message.name === undefined ? {} : { name: message.name }),
    ...thought,
    ...(audio === undefined ? {} : { audio }),
    ...encodeCalls(calls),
  };
  // A turn of which only reasoning is left, and that may not be sent, would be a turn of nothing.
  const isEmpty = reasoning.length > 0 && spoken.length === 0 && Object.keys({ ...chatExtras(message), ...said }).length === 0;
  return isEmpty ? [] : [{ ...chatExtras(message), role: "assistant", ...encodeSpoken(spoken, `${path}.content`, marking), ...said }];
}

function sentReasoning(parts: readonly ReasoningPart[], hasCalls: boolean, quirks: Quirks): Record<string, unknown> {
  if (quirks.reasoningField === "none") return {};
  const field = quirks.reasoningField ?? "reasoning_content";
  const sent = encodeReasoning(parts, quirks.reasoningField);
  return quirks.reasoningOnToolTurns === true && hasCalls && sent[field] === undefined ? { ...sent, [field]: "" } : sent;
}

/** Text and a refusal behind it have fields; any other order needs the list of parts. */
function encodeSpoken(parts: readonly (TextPart | RefusalPart)[], path: string, marking: Marking): { content: unknown; refusal?: string } {
  const texts = parts.filter((part) => part.type === "text");
  const refusals = parts.filter((part) => part.type === "refusal");
  const last = parts.at(-1);
  const content = () => (texts.length === 0 ? null : encodeContent(texts, path, marking));
  if (refusals.length === 0) return { content: content() };
  if (refusals.length === 1 && last?.type === "refusal") return { content: content(), refusal: last.text };
  const encoded = parts.map((part, i) =>
    part.type === "text" ? encodeTextPart(part, `${path}[${i}]`, marking) : { type: "refusal", refusal: part.text },
  );
  return { content: encoded };
}

/**
 * The fields of a message that carry reasoning: the one that it came in, and for reasoning from elsewhere `elsewhere`, or none. What the vendor sealed goes back
 * whole and in order.
 */
export function encodeReasoning(parts: readonly ReasoningPart[], elsewhere: string | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const part of parts) {
    const { field, reasoning_details: details } = chatExtras(part);
    // Of one whose text was withheld there is nothing to say.
    const name = typeof field === "string" ? field : details === undefined && part.text !== "" ? elsewhere : undefined;
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
  const { type: _type, ...extras } = chatExtras(call);
  if (call.input === "text") return { ...extras, id: call.id, type: "custom", custom: { name: call.name, input: call.arguments } };
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
