import { chatDialect, googleDialect, messagesDialect, responsesDialect, type Dialect } from "@sallyport/adapter-kit";

/** A stream as its reader understood it. */
export interface Read {
  readonly text: string;
  /** The dialect's error event. */
  readonly error: unknown;
  /** The dialect's sign that all went well. */
  readonly isFinished: boolean;
  /** The error was the last thing said. */
  readonly endsInError: boolean;
  readonly events: readonly SseEvent[];
}
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}
export interface Face {
  readonly protocol: Dialect["protocol"];
  path(model: string, stream: boolean): string;
  body(model: string, o: { readonly text: string; readonly stream: boolean; readonly tool?: boolean }): Record<string, unknown>;
  read(stream: string): Read;
}

type Json = Record<string, unknown>;
const parameters = { type: "object", properties: { city: { type: "string" } } };

export const chatFace: Face = {
  protocol: "openai-chat",
  path: () => "/v1/chat/completions",
  body: (model, { text, stream, tool }) => ({
    ...{ model, stream, messages: [{ role: "user", content: text }] },
    ...(tool === true ? { tools: [{ type: "function", function: { name: "weather", parameters } }] } : {}),
  }),
  read: (stream) =>
    readBy(stream, {
      text: (data) => (data["choices"] as { delta?: { content?: string } }[] | undefined)?.[0]?.delta?.content,
      error: (data) => data["error"],
      finished: ({ data }) => data === "[DONE]",
    }),
};
export const messagesFace: Face = {
  protocol: "anthropic-messages",
  path: () => "/v1/messages",
  body: (model, { text, stream, tool }) => ({
    ...{ model, stream, max_tokens: 1_000, messages: [{ role: "user", content: text }] },
    ...(tool === true ? { tools: [{ name: "weather", input_schema: parameters }] } : {}),
  }),
  read: (stream) =>
    readBy(stream, {
      text: (data) => (data["delta"] as { text?: string } | undefined)?.text,
      error: (data) => (data["type"] === "error" ? data["error"] : undefined),
      finished: ({ event }) => event === "message_stop",
    }),
};
export const googleFace: Face = {
  protocol: "google-genai",
  path: (model, stream) => `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  body: (_model, { text, tool }) => ({
    contents: [{ role: "user", parts: [{ text }] }],
    ...(tool === true ? { tools: [{ functionDeclarations: [{ name: "weather", parameters: { type: "OBJECT" } }] }] } : {}),
  }),
  read: (stream) =>
    readBy(stream, {
      text: (data) => googlePart(data)?.text,
      error: (data) => data["error"],
      finished: ({ data }) => /"finishReason"\s*:\s*"/.test(data),
    }),
};
export const responsesFace: Face = {
  protocol: "openai-responses",
  path: () => "/v1/responses",
  body: (model, { text, stream, tool }) => ({
    ...{ model, stream, input: text, store: false },
    ...(tool === true ? { tools: [{ type: "function", name: "weather", parameters, strict: false }] } : {}),
  }),
  read: (stream) =>
    readBy(stream, {
      text: (data) => (data["type"] === "response.output_text.delta" ? (data["delta"] as string) : undefined),
      error: (data) => (data["type"] === "error" || data["type"] === "response.failed" ? data : undefined),
      finished: ({ data }) => data.includes('"response.completed"'),
    }),
};

export const faces = { chat: chatFace, messages: messagesFace, google: googleFace, responses: responsesFace } as const;
export const vendors = {
  chat: () => chatDialect,
  messages: () => messagesDialect,
  google: () => googleDialect,
  responses: responsesDialect,
} as const;
export type Cell = keyof typeof faces;
const spoken = Object.keys(faces) as Cell[];
/** Every caller's dialect with every vendor's. */
export const cells = spoken.flatMap((face) => spoken.map((vendor) => [face, vendor] as const));

function googlePart(data: Json): { text?: string } | undefined {
  const candidates = data["candidates"] as { content?: { parts?: { text?: string }[] } }[] | undefined;
  return candidates?.[0]?.content?.parts?.[0];
}

interface Reading {
  readonly text: (data: Json) => string | undefined;
  readonly error: (data: Json) => unknown;
  readonly finished: (event: SseEvent) => boolean;
}
function readBy(stream: string, how: Reading): Read {
  const events = sseEvents(stream);
  const parsed = events.map(({ data }) => objectIn(data));
  const errors = parsed.map((data) => how.error(data) ?? null);
  return {
    text: parsed.map((data) => how.text(data) ?? "").join(""),
    error: errors.find((error) => error !== null) ?? null,
    isFinished: events.some(how.finished),
    endsInError: (errors.at(-1) ?? null) !== null,
    events,
  };
}

/** Empty for what is no JSON object: a caller's own parser would complain. */
function objectIn(data: string): Json {
  try {
    const value = JSON.parse(data) as unknown;
    return typeof value === "object" && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}

/**
 * By the book (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation), but an end of stream ends an event too: the relay lane adds nothing to
 * what a vendor sent.
 */
export function sseEvents(stream: string): SseEvent[] {
  const events: SseEvent[] = [];
  let [event, data]: [string, string[]] = ["", []];
  const lines = stream.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  for (const line of [...lines, ""]) {
    if (line === "") {
      if (data.length > 0) events.push({ event, data: data.join("\n") });
      [event, data] = ["", []];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
  }
  return events;
}
