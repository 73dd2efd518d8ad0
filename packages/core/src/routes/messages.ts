import { z } from "zod";
import type { Message, MediaPart, TextPart, ToolResultPart } from "../calls/index.js";

// Messages as our REST face has them: the neutral ones in snake_case, and a string where there is only text.

const textPart = z.strictObject({ type: z.literal("text"), text: z.string() });
const mediaPart = z.strictObject({
  type: z.literal("media"),
  media_type: z.string().min(1).max(200),
  source: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("url"), url: z.url({ protocol: /^https?$/ }) }),
    z.strictObject({ kind: z.literal("base64"), data: z.string() }),
    z.strictObject({ kind: z.literal("file"), id: z.string().min(1).describe("of a file uploaded to the vendor that serves the model") }),
  ]),
  filename: z.string().max(255).optional(),
});
const reasoningPart = z.strictObject({ type: z.literal("reasoning"), text: z.string(), opaque: z.string().optional() });
const refusalPart = z.strictObject({ type: z.literal("refusal"), text: z.string() });
const toolCallPart = z.strictObject({
  type: z.literal("tool_call"),
  id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string().describe("the JSON text of the arguments, as the model wrote it"),
});
const toolResultPart = z.strictObject({
  type: z.literal("tool_result"),
  call_id: z.string().min(1),
  content: z.union([z.string(), z.array(z.discriminatedUnion("type", [textPart, mediaPart]))]),
  is_error: z.boolean().optional(),
});
const assistantPart = z.discriminatedUnion("type", [textPart, reasoningPart, refusalPart, toolCallPart, mediaPart]);

export const messageSchema = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "developer"]), content: z.union([z.string(), z.array(textPart)]) }),
  z.strictObject({
    role: z.literal("user"),
    content: z.union([z.string(), z.array(z.discriminatedUnion("type", [textPart, mediaPart]))]),
    name: z.string().optional(),
  }),
  z.strictObject({ role: z.literal("assistant"), content: z.union([z.string(), z.array(assistantPart)]), name: z.string().optional() }),
  z.strictObject({ role: z.literal("tool"), content: z.array(toolResultPart).min(1) }),
]);
export type RestMessage = z.output<typeof messageSchema>;
type RestPart = z.output<typeof assistantPart>;
type RestTextOrMedia = z.output<typeof textPart> | z.output<typeof mediaPart>;
type AssistantMessage = Extract<Message, { role: "assistant" }>;

export function toMessage(message: RestMessage): Message {
  switch (message.role) {
    case "system":
    case "developer":
      return { role: message.role, content: typeof message.content === "string" ? asText(message.content) : message.content };
    case "user":
      return { role: "user", content: toTextOrMedia(message.content), ...(message.name === undefined ? {} : { name: message.name }) };
    case "assistant": {
      const content = typeof message.content === "string" ? asText(message.content) : message.content.map(toAssistantPart);
      return { role: "assistant", content, ...(message.name === undefined ? {} : { name: message.name }) };
    }
    case "tool":
      return { role: "tool", content: message.content.map(toToolResult) };
  }
}

export function fromMessage(message: Message): RestMessage {
  switch (message.role) {
    case "system":
    case "developer":
      return { role: message.role, content: message.content.map(({ text }) => ({ type: "text", text })) };
    case "user":
      return {
        role: "user",
        content: message.content.filter(isNeutral).map(fromTextOrMedia),
        ...(message.name === undefined ? {} : { name: message.name }),
      };
    case "assistant":
      return {
        role: "assistant",
        content: message.content.filter(isNeutral).map(fromAssistantPart),
        ...(message.name === undefined ? {} : { name: message.name }),
      };
    case "tool":
      return { role: "tool", content: message.content.map(fromToolResult) };
  }
}

function asText(text: string): TextPart[] {
  return [{ type: "text", text }];
}

function toTextOrMedia(content: string | readonly RestTextOrMedia[]): (TextPart | MediaPart)[] {
  return typeof content === "string" ? asText(content) : content.map((part) => (part.type === "text" ? part : toMedia(part)));
}

function toMedia(part: z.output<typeof mediaPart>): MediaPart {
  return {
    type: "media",
    mediaType: part.media_type,
    source: part.source,
    ...(part.filename === undefined ? {} : { filename: part.filename }),
  };
}

function toAssistantPart(part: RestPart): AssistantMessage["content"][number] {
  switch (part.type) {
    case "text":
    case "refusal":
      return part;
    case "reasoning":
      return { type: "reasoning", text: part.text, ...(part.opaque === undefined ? {} : { opaque: part.opaque }) };
    case "tool_call":
      return { type: "tool-call", id: part.id, name: part.name, arguments: part.arguments };
    case "media":
      return toMedia(part);
  }
}

function toToolResult(part: z.output<typeof toolResultPart>): ToolResultPart {
  return {
    type: "tool-result",
    callId: part.call_id,
    content: toTextOrMedia(part.content),
    ...(part.is_error === undefined ? {} : { isError: part.is_error }),
  };
}

function fromTextOrMedia(part: TextPart | MediaPart): RestTextOrMedia {
  return part.type === "text" ? { type: "text", text: part.text } : fromMedia(part);
}

function fromMedia(part: MediaPart): z.output<typeof mediaPart> {
  return {
    type: "media",
    media_type: part.mediaType,
    source: part.source,
    ...(part.filename === undefined ? {} : { filename: part.filename }),
  };
}

/** What only one vendor understands has no place in our own face. */
function isNeutral<P extends { readonly type: string }>(part: P): part is Exclude<P, { readonly type: "native" }> {
  return part.type !== "native";
}

function fromAssistantPart(part: Exclude<AssistantMessage["content"][number], { readonly type: "native" }>): RestPart {
  switch (part.type) {
    case "text":
    case "refusal":
      return { type: part.type, text: part.text };
    case "reasoning":
      return { type: "reasoning", text: part.text, ...(part.opaque === undefined ? {} : { opaque: part.opaque }) };
    case "tool-call":
      return { type: "tool_call", id: part.id, name: part.name, arguments: part.arguments };
    case "media":
      return fromMedia(part);
  }
}

function fromToolResult(part: ToolResultPart): z.output<typeof toolResultPart> {
  return {
    type: "tool_result",
    call_id: part.callId,
    content: part.content.map(fromTextOrMedia),
    ...(part.isError === undefined ? {} : { is_error: part.isError }),
  };
}
