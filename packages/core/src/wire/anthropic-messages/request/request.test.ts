import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelCall } from "../../../../test/wire/anthropic-arbitraries.js";
import { bodyOf, decode, encode, refusalOf, user, warned } from "../../../../test/wire/anthropic-requests.js";
import { bytesOf, textOf } from "../../../../test/wire/chunks.js";
import type { Message, ModelCall } from "../../../calls/index.js";
import { anthropicMessages as codec } from "../anthropic-messages.js";

it("what was encoded decodes to the same call", () => {
  fc.assert(
    fc.property(modelCall, (call) => {
      const { bytes } = codec.encodeRequest(call, { model: call.model, stream: false, quirks: {} });
      expect(codec.decodeRequest(bytes)).toEqual(call);
    }),
    { numRuns: 400 },
  );
});

describe("reasoning", () => {
  it("4: a thinking block goes back as it came, also with an empty text", () => {
    const content = [
      { type: "thinking", thinking: "", signature: "SIG==" },
      { type: "thinking", thinking: "so", signature: "SIG2==" },
      { type: "tool_use", id: "t", name: "f", input: {} },
    ];
    const messages = [
      { role: "user", content: "hi" },
      { role: "assistant", content },
    ];
    const call = decode({ messages });
    expect(call.messages[1]?.content[0]).toEqual({ type: "reasoning", text: "", opaque: "SIG==" });
    expect(bodyOf(call)["messages"]).toEqual(messages);
  });

  it("5: redacted thinking goes back as it came", () => {
    const messages = [
      { role: "user", content: "hi" },
      {
        role: "assistant",
        content: [
          { type: "redacted_thinking", data: "x" },
          { type: "text", text: "a" },
        ],
      },
      { role: "user", content: "and?" },
    ];
    expect(bodyOf(decode({ messages }))["messages"]).toEqual(messages);
  });

  it("13: reasoning of other vendors is left out, what else was said stays, and no turn is empty", () => {
    const messages: Message[] = [
      user("a"),
      { role: "assistant", content: [{ type: "reasoning", text: "hm" }] },
      user("b"),
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "hm" },
          { type: "text", text: "c" },
        ],
      },
      user("d"),
    ];
    expect(bodyOf({ messages })["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      { role: "assistant", content: "c" },
      { role: "user", content: "d" },
    ]);
    expect(warned({ messages })).toEqual(["messages[1].content[0]", "messages[1]", "messages[3].content[0]"]);
  });

  it("21: a budget is at least 1024 and below the limit of output, which the caller's own holds", () => {
    const thinking = (call: Partial<ModelCall>) => {
      const body = bodyOf(call);
      return [body["thinking"]?.budget_tokens, body["max_tokens"]];
    };
    expect(thinking({ reasoning: { budgetTokens: 5 } })).toEqual([1024, 32_000]);
    expect(thinking({ reasoning: { budgetTokens: 9000 }, maxOutputTokens: 4000 })).toEqual([3999, 4000]);
    expect(thinking({ reasoning: { budgetTokens: 40_000 } })).toEqual([40_000, 48_192]);
    expect(thinking({ reasoning: { budgetTokens: 2000 }, maxOutputTokens: 1000 })).toEqual([undefined, 1000]);
    expect(warned({ reasoning: { budgetTokens: 2000 }, maxOutputTokens: 1000 })).toEqual(["reasoning.budgetTokens"]);
  });

  it("22: thinking by a budget gives way to a tool that has to be called", () => {
    const call = {
      reasoning: { budgetTokens: 2000 },
      tools: [{ name: "f", inputSchema: { type: "object" } }],
      toolChoice: "required",
    } as const;
    expect(bodyOf(call)).toMatchObject({ tool_choice: { type: "any" } });
    expect(bodyOf(call)).not.toHaveProperty("thinking");
    expect(warned(call)).toEqual(["reasoning.budgetTokens"]);
  });

  it("says how much to think in the protocol's words, and nothing that was not said", () => {
    expect(bodyOf({ reasoning: { effort: "high" } })).toMatchObject({ thinking: { type: "adaptive" }, output_config: { effort: "high" } });
    expect(bodyOf({ reasoning: { effort: "none" } })).toMatchObject({ thinking: { type: "disabled" } });
    expect(bodyOf({ reasoning: { effort: "minimal", visible: true } })).toMatchObject({
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "low" },
    });
    const effortAlone = bodyOf(decode({ output_config: { effort: "low" } }));
    expect(effortAlone).not.toHaveProperty("thinking");
    expect(effortAlone["output_config"]).toEqual({ effort: "low" });
    for (const thinking of [{ type: "between_tools" }, { type: "adaptive", block_binding: { prefix_mismatch_behavior: "drop_block" } }])
      expect(bodyOf(decode({ thinking }))["thinking"]).toEqual(thinking);
  });
});

