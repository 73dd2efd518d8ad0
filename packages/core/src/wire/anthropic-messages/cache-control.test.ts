import { expect, it } from "vitest";
import { bytesOf, textOf } from "../../../test/wire/chunks.js";
import type { CacheMark, ModelCall } from "../../calls/index.js";
import { anthropicMessages as codec } from "./anthropic-messages.js";

const marked = (text: string, cache: CacheMark) => ({ type: "text", text, cache }) as const;
const encode = (call: ModelCall) => {
  const { bytes, warnings } = codec.encodeRequest(call, { model: "m", stream: false, quirks: {} });
  // oxlint-disable-next-line typescript/no-explicit-any -- a body is looked into at many depths
  return { body: JSON.parse(textOf(bytes)) as Record<string, any>, warnings: (warnings ?? []).map((warning) => warning.field) };
};

it("keeps the last four marks of the prompt, in the order tools, system, messages", () => {
  const { body, warnings } = encode({
    model: "m",
    tools: [{ name: "f", inputSchema: { type: "object" }, cache: {} }],
    messages: [
      { role: "system", content: [marked("a", {}), marked("b", {})] },
      { role: "tool", content: [{ type: "tool-result", callId: "x", content: [marked("c", {})], cache: {} }] },
      { role: "user", content: [marked("d", {})] },
    ],
  });
  expect(body["tools"][0]).not.toHaveProperty("cache_control");
  expect(body["system"].map((block: object) => "cache_control" in block)).toEqual([false, true]);
  const [result, said] = body["messages"][0].content;
  expect([result.content[0].cache_control, result.cache_control, said.cache_control]).toEqual(Array(3).fill({ type: "ephemeral" }));
  expect(warnings).toEqual(["cache"]);
});

it("knows two times, and puts no longer one behind a shorter one", () => {
  const { body, warnings } = encode({
    model: "m",
    messages: [
      { role: "user", content: [marked("a", { ttl: "12h" }), marked("b", {}), marked("c", { ttl: "1h" }), marked("d", { ttl: "5m" })] },
    ],
  });
  expect(body["messages"][0].content.map((block: { cache_control: { ttl?: string } }) => block.cache_control.ttl)).toEqual([
    "1h",
    undefined,
    "5m",
    "5m",
  ]);
  expect(warnings).toEqual(["cache.ttl", "cache.ttl"]);
});

it("counts the automatic mark of the whole request, and leaves what else stands in a mark", () => {
  const own = { type: "ephemeral", scope: "turn" };
  const content = ["a", "b", "c", "d"].map((text) => ({ type: "text", text, cache_control: own }));
  const request = { model: "m", cache_control: { type: "ephemeral" }, messages: [{ role: "user", content }] };
  const { body } = encode(codec.decodeRequest(bytesOf(JSON.stringify(request))));
  expect(body["cache_control"]).toEqual({ type: "ephemeral" });
  expect(body["messages"][0].content.map((block: object) => ("cache_control" in block ? block.cache_control : null))).toEqual([
    null,
    own,
    own,
    own,
  ]);
});

it("equal calls have equal bytes", () => {
  const call: ModelCall = {
    model: "m",
    tools: [{ name: "f", inputSchema: { b: 1, a: 2 } }],
    messages: [{ role: "user", content: [marked("a", {})] }],
  };
  const bytes = () => textOf(codec.encodeRequest(structuredClone(call), { model: "m", stream: true, quirks: {} }).bytes);
  expect(bytes()).toBe(bytes());
});
