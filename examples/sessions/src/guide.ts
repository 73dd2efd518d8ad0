import { defineProvider, type Message, type ModelEvent } from "@sallyport/core";

/** A model that remembers nothing but what it is sent: it repeats what its user has said so far. A vendor's model is told the same. */
export const guide = defineProvider({
  name: "house",
  models: [{ code: "guide", features: ["chat"] }],
  answer: async function* (call, { signal }): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted();
    const heard = call.messages.filter(({ role }) => role === "user").map(textOf);
    yield { type: "start", id: `guide-${Date.now()}`, model: "guide", createdAtMs: Date.now() };
    yield { type: "text-start", index: 0, block: 0 };
    yield { type: "text-delta", index: 0, block: 0, text: `You said: ${heard.join(", then: ")}.` };
    yield { type: "text-end", index: 0, block: 0 };
    yield { type: "finish", index: 0, reason: "stop" };
  },
});

function textOf({ content }: Message): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}
