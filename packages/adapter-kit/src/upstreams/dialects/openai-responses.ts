import type { Counts, Dialect } from "./dialect.js";

const DEFAULT: Counts = { input: 10, output: 5 };
const usageOf = (usage: Counts): unknown => ({ input_tokens: usage.input, output_tokens: usage.output, total_tokens: 15 });
const response = { id: "resp_kit", object: "response", created_at: 1_700_000_000, model: "kit", error: null, incomplete_details: null };
const item = { id: "msg_kit", type: "message", role: "assistant" };
const call = (name: string) => ({ id: "fc_kit", type: "function_call", call_id: "call_kit", name });
const event = (data: { readonly type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const place = { output_index: 0, content_index: 0, item_id: "msg_kit" };

/** OpenAI's Responses. https://platform.openai.com/docs/api-reference/responses-streaming */
export function responsesDialect(): Dialect {
  let said = "";
  let seq = 0;
  let calls: { name: string; args: string } | null = null;
  const numbered = (data: { readonly type: string }): string => event({ ...data, ...{ sequence_number: seq++ } });
  const done = (text: string) => ({ ...item, status: "completed", content: [{ type: "output_text", text, annotations: [] }] });
  return {
    protocol: "openai-responses",
    begin: () => {
      [said, seq, calls] = ["", 0, null];
      return [
        numbered({ type: "response.created", ...{ response: { ...response, status: "in_progress", output: [] } } }),
        numbered({ type: "response.output_item.added", ...{ output_index: 0, item: { ...item, status: "in_progress", content: [] } } }),
        numbered({ type: "response.content_part.added", ...{ ...place, part: { type: "output_text", text: "", annotations: [] } } }),
      ];
    },
    text: (word) => {
      said += word;
      return numbered({ type: "response.output_text.delta", ...{ ...place, delta: word } });
    },
    toolCall: (name, fragments) => {
      calls = { name, args: fragments.join("") };
      const at = { output_index: 1, item_id: "fc_kit" };
      return [
        numbered({
          type: "response.output_item.added",
          ...{ output_index: 1, item: { ...call(name), status: "in_progress", arguments: "" } },
        }),
        ...fragments.map((delta) => numbered({ type: "response.function_call_arguments.delta", ...{ ...at, delta } })),
      ];
    },
    end: ({ usage = DEFAULT } = {}) => {
      const whole = calls === null ? null : { ...call(calls.name), status: "completed", arguments: calls.args };
      const output = [done(said), ...(whole === null ? [] : [whole])];
      return [
        numbered({ type: "response.output_text.done", ...{ ...place, text: said } }),
        numbered({ type: "response.content_part.done", ...{ ...place, part: done(said).content[0] } }),
        numbered({ type: "response.output_item.done", ...{ output_index: 0, item: done(said) } }),
        ...(whole === null ? [] : [numbered({ type: "response.output_item.done", ...{ output_index: 1, item: whole } })]),
        numbered({
          type: "response.completed",
          ...{ response: { ...response, status: "completed", output, ...(usage === null ? {} : { usage: usageOf(usage) }) } },
        }),
      ];
    },
    errorFrame: (message) => numbered({ type: "error", ...{ code: "server_error", message, param: null } }),
    errorBody: (message) => JSON.stringify({ error: { message, type: "server_error", param: null, code: null } }),
    whole: (text, usage = DEFAULT) =>
      JSON.stringify({ ...response, status: "completed", output: [done(text)], ...(usage === null ? {} : { usage: usageOf(usage) }) }),
  };
}
