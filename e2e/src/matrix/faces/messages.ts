import Anthropic from "@anthropic-ai/sdk";
import type { Ask, Face, Said, Turn } from "./face.js";

export function messagesFace(o: { readonly url: string; readonly key: string }): Face {
  const client = new Anthropic({ baseURL: o.url, apiKey: o.key, maxRetries: 0 });
  return {
    name: "Anthropic Messages",
    sdk: "@anthropic-ai/sdk",
    async ask(ask) {
      if (!ask.stream) return said(await client.messages.create(bodyOf(ask)));
      return said(await client.messages.stream(bodyOf(ask)).finalMessage());
    },
    errorClass: (status) =>
      status === 429 ? Anthropic.RateLimitError : status === 400 ? Anthropic.BadRequestError : Anthropic.InternalServerError,
  };
}

function bodyOf(ask: Ask) {
  const tools = ask.tools?.map(({ name, schema }) => ({ name, input_schema: { ...schema, type: "object" as const } }));
  return {
    model: ask.model,
    max_tokens: 1_000,
    messages: ask.turns.map(messageOf),
    ...(ask.system === undefined ? {} : { system: ask.system }),
    ...(tools === undefined ? {} : { tools }),
    ...(ask.schema === undefined ? {} : { output_config: { format: { type: "json_schema" as const, schema: ask.schema } } }),
  };
}

function messageOf(turn: Turn): Anthropic.MessageParam {
  switch (turn.role) {
    case "assistant":
      return { role: "assistant", content: turn.raw as Anthropic.ContentBlockParam[] };
    case "tool":
      return { role: "user", content: turn.results.map(({ id, text }) => ({ type: "tool_result", tool_use_id: id, content: text })) };
    case "user": {
      if (turn.imageBase64 === undefined) return { role: "user", content: turn.text };
      const source = { type: "base64" as const, media_type: "image/png" as const, data: turn.imageBase64 };
      return {
        role: "user",
        content: [
          { type: "text", text: turn.text },
          { type: "image", source },
        ],
      };
    }
  }
}

function said(message: Anthropic.Message): Said {
  const of = <K extends Anthropic.ContentBlock["type"]>(type: K) =>
    message.content.filter((block): block is Extract<Anthropic.ContentBlock, { type: K }> => block.type === type);
  const finishes: Record<string, string> = { end_turn: "stop", max_tokens: "length", tool_use: "tools" };
  const { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: written, output_tokens: output } = message.usage;
  return {
    text: of("text")
      .map(({ text }) => text)
      .join(""),
    reasoning: of("thinking")
      .map(({ thinking }) => thinking)
      .join(""),
    calls: of("tool_use").map(({ id, name, input: args }) => ({ id, name, args })),
    finish: finishes[message.stop_reason ?? ""] ?? String(message.stop_reason),
    usage: { input: input + (read ?? 0) + (written ?? 0), output },
    raw: message.content,
  };
}
