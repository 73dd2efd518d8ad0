import { describe, expect, it } from "vitest";
import { fold, type Message, type ModelCall, type ModelEvent, type Usage } from "../../calls/index.js";
import { demoProvider } from "./demo-provider.js";

const never = new AbortController().signal;
const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
function ask(
  model: string,
  messages: readonly Message[],
  { signal = never, ...rest }: Partial<ModelCall> & { readonly signal?: AbortSignal } = {},
): AsyncIterable<ModelEvent> {
  const { reach } = demoProvider();
  if (reach.kind !== "in-process") throw new Error("The demo needs no network.");
  return reach.answer({ model: `demo/${model}`, messages, ...rest }, { model, signal });
}
async function deltas(events: AsyncIterable<ModelEvent>): Promise<string[]> {
  const texts: string[] = [];
  for await (const event of events) if (event.type === "text-delta") texts.push(event.text);
  return texts;
}
const answerOf = async (...args: Parameters<typeof ask>) => {
  const { candidates, usage } = await fold(ask(...args));
  return { content: candidates[0]!.content, finish: candidates[0]!.finishReason, usage };
};

describe("demo/echo", () => {
  it("repeats the last user text, word by word, to the character", async () => {
    expect(await deltas(ask("echo", [user("first"), user("  Příliš žluťoučký\n\nkůň  😀 ")]))).toEqual([
      "  Příliš",
      " žluťoučký",
      "\n\nkůň",
      "  😀 ",
    ]);
  });

  it("counts words: those of the whole request, and those of its answer", async () => {
    const messages: Message[] = [{ role: "system", content: [{ type: "text", text: "be brief" }] }, user("one two three")];
    expect((await answerOf("echo", messages)).usage).toEqual<Usage>({ inputTokens: 5, outputTokens: 3 });
  });

  it.each([
    ["nothing", []],
    ["an empty text", [user("")]],
    ["a picture alone", [{ role: "user", content: [{ type: "media", mediaType: "image/png", source: { kind: "base64", data: "" } }] }]],
  ] as [string, Message[]][])("answers %s with an empty text", async (_case, messages) => {
    expect(await answerOf("echo", messages)).toMatchObject({
      content: [{ type: "text", text: "" }],
      finish: "stop",
      usage: { outputTokens: 0 },
    });
  });

  it("stops at the words it was allowed", async () => {
    const answer = await answerOf("echo", [user("one two three")], { maxOutputTokens: 2 });
    expect(answer).toMatchObject({ content: [{ text: "one two" }], finish: "length", usage: { outputTokens: 2 } });
  });

  it("is aborted in the middle, also when nobody waits between its words", async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of ask("echo", [user("word ".repeat(100_000))], { signal: controller.signal }))
        if (event.type === "text-delta") seen.push(event.text);
    })();
    setTimeout(() => controller.abort(), 0);
    await expect(reading).rejects.toMatchObject({ code: "cancelled" });
    expect(seen.length).toBeLessThan(100_000);
  });
});

describe("demo/scripted", () => {
  it("calls the tool that it is told to, with the arguments as they were written", async () => {
    const answer = await answerOf("scripted", [user('call demo__calculator {"b": 12345678901234567890, "a":1}')]);
    expect(answer.finish).toBe("tool-calls");
    expect(answer.content).toEqual([
      expect.objectContaining({
        type: "tool-call",
        id: "call_demo_1",
        name: "demo__calculator",
        arguments: '{"b": 12345678901234567890, "a":1}',
      }),
    ]);
    expect(answer.usage).toEqual({ inputTokens: 5, outputTokens: 4 });
  });

  it("calls with no arguments when none are given", async () => {
    expect((await answerOf("scripted", [user("call demo__time")])).content).toMatchObject([{ name: "demo__time", arguments: "{}" }]);
  });

  it("answers the tool's result with its text", async () => {
    const result: Message = {
      role: "tool",
      content: [{ type: "tool-result", callId: "call_demo_1", content: [{ type: "text", text: "it is noon" }] }],
    };
    expect((await answerOf("scripted", [user("call demo__time"), result])).content).toMatchObject([{ type: "text", text: "it is noon" }]);
  });

  it.each(["hello", "please call x {}", "call", "call x [1]", "call x {broken", "callx {}"])("answers %j with done", async (text) => {
    expect((await answerOf("scripted", [user(text)])).content).toMatchObject([{ type: "text", text: "done" }]);
  });
});

it("has no other model", () => {
  expect(() => ask("gpt", [user("x")])).toThrow(expect.objectContaining({ code: "model_not_found" }));
  expect(() => ask("__proto__", [user("x")])).toThrow(expect.objectContaining({ code: "model_not_found" }));
});
