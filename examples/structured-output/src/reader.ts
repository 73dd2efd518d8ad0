import { defineProvider, type ModelCall } from "@sallyport/core";

/** Stands for a model that keeps to a schema: it reads "name, age" and answers in the form that it is asked for. */
export const reader = defineProvider({
  name: "house",
  models: [{ code: "reader", features: ["chat", "structured-output"] }],
  answer: async function* (call) {
    const { output } = call;
    const said = textOf(call);
    const [, name = "", age = "0"] = /^(.+), (\d+)$/.exec(said) ?? [];
    const values: Record<string, unknown> = { name, age: Number(age) };
    const wanted = output?.type === "json-schema" ? Object.keys(output.schema["properties"] ?? {}) : [];
    const text = JSON.stringify(Object.fromEntries(wanted.map((field) => [field, values[field] ?? null])));
    yield { type: "start", id: "r1", model: "reader", createdAtMs: Date.now() };
    yield { type: "text-start", index: 0, block: 0 };
    yield { type: "text-delta", index: 0, block: 0, text };
    yield { type: "text-end", index: 0, block: 0 };
    yield { type: "finish", index: 0, reason: "stop" };
    yield { type: "usage", usage: { inputTokens: said.length, outputTokens: text.length } };
  },
});

/** What the user said last. */
function textOf(call: ModelCall): string {
  const last = call.messages.findLast((message) => message.role === "user");
  return (last?.content ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}
