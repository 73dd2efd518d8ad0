import OpenAI from "openai";
import type { Ask, Face, Said, Turn } from "./face.js";

type Message = OpenAI.ChatCompletionMessageParam;

export function chatFace(o: { readonly url: string; readonly key: string }): Face {
  const client = new OpenAI({ baseURL: `${o.url}/v1`, apiKey: o.key, maxRetries: 0 });
  return {
    name: "OpenAI Chat",
    sdk: "openai",
    async ask(ask) {
      if (!ask.stream) return said(await client.chat.completions.create(bodyOf(ask)));
      const stream = client.chat.completions.stream({ ...bodyOf(ask), stream_options: { include_usage: true } });
      return said(await stream.finalChatCompletion());
    },
    errorClass: (status) => (status === 429 ? OpenAI.RateLimitError : status === 400 ? OpenAI.BadRequestError : OpenAI.InternalServerError),
  };
}

function bodyOf(ask: Ask) {
  const tools = ask.tools?.map(({ name, schema }) => ({ type: "function" as const, function: { name, parameters: schema } }));
  return {
    model: ask.model,
    messages: [...(ask.system === undefined ? [] : [{ role: "system" as const, content: ask.system }]), ...ask.turns.flatMap(messagesOf)],
    ...(tools === undefined ? {} : { tools }),
    ...(ask.schema === undefined
      ? {}
      : { response_format: { type: "json_schema" as const, json_schema: { name: "answer", strict: true, schema: ask.schema } } }),
  };
}

function messagesOf(turn: Turn): Message[] {
  switch (turn.role) {
    case "assistant":
      return [turn.raw as Message];
    case "tool":
      return turn.results.map(({ id, text }) => ({ role: "tool", tool_call_id: id, content: text }));
    case "user": {
      if (turn.imageBase64 === undefined) return [{ role: "user", content: turn.text }];
      const image = { type: "image_url" as const, image_url: { url: `data:image/png;base64,${turn.imageBase64}` } };
      return [{ role: "user", content: [{ type: "text", text: turn.text }, image] }];
    }
  }
}

function said(completion: OpenAI.ChatCompletion): Said {
  const choice = completion.choices[0]!;
  const { message } = choice;
  const calls = (message.tool_calls ?? []).flatMap((call) =>
    call.type === "function" ? [{ id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) as unknown }] : [],
  );
  const finishes: Record<string, string> = { tool_calls: "tools" };
  const { usage } = completion;
  return {
    text: message.content ?? "",
    reasoning: (message as { reasoning_content?: string }).reasoning_content ?? "",
    calls,
    finish: finishes[choice.finish_reason] ?? choice.finish_reason,
    usage: usage === undefined ? null : { input: usage.prompt_tokens, output: usage.completion_tokens },
    raw: message,
  };
}
