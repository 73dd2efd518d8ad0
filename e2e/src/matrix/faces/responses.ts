import OpenAI from "openai";
import type { Ask, Face, Said, Turn } from "./face.js";

type Item = OpenAI.Responses.ResponseInputItem;

export function responsesFace(o: { readonly url: string; readonly key: string }): Face {
  const client = new OpenAI({ baseURL: `${o.url}/v1`, apiKey: o.key, maxRetries: 0 });
  return {
    name: "OpenAI Responses",
    sdk: "openai",
    async ask(ask) {
      if (!ask.stream) return said(await client.responses.create(bodyOf(ask)));
      const stream = client.responses.stream(bodyOf(ask));
      return said(await stream.finalResponse());
    },
    errorClass: (status) => (status === 429 ? OpenAI.RateLimitError : status === 400 ? OpenAI.BadRequestError : OpenAI.InternalServerError),
  };
}

function bodyOf(ask: Ask) {
  const tools = ask.tools?.map(({ name, schema }) => ({ type: "function" as const, name, parameters: schema, strict: false }));
  const format = { type: "json_schema" as const, name: "answer", strict: true, schema: ask.schema ?? {} };
  return {
    model: ask.model,
    store: false,
    include: ["reasoning.encrypted_content" as const],
    input: ask.turns.flatMap(itemsOf),
    ...(ask.system === undefined ? {} : { instructions: ask.system }),
    ...(tools === undefined ? {} : { tools }),
    ...(ask.schema === undefined ? {} : { text: { format } }),
  };
}

function itemsOf(turn: Turn): Item[] {
  switch (turn.role) {
    case "assistant":
      return turn.raw as Item[];
    case "tool":
      return turn.results.map(({ id, text }) => ({ type: "function_call_output", call_id: id, output: text }));
    case "user": {
      const image = { type: "input_image" as const, image_url: `data:image/png;base64,${turn.imageBase64}`, detail: "auto" as const };
      return [{ role: "user", content: [{ type: "input_text", text: turn.text }, ...(turn.imageBase64 === undefined ? [] : [image])] }];
    }
  }
}

function said(response: OpenAI.Responses.Response): Said {
  const calls = response.output.flatMap((item) =>
    item.type === "function_call" ? [{ id: item.call_id, name: item.name, args: JSON.parse(item.arguments) as unknown }] : [],
  );
  const reasoning = response.output.flatMap((item) => (item.type === "reasoning" ? item.summary.map(({ text }) => text) : []));
  const { usage } = response;
  const stopped = response.incomplete_details?.reason === "max_output_tokens" ? "length" : "stop";
  return {
    text: response.output_text,
    reasoning: reasoning.join(""),
    calls,
    finish: calls.length > 0 ? "tools" : stopped,
    usage: usage === undefined ? null : { input: usage.input_tokens, output: usage.output_tokens },
    raw: response.output,
  };
}
