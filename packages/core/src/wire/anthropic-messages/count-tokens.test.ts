import { expect, it } from "vitest";
import { bytesOf, textOf } from "../../../test/wire/chunks.js";
import { dataFiles, readData } from "../../../test/wire/test-data.js";
import type { ModelCall } from "../../calls/index.js";
import { countTokens } from "./count-tokens.js";

const call: ModelCall = {
  model: "m",
  messages: [
    { role: "system", content: [{ type: "text", text: "s" }] },
    { role: "user", content: [{ type: "text", text: "hi" }] },
  ],
  tools: [{ name: "f", inputSchema: { type: "object" } }],
  maxOutputTokens: 5,
  temperature: 0,
  stop: ["x"],
  user: "u",
  reasoning: { effort: "low" },
};

it("115: asks for the count of what would be sent, without what says how to answer", () => {
  const { path, bytes } = countTokens.encodeRequest(call, { model: "claude", quirks: {} });
  expect(path).toBe("/v1/messages/count_tokens");
  expect(JSON.parse(textOf(bytes))).toEqual({
    model: "claude",
    system: "s",
    messages: [{ role: "user", content: "hi" }],
    tools: [{ name: "f", input_schema: { type: "object" } }],
    thinking: { type: "adaptive" },
    output_config: { effort: "low" },
  });
});

it("reads and writes counts, and what is asked without a limit of output", () => {
  expect(countTokens.decodeAnswer(bytesOf('{"input_tokens":42}'))).toEqual({ inputTokens: 42, estimated: false });
  expect(textOf(countTokens.encodeAnswer({ inputTokens: 42, estimated: true }))).toBe('{"input_tokens":42}');
  expect(() => countTokens.decodeAnswer(bytesOf("{}"))).toThrow(/no number of tokens/);
  expect(() => countTokens.decodeAnswer(bytesOf('{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}'))).toThrow("slow");
  const asked = countTokens.decodeRequest(bytesOf('{"model":"m","messages":[{"role":"user","content":"hi"}]}'));
  expect(asked).toEqual({ model: "m", messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] });
});

for (const path of dataFiles("requests/requests/count-tokens", ".json"))
  it(`${path}: can be asked again`, () => {
    const given = countTokens.decodeRequest(readData(path));
    const again = countTokens.decodeRequest(countTokens.encodeRequest(given, { model: given.model, quirks: {} }).bytes);
    expect(again.messages).toEqual(given.messages);
  });