describe("content", () => {
  it("83: the system prompt stands in front, and a system message further on stays where it is", () => {
    const system = (text: string, role: "system" | "developer" = "system"): Message => ({ role, content: [{ type: "text", text }] });
    const messages = [system("a"), system("b", "developer"), user("hi"), system("now")];
    expect(bodyOf({ messages })).toMatchObject({
      system: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
      messages: [
        { role: "user", content: "hi" },
        { role: "system", content: "now" },
      ],
    });
    expect(bodyOf(decode({ system: "be brief" }))["system"]).toBe("be brief");
  });

  it("83: a system message that adds or takes away tools goes back whole", () => {
    const content = [
      { type: "text", text: "Now you may search." },
      { type: "tool_addition", tool: { name: "search" } },
    ];
    const call = decode({
      messages: [
        { role: "user", content: "hi" },
        { role: "system", content },
      ],
    });
    expect(call.messages[1]?.content).toEqual([{ type: "text", text: "Now you may search." }]);
    expect(bodyOf(call)["messages"][1]).toEqual({ role: "system", content });
  });

  it("86: texts of blanks are left out, and what is to be continued does not end in blanks", () => {
    const messages: Message[] = [
      {
        role: "user",
        content: [
          { type: "text", text: " \n" },
          { type: "text", text: "a" },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "" }] },
      { role: "assistant", content: [{ type: "text", text: "so: \n" }] },
    ];
    expect(bodyOf({ messages })["messages"]).toEqual([
      { role: "user", content: "a" },
      { role: "assistant", content: "so:" },
    ]);
    expect(refusalOf(() => encode({ messages: [user("")] }))).toEqual(["validation_failed", "messages"]);
  });

  it("87, 88: turns alternate; the first may be the assistant's, and the last too", () => {
    const said = (text: string): Message => ({ role: "assistant", content: [{ type: "text", text }] });
    expect(bodyOf({ messages: [said("a"), said("b"), user("c"), user("d"), said("e")] })["messages"]).toEqual([
      {
        role: "assistant",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      {
        role: "user",
        content: [
          { type: "text", text: "c" },
          { type: "text", text: "d" },
        ],
      },
      { role: "assistant", content: "e" },
    ]);
  });

  it("89: stop sequences go as they are, but for blanks, which the vendor refuses", () => {
    expect(bodyOf({ stop: ["END", "\n"] })["stop_sequences"]).toEqual(["END"]);
    expect(warned({ stop: ["\n"] })).toEqual(["stop"]);
  });

  it("90: what has no counterpart is refused or left out with a warning; zero is a value", () => {
    expect(refusalOf(() => encode({ n: 2 }))).toEqual(["unsupported_feature", "n"]);
    expect(refusalOf(() => encode({ logprobs: 0 }))).toEqual(["unsupported_feature", "logprobs"]);
    expect(refusalOf(() => encode({ outputModalities: ["text", "audio"] }))).toEqual(["unsupported_feature", "outputModalities"]);
    expect(
      warned({ seed: 0, presencePenalty: 1, frequencyPenalty: 1, promptCacheKey: "k", metadata: { a: "b" }, serviceTier: "flex" }),
    ).toEqual(["serviceTier", "metadata", "seed", "presencePenalty", "frequencyPenalty", "promptCacheKey"]);
    expect(bodyOf({ temperature: 0 })["temperature"]).toBe(0);
    expect(bodyOf({ temperature: 1.7 })["temperature"]).toBe(1);
    expect(warned({ temperature: 0.5, topK: 4, topP: 0.5, reasoning: { effort: "high" } })).toEqual(["temperature", "topP", "topK"]);
  });

  it("91: the limit of output is the caller's, else one that every model can write", () => {
    expect(bodyOf({})["max_tokens"]).toBe(32_000);
    expect(bodyOf({ maxOutputTokens: 0 })["max_tokens"]).toBe(0);
  });

  it("92: citations of the vendor come back, those of others are left out with a warning", () => {
    const own = { type: "web_search_result_location", url: "https://x.test", title: null, cited_text: "c", encrypted_index: "E" };
    const foreign = { ...own, encrypted_index: "" };
    const messages = [
      { role: "user", content: "hi" },
      { role: "assistant", content: [{ type: "text", text: "a", citations: [own, foreign] }] },
      { role: "user", content: "b" },
    ];
    const call = decode({ messages });
    expect(bodyOf(call)["messages"][1].content).toEqual([{ type: "text", text: "a", citations: [own] }]);
    expect(warned(call)).toEqual(["messages[1].content[0].citations"]);
  });

  it("85: media that the protocol has no block for are refused by their place", () => {
    const audio = { type: "media", mediaType: "audio/wav", source: { kind: "base64", data: "AAAA" } } as const;
    const bmp = { type: "media", mediaType: "image/bmp", source: { kind: "base64", data: "AAAA" } } as const;
    for (const part of [audio, bmp])
      expect(refusalOf(() => encode({ messages: [{ role: "user", content: [{ type: "text", text: "a" }, part] }] }))).toEqual([
        "unsupported_feature",
        "messages[0].content[1]",
      ]);
  });

  it("search results and documents of parts can be read by every model, and go back whole", () => {
    const content = [
      {
        type: "search_result",
        source: "https://x.test",
        title: "T",
        content: [{ type: "text", text: "found" }],
        citations: { enabled: true },
      },
      { type: "document", source: { type: "content", content: [{ type: "text", text: "part" }] }, title: "D" },
      { type: "container_upload", file_id: "f" },
    ];
    const call = decode({ messages: [{ role: "user", content }] });
    expect(call.messages[0]?.content).toMatchObject([
      { type: "text", text: "T\nhttps://x.test\nfound" },
      { type: "text", text: "D\npart" },
      { type: "native" },
    ]);
    expect(bodyOf(call)["messages"][0].content).toEqual(content);
  });

  it("structured output has a schema; JSON without one is told to the model in words", () => {
    const schema = { type: "object", properties: {}, additionalProperties: false };
    expect(bodyOf({ output: { type: "json-schema", name: "x", schema } })["output_config"]).toEqual({
      format: { type: "json_schema", schema },
    });
    expect(bodyOf({ output: { type: "json" } })["system"]).toContain("JSON");
    expect(warned({ output: { type: "json" } })).toEqual(["output"]);
    expect(bodyOf({ output: { type: "text" } })).not.toHaveProperty("output_config");
  });

  it("a text document is a text block, whatever kind of text it is", () => {
    const part = {
      type: "media",
      mediaType: "text/csv; charset=utf-8",
      source: { kind: "base64", data: btoa("a,b") },
      filename: "t.csv",
    } as const;
    expect(bodyOf({ messages: [{ role: "user", content: [part] }] })["messages"][0].content).toEqual([
      { type: "document", source: { type: "text", media_type: "text/plain", data: "a,b" }, title: "t.csv" },
    ]);
  });
});

