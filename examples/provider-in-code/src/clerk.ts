import { defineProvider, type ModelCall, type ModelEvent } from "@sallyport/core";

/**
 * A clerk who reckons with the first tool that he is offered, and reads its result out. A real one would ask a program, a database or a model of your own here; whatever it throws as a
 * `GatewayError` its caller is told.
 */
export const clerk = defineProvider({
  name: "house",
  models: [
    { code: "clerk", features: ["chat", "tools"], contextTokens: 8_000, prices: { input: "0.50", output: "2" } },
    { code: "card-index", kind: "embedding" },
  ],
  answer: async function* (call, { signal }) {
    signal.throwIfAborted();
    yield { type: "start", id: `clerk-${Date.now()}`, model: "clerk", createdAtMs: Date.now() };
    const result = call.messages.at(-1);
    const tool = call.tools?.find((one) => "name" in one && one.name.endsWith("calculator"));
    if (result?.role === "tool") yield* said(`That makes ${textOf(result.content.flatMap(({ content }) => content))}.`);
    else if (tool !== undefined && "name" in tool) yield* asked(tool.name, JSON.stringify({ expression: lastText(call) }));
    else yield* said("I have nothing to reckon with.");
    // What is not counted is left out: unknown is not zero.
    yield { type: "usage", usage: { inputTokens: 1_000, outputTokens: 10 } };
  },
  operations: {
    embed: (call) =>
      Promise.resolve({
        model: call.model,
        vectors: call.inputs.map((input) => [input.length, typeof input === "string" ? input.split(" ").length : input.length]),
        usage: {},
      }),
  },
});

function* said(text: string): Generator<ModelEvent> {
  yield { type: "text-start", index: 0, block: 0 };
  yield { type: "text-delta", index: 0, block: 0, text };
  yield { type: "text-end", index: 0, block: 0 };
  yield { type: "finish", index: 0, reason: "stop" };
}

function* asked(name: string, args: string): Generator<ModelEvent> {
  yield { type: "tool-call-start", index: 0, block: 0, id: "call_1", name };
  yield { type: "tool-call-delta", index: 0, block: 0, text: args };
  yield { type: "tool-call-end", index: 0, block: 0 };
  yield { type: "finish", index: 0, reason: "tool-calls" };
}

function lastText(call: ModelCall): string {
  return textOf(call.messages.findLast(({ role }) => role === "user")?.content ?? []);
}

function textOf(parts: readonly { readonly type: string; readonly text?: string }[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
