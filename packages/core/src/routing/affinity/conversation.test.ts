import { expect, it } from "vitest";
import type { ModelCall } from "../../calls/index.js";
import { conversationOfBytes, conversationOfCall } from "./conversation.js";

const of = (body: unknown, session?: string) =>
  conversationOfBytes(new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)), session);
const user = (content: unknown) => ({ role: "user", content });
const system = { role: "system", content: "Be brief." };

it("is the same in each turn of a conversation, and another with another beginning", () => {
  const first = of({ model: "m", messages: [system, user("Hello")] });
  const later = of({ model: "m", temperature: 1, messages: [system, user("Hello"), { role: "assistant", content: "Hi" }, user("More")] });
  expect(first.session).toBeNull();
  expect(first.prefix).not.toBeNull();
  expect(later).toEqual(first);
  expect(of({ messages: [system, user("Hello!")] })).not.toEqual(first);
  expect(of({ messages: [{ ...system, content: "Be long." }, user("Hello")] })).not.toEqual(first);
});

it("does not depend on how the beginning is written down, or where its cache is marked", () => {
  const plain = of({ messages: [system, user("Hello")] });
  const spaced = of(
    '{ "messages" : [ {"content":"Be brief.", "role":"system"} , { "role":"user", "content" : [ {"text":"Hello","type":"text"} ] } ] }',
  );
  const marked = of({ messages: [system, user([{ type: "text", text: "Hello", cache_control: { type: "ephemeral", ttl: "1h" } }])] });
  expect([spaced, marked]).toEqual([plain, plain]);
});

it.each([
  [
    "Anthropic",
    { system: "Be brief.", messages: [user("Hello")] },
    { system: [{ type: "text", text: "Be brief.", cache_control: {} }], messages: [user("Hello"), user("b")] },
  ],
  ["OpenAI's responses", { instructions: "Be brief.", input: "Hello" }, { input: "Hello", store: false, instructions: "Be brief." }],
  [
    "their lists",
    { input: [user([{ type: "input_text", text: "Hello" }])] },
    { input: [user([{ type: "input_text", text: "Hello" }]), { type: "reasoning", id: "x" }] },
  ],
  [
    "Google",
    { contents: [{ parts: [{ text: "Hello" }] }] },
    { contents: [{ parts: [{ text: "Hello" }] }, { role: "model", parts: [{ text: "Hi" }] }] },
  ],
])("is found in the dialect of %s", (_name, first, later) => {
  expect(of(first).prefix).not.toBeNull();
  expect(of(later)).toEqual(of(first));
  expect(of(JSON.parse(JSON.stringify(first).replace("Hello", "Bye"))).prefix).not.toBe(of(first).prefix);
});

it("is what the caller calls it, whatever it begins with; the header wins", () => {
  const named = of({ prompt_cache_key: "s1", messages: [user("a")] });
  expect(named.session).not.toBeNull();
  expect(of({ messages: [user("b")], prompt_cache_key: "s1" })).toEqual(named);
  expect(of({ messages: [user("c")] }, "s1")).toEqual(named);
  expect(of({ prompt_cache_key: "s2", messages: [user("c")] }, "s1")).toEqual(named);
  expect(of({ prompt_cache_key: 5, messages: [user("c")] }).session).toBeNull();
});

it("has nothing to go by in a call without a beginning", () => {
  for (const body of [{}, { messages: [] }, { messages: [{ role: "assistant", content: "Hi" }] }]) expect(of(body).prefix).toBeNull();
});

it("reads no further than it must into large content, and cuts within a character", () => {
  const large = (tail: string) => of({ messages: [user(`${"é".repeat(50_000)}${tail}`)] });
  expect(large("a")).toEqual(large("b"));
});

it("of a call in neutral shape goes by the same parts", () => {
  const call = (text: string, rest: Partial<ModelCall> = {}): ModelCall => ({
    model: "m",
    messages: [
      { role: "system", content: [{ type: "text", text: "Be brief." }] },
      {
        role: "user",
        content: [
          { type: "text", text },
          { type: "media", mediaType: "image/png", source: { kind: "url", url: "http://x" } },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: String(Math.random()) }] },
    ],
    ...rest,
  });
  expect(conversationOfCall(call("a"), undefined)).toEqual(conversationOfCall(call("a"), undefined));
  expect(conversationOfCall(call("a"), undefined)).not.toEqual(conversationOfCall(call("b"), undefined));
  expect(conversationOfCall(call("a", { promptCacheKey: "k" }), undefined)).toEqual(conversationOfCall(call("b"), "k"));
});