describe("the caller's bytes", () => {
  it("is read in one pass, with what is wrong named", () => {
    const head = (text: string) => codec.scanHead(bytesOf(text));
    expect(head('{"model":"a/b","max_tokens":7,"messages":[],"stream":true}')).toMatchObject({
      name: "a/b",
      maxOutputTokens: 7,
      stream: true,
      wantsUsage: true,
      operation: "generate",
      protocol: "anthropic-messages",
    });
    expect(refusalOf(() => head('{"messages":[]}'))).toEqual(["validation_failed", "model"]);
    expect(refusalOf(() => head('{"model":"a","messages":5}'))).toEqual(["validation_failed", "messages"]);
    expect(refusalOf(() => head('{"model":"a","messages":[],"model":"b"}'))).toEqual(["validation_failed", "model"]);
    expect(refusalOf(() => head('{"model":"a","messages":['))).toEqual(["invalid_json", undefined]);
  });

  it("62: relayed they keep every byte but the model's name", () => {
    const text = '{ "model" : "a/b", "messages":[{"role":"user","content":"\\u00e9"}], "new_field":1e400 , "stream":true}';
    const bytes = bytesOf(text);
    const head = codec.scanHead(bytes);
    const spliced = codec.spliceRequest(bytes, head, { model: "c", quirks: {} });
    expect(textOf(spliced.bytes)).toBe(text.replace('"a/b"', '"c"'));
    expect(spliced.path).toBe("/v1/messages");
    expect(codec.spliceRequest(bytes, head, { model: "a/b", quirks: {} }).bytes).toBe(bytes);
  });

  it("are refused with the name of the field that is wrong", () => {
    const cases: [object, string][] = [
      [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].role"],
      [{ messages: [{ role: "user", content: [{ text: "x" }] }] }, "messages[0].content[0].type"],
      [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
      [{ thinking: { type: "enabled" } }, "thinking.budget_tokens"],
      [{ tool_choice: { type: "some" } }, "tool_choice.type"],
      [{ tools: [{ name: "f" }] }, "tools[0].input_schema"],
      [{ stop_sequences: [1] }, "stop_sequences"],
      [{ max_tokens: -1 }, "max_tokens"],
      [{ output_config: { format: { type: "xml" } } }, "output_config.format.type"],
      [{ system: [{ type: "image" }] }, "system[0].type"],
    ];
    for (const [body, param] of cases) expect(refusalOf(() => decode(body))).toEqual(["validation_failed", param]);
  });

  it("with a few changed make typed errors only, alike for both readers", () => {
    const original = bytesOf(
      '{"model":"a/b","max_tokens":5,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":"hi",' +
        '"__proto__":{"x":1}},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"constructor":1}}]}],"metadata":{"user_id":"\\ud800é😀"}}',
    );
    const outcome = (read: () => unknown) => String((refusalOf(read) as string[])[0]);
    const mutation = fc.tuple(fc.nat({ max: original.length - 1 }), fc.integer({ min: 0, max: 255 }));
    const property = fc.property(fc.array(mutation, { maxLength: 2 }), (mutations) => {
      const bytes = original.slice();
      for (const [at, byte] of mutations) bytes[at] = byte;
      const head = outcome(() => codec.scanHead(bytes));
      const whole = outcome(() => codec.decodeRequest(bytes));
      for (const found of [head, whole]) expect(["a", "invalid_json", "validation_failed", "unsupported_feature"]).toContain(found);
      expect(head === "invalid_json").toBe(whole === "invalid_json");
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
