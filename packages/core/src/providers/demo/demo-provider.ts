import type { Message, ModelCall } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { Provider } from "../provider.js";
import { demoModels, demoOperations } from "./demo-operations.js";
import { demoEvents, type DemoAnswer } from "./demo-events.js";

/** The name of the provider that is always there. */
export const DEMO = "demo";

const models: Readonly<Record<string, (call: ModelCall) => DemoAnswer>> = { echo, scripted };

/**
 * The offline provider that every gateway has, so that each face works without a network or a key. Plainly no real model: its models are owned by
 * `sallyport-demo`.
 *
 * `demo/echo` answers with the last user message's text. `demo/scripted` answers the user text `call NAME JSON` with a call of that tool with those
 * arguments, the tool's result with its text, and any other text with `done`. Both report usage in words and cost nothing. `demo/embed`, `demo/image`, `demo/speech`,
 * `demo/transcribe`, `demo/video` and `demo/moderate` do what their names say, each in the smallest way.
 */
export function demoProvider(): Provider {
  const free = { input: "0", output: "0", cacheRead: "0", cacheWrite: "0" };
  const described = { outputFormats: ["text"], prices: free, source: "built in" };
  return new Provider({
    name: DEMO,
    ownedBy: "sallyport-demo",
    models: [
      { ...described, code: "echo", title: "Demo: repeats what you say (offline)", features: ["chat", "streaming"], supportsMcp: false },
      {
        ...described,
        code: "scripted",
        title: "Demo: does as it is told (offline)",
        features: ["chat", "streaming", "tools"],
        supportsMcp: true,
      },
      ...demoModels.map((model) => ({ ...model, prices: free, source: "built in", supportsMcp: false })),
    ],
    operations: demoOperations,
    answer: (call, o) => {
      const model = Object.hasOwn(models, o.model) ? models[o.model] : undefined;
      if (model === undefined)
        throw new GatewayError("model_not_found", `The demo provider has no model "${o.model.slice(0, 200)}".`, {
          hint: `It has ${Object.keys(models).join(" and ")}.`,
        });
      return demoEvents(call, { model: `${DEMO}/${o.model}`, answer: model(call), signal: o.signal });
    },
  });
}

function echo(call: ModelCall): DemoAnswer {
  return { kind: "text", text: lastUserText(call) };
}

function scripted(call: ModelCall): DemoAnswer {
  const last = call.messages.at(-1);
  if (last?.role === "tool") return { kind: "text", text: last.content.map((result) => textOf(result.content)).join("\n") };
  const order = /^\s*call\s+(\S+)(?:\s+([\s\S]*))?$/.exec(lastUserText(call));
  const args = order?.[2]?.trim() || "{}";
  if (order === null || !isJsonObject(args)) return { kind: "text", text: "done" };
  // The same conversation gets the same id.
  const earlier = call.messages.filter((message) => message.role === "tool").length;
  return { kind: "tool-call", id: `call_demo_${earlier + 1}`, name: order[1]!, arguments: args };
}

function lastUserText(call: ModelCall): string {
  const last = call.messages.findLast((message) => message.role === "user");
  return last === undefined ? "" : textOf(last.content);
}

function textOf(content: Message["content"]): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false; // an order whose arguments cannot be read is no order
  }
}
