import type { Counts, Dialect } from "./dialect.js";

const DEFAULT: Counts = { input: 10, output: 5 };
const usageOf = (usage: Counts): unknown => ({ promptTokenCount: usage.input, candidatesTokenCount: usage.output });
const answer = (parts: readonly unknown[], rest: object = {}): object => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...rest }],
  modelVersion: "kit",
  responseId: "kit",
});
const frame = (data: object): string => `data: ${JSON.stringify(data)}\r\n\r\n`;

/** Google's generateContent, streamed with `alt=sse`. https://ai.google.dev/api/generate-content */
export const googleDialect: Dialect = {
  protocol: "google-genai",
  begin: () => [],
  text: (word) => frame(answer([{ text: word }])),
  // Calls come whole in this protocol.
  toolCall: (name, fragments) => [frame(answer([{ functionCall: { name, args: JSON.parse(fragments.join("")) as unknown } }]))],
  end: ({ usage = DEFAULT } = {}) => [
    frame({ ...answer([{ text: "" }], { finishReason: "STOP" }), ...(usage === null ? {} : { usageMetadata: usageOf(usage) }) }),
  ],
  errorFrame: (message) => frame({ error: { code: 503, message, status: "UNAVAILABLE" } }),
  errorBody: (message) => JSON.stringify({ error: { code: 503, message, status: "UNAVAILABLE" } }),
  whole: (text, usage = DEFAULT) =>
    JSON.stringify({ ...answer([{ text }], { finishReason: "STOP" }), ...(usage === null ? {} : { usageMetadata: usageOf(usage) }) }),
};
