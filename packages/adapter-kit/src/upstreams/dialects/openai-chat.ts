import type { Counts, Dialect } from "./dialect.js";

const head = { id: "chatcmpl-kit", object: "chat.completion.chunk", created: 1_700_000_000, model: "kit" };
const frame = (delta: unknown, finish: string | null = null): string =>
  `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const usageOf = (usage: Counts): unknown => ({ prompt_tokens: usage.input, completion_tokens: usage.output });
const DEFAULT: Counts = { input: 10, output: 5 };

/** OpenAI's Chat Completions. https://platform.openai.com/docs/api-reference/chat-streaming */
export const chatDialect: Dialect = {
  protocol: "openai-chat",
  begin: () => [frame({ role: "assistant", content: "" })],
  text: (word) => frame({ content: word }),
  toolCall: (name, fragments) => [
    frame({ tool_calls: [{ index: 0, id: "call_kit", type: "function", function: { name, arguments: "" } }] }),
    ...fragments.map((text) => frame({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
  ],
  end: ({ reason = "stop", usage = DEFAULT } = {}) => [
    frame({}, reason === "tool" ? "tool_calls" : "stop"),
    ...(usage === null ? [] : [`data: ${JSON.stringify({ ...head, choices: [], usage: usageOf(usage) })}\n\n`]),
    "data: [DONE]\n\n",
  ],
  errorFrame: (message) => `data: ${JSON.stringify({ error: { message, type: "server_error", param: null, code: "server_error" } })}\n\n`,
  errorBody: (message) => JSON.stringify({ error: { message, type: "x", param: null, code: null } }),
  whole: (text, usage = DEFAULT) =>
    JSON.stringify({
      ...{ ...head, object: "chat.completion" },
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
      ...(usage === null ? {} : { usage: usageOf(usage) }),
    }),
};
