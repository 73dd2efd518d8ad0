import type { Counts, Dialect } from "./dialect.js";

const event = (data: { readonly type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const DEFAULT: Counts = { input: 10, output: 5 };
const message = { id: "msg_kit", type: "message", role: "assistant", model: "kit", stop_sequence: null };

/** Anthropic's Messages. https://platform.claude.com/docs/en/build-with-claude/streaming */
export const messagesDialect: Dialect = {
  protocol: "anthropic-messages",
  begin: () => [
    event({
      type: "message_start",
      ...{ message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 10, output_tokens: 1 } } },
    }),
    event({ type: "content_block_start", ...{ index: 0, content_block: { type: "text", text: "" } } }),
    event({ type: "ping" }),
  ],
  text: (word) => event({ type: "content_block_delta", ...{ index: 0, delta: { type: "text_delta", text: word } } }),
  toolCall: (name, fragments) => [
    event({ type: "content_block_stop", ...{ index: 0 } }),
    event({ type: "content_block_start", ...{ index: 1, content_block: { type: "tool_use", id: "toolu_kit", name, input: {} } } }),
    ...fragments.map((text) =>
      event({ type: "content_block_delta", ...{ index: 1, delta: { type: "input_json_delta", partial_json: text } } }),
    ),
  ],
  end: ({ reason = "stop", usage = DEFAULT } = {}) => [
    event({ type: "content_block_stop", ...{ index: reason === "tool" ? 1 : 0 } }),
    event({
      type: "message_delta",
      ...{ delta: { stop_reason: reason === "tool" ? "tool_use" : "end_turn", stop_sequence: null } },
      ...(usage === null ? {} : { usage: { input_tokens: usage.input, output_tokens: usage.output } }),
    }),
    event({ type: "message_stop" }),
  ],
  errorFrame: (text) => event({ type: "error", ...{ error: { type: "overloaded_error", message: text } } }),
  errorBody: (text) => JSON.stringify({ type: "error", error: { type: "api_error", message: text } }),
  whole: (text, usage = DEFAULT) =>
    JSON.stringify({
      ...message,
      content: [{ type: "text", text }],
      stop_reason: "end_turn",
      usage: usage === null ? undefined : { input_tokens: usage.input, output_tokens: usage.output },
    }),
};
