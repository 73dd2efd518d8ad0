import { describe, expect, it } from "vitest";
import { checkMutatedBodies } from "../../../../test/wire/mutated-bodies.js";
import { utf8 } from "../../../util/json.js";
import { openaiResponses } from "../openai-responses.js";
import { mutatedBody } from "../../../../test/wire/responses-mutated-body.js";

const scan = (text: string) => openaiResponses.scanHead(utf8(text));
const splice = (text: string, model?: string) => {
  const bytes = utf8(text);
  const head = openaiResponses.scanHead(bytes);
  return { given: bytes, encoded: openaiResponses.spliceRequest(bytes, head, { model: model ?? head.name, quirks: {} }) };
};

describe("the head", () => {
  it("is read with the places of its parts, those about state among them", () => {
    const text =
      ' {"store" : false,"previous_response_id":"resp_1", "model":"gpt\\u002d5","max_output_tokens" : 7,"stream":true ,"input":[{"role":"user"}]} ';
    const head = scan(text);
    expect(head).toMatchObject({
      kind: "model",
      protocol: "openai-responses",
      operation: "generate",
      name: "gpt-5",
      stream: true,
      maxOutputTokens: 7,
      wantsUsage: true,
    });
    const spans = Object.fromEntries(Object.entries(head.spans).map(([name, { start, end }]) => [name, text.slice(start, end)]));
    expect(spans).toEqual({
      store: "false",
      previous_response_id: '"resp_1"',
      model: '"gpt\\u002d5"',
      max_output_tokens: "7",
      stream: "true",
      input: '[{"role":"user"}]',
    });
  });

  it.each([
    ["", "invalid_json", undefined],
    ["{", "invalid_json", undefined],
    ['{"model":"a","input":"x",}', "invalid_json", undefined],
    ["[]", "validation_failed", ""],
    ['{"input":"x"}', "validation_failed", "model"],
    ['{"model":7,"input":"x"}', "validation_failed", "model"],
    ['{"model":"a"}', "validation_failed", "input"],
    ['{"model":"a","input":null}', "validation_failed", "input"],
    ['{"model":"a","input":{}}', "validation_failed", "input"],
    ['{"model":"a","input":"x","stream":1}', "validation_failed", "stream"],
    ['{"model":"a","input":"x","max_output_tokens":-1}', "validation_failed", "max_output_tokens"],
    ['{"model":"a","input":"x","store":true,"store":false}', "validation_failed", "store"],
    ['{"model":"a","input":"x","model":"b"}', "validation_failed", "model"],
  ])("%s is refused", (text, code, param) => {
    const read = () => scan(text);
    expect(read).toThrow(expect.objectContaining({ code }) as Error);
    if (param !== undefined) expect(read).toThrow(expect.objectContaining({ details: { param } }) as Error);
  });

  it("needs no input where something stands for it", () => {
    for (const stands of ['"previous_response_id":"r"', '"conversation":"c"', '"prompt":{"id":"p"}', '"instructions":"x"'])
      expect(scan(`{"model":"m",${stands}}`).name).toBe("m");
  });

  it("is decided on as the whole body is, whatever bytes are changed", () => {
    expect(() => checkMutatedBodies(3_000, { codec: openaiResponses, body: mutatedBody })).not.toThrow();
  });
});

describe("a relayed request", () => {
  it("is the caller's own array when the model's name stays", () => {
    const { given, encoded } = splice('{"model":"m","input":"x"}');
    expect(encoded.bytes).toBe(given);
    expect(encoded.path).toBe("/responses");
  });

  it("keeps every byte but the model's name", () => {
    const { encoded } = splice('{ "input":"x" , "model" : "openai/m","x":1.0, "prompt_cache_key":"k","stream":true}', "n");
    expect(new TextDecoder().decode(encoded.bytes)).toBe('{ "input":"x" , "model" : "n","x":1.0, "prompt_cache_key":"k","stream":true}');
    expect(encoded.headers).toContainEqual(["accept", "text/event-stream"]);
  });
});
