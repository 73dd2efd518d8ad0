import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelAnswer } from "../../../../test/wire/chat-arbitraries.js";
import type { ModelAnswer, Usage } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import { openaiChat } from "../openai-chat.js";

const decode = (body: object): ModelAnswer => openaiChat.decodeAnswer(utf8(JSON.stringify(body)));
const encode = (answer: ModelAnswer) => JSON.parse(new TextDecoder().decode(openaiChat.encodeAnswer(answer))) as Record<string, unknown>;
const completion = (choice: object, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "m",
  choices: [{ index: 0, finish_reason: "stop", logprobs: null, ...choice }],
  ...more,
});
const said = (message: object, finish = "stop") =>
  decode(completion({ message: { role: "assistant", ...message }, finish_reason: finish })).candidates[0];
const call = (id: unknown, args: unknown = "{}") => ({ id, type: "function", function: { name: "f", arguments: args } });

describe("decoding what was encoded", () => {
  it("gives the same neutral answer", () => {
    fc.assert(
      fc.property(modelAnswer, (answer) => {
        const { extras: _extras, ...decoded } = openaiChat.decodeAnswer(openaiChat.encodeAnswer(answer));
        const { extras, ...given } = answer;
        expect(decoded).toEqual(given);
        expect(_extras?.["openai-chat"]).toMatchObject(extras?.["openai-chat"] ?? {});
      }),
      { numRuns: 500 },
    );
  });

  it("and its usage is read from the bytes as from the whole", () => {
    const property = fc.property(modelAnswer, (answer) => {
      expect(openaiChat.readUsage(openaiChat.encodeAnswer(answer))).toEqual(answer.usage);
    });
    fc.assert(property);
  });
});

describe("an answer", () => {
  it("goes through the neutral shape with all that its vendor said", () => {
    const body = completion(
      {
        message: {
          role: "assistant",
          content: "hi",
          refusal: null,
          annotations: [{ type: "url_citation", url_citation: { url: "https://x", title: "x", start_index: 0, end_index: 1 } }],
          reasoning_content: "so",
        },
        logprobs: { content: [{ token: "hi", logprob: -0.1, bytes: [104, 105], top_logprobs: [] }], refusal: null },
        content_filter_results: { hate: { filtered: false } },
      },
      {
        usage: {
          prompt_tokens: 5,
          completion_tokens: 3,
          total_tokens: 8,
          cost: 0.01,
          prompt_tokens_details: { cached_tokens: 2, audio_tokens: 1 },
        },
        system_fingerprint: "fp",
        service_tier: "default",
      },
    );
    expect(encode(decode(body))).toEqual(body);
  });

  it.each([
    ["text", { content: "hi" }, [{ type: "text", text: "hi" }]],
    ["nothing", { content: "" }, []],
    ["null", { content: null }, []],
    ["reasoning alone", { content: null, reasoning_content: "hm" }, [{ type: "reasoning", text: "hm" }]],
    [
      "empty reasoning, which has to be given back",
      { content: "x", reasoning_content: "" },
      [
        { type: "reasoning", text: "" },
        { type: "text", text: "x" },
      ],
    ],
    [
      "a list of parts",
      { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }, { type: "text", text: "x" }, { type: "other" }] },
      [
        { type: "reasoning", text: "hm" },
        { type: "text", text: "x" },
      ],
    ],
    [
      "sound",
      { content: null, audio: { id: "a", data: "AAAA", expires_at: 5, transcript: "hi" } },
      [{ type: "media", mediaType: "audio/*", source: { kind: "base64", data: "AAAA" } }],
    ],
    [
      "a picture of a dialect",
      { content: "x", images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
      [
        { type: "text", text: "x" },
        { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } },
      ],
    ],
  ])("with %s", (_name, message, content) => {
    const candidate = said(message);
    expect(candidate?.content).toMatchObject(content);
    expect(candidate?.content).toHaveLength(content.length);
    const back = encode(decode(completion({ message: { role: "assistant", refusal: null, ...message } })));
    expect(encode(decode(back))).toEqual(back);
  });

  it("that is empty has an empty text; beside calls it has none", () => {
    expect(encode(decode(completion({ message: { content: null } })))).toMatchObject({ choices: [{ message: { content: "" } }] });
    expect(encode(decode(completion({ message: { content: "", tool_calls: [call("1")] } })))).toMatchObject({
      choices: [{ message: { content: null } }],
    });
  });

  it("without id, model or time gets an id and the present", () => {
    const answer = decode({ choices: [{ message: { content: "x" }, finish_reason: "stop" }] });
    expect(answer).toMatchObject({ id: expect.stringMatching(/^chatcmpl_/), model: "", candidates: [{ index: 0 }], usage: {} });
    expect(answer.createdAtMs).toBeGreaterThan(1_700_000_000_000);
  });

  it("whose usage nobody knows has none", () => {
    expect(encode({ ...decode(completion({ message: { content: "x" } })), usage: { outputTokens: 3 } })).not.toHaveProperty("usage");
  });

  it("keeps the place of its head whatever rides along", () => {
    const answer: ModelAnswer = {
      ...decode(completion({ message: { content: "x" } })),
      extras: { "openai-chat": { id: "forged", choices: [], x: 1 } },
    };
    expect(encode(answer)).toMatchObject({ id: "chatcmpl-1", choices: [{ index: 0 }], x: 1 });
  });
});

describe("tool calls", () => {
  it("keep id, name and the text of their arguments", () => {
    const args = '{"big": 12345678901234567890, "b":1,"a":2}';
    expect(said({ tool_calls: [{ index: 0, ...call("call_1", args) }] }, "tool_calls")?.content).toEqual([
      { type: "tool-call", id: "call_1", name: "f", arguments: args },
    ]);
  });

  it.each([
    ["no arguments", "", "{}"],
    ["absent arguments", undefined, "{}"],
    ["null arguments", null, "{}"],
    ["arguments as an object", { a: 1 }, '{"a":1}'],
    ["broken arguments, which are the tool's to complain of", '{"a":', '{"a":'],
  ])("with %s", (_name, given, expected) => {
    expect(said({ tool_calls: [call("1", given)] }, "tool_calls")?.content).toMatchObject([{ arguments: expected }]);
  });

  it("get ids that are unique, the same at each reading, and short, where the vendor's are missing or repeated", () => {
    const read = () =>
      said({ tool_calls: [call(""), call("x"), call("x"), call(undefined), call(" ")] }, "tool_calls")?.content.map((part) =>
        part.type === "tool-call" ? part.id : "",
      );
    const ids = read() as string[];
    expect(ids[1]).toBe("x");
    expect(new Set(ids).size).toBe(5);
    expect(ids.every((id) => id.trim() !== "" && id.length <= 40)).toBe(true);
    expect(read()).toEqual(ids);
  });

  it("of a custom tool keep their text as it is", () => {
    const custom = { id: "1", type: "custom", custom: { name: "c", input: "" } };
    const body = completion({
      message: { role: "assistant", content: null, refusal: null, tool_calls: [custom] },
      finish_reason: "tool_calls",
    });
    expect(encode(decode(body))).toEqual(body);
  });

  it("of the legacy kind go back as such", () => {
    const body = completion({
      message: { role: "assistant", content: null, refusal: null, function_call: { name: "f", arguments: "{}" } },
      finish_reason: "function_call",
    });
    expect(encode(decode(body))).toEqual(body);
  });

  it("that were cut off are left out, whole ones are not", () => {
    expect(said({ tool_calls: [call("1", '{"a":1}'), call("2", '{"location": "Par')] }, "length")).toMatchObject({
      content: [{ id: "1" }],
      finishReason: "length",
    });
    expect(said({ tool_calls: [call("1", "")] }, "length")?.content).toEqual([]);
    expect(said({ tool_calls: [call("1", '{"a":1')] }, "content_filter")?.content).toEqual([]);
  });
});

describe("finish reasons", () => {
  it.each([
    ["stop", "stop", undefined, "stop"],
    ["length", "length", undefined, "length"],
    ["content_filter", "content-filter", undefined, "content_filter"],
    ["refusal", "refusal", "refusal", "content_filter"],
    ["eos", "other", "eos", "stop"],
    ["constructor", "other", "constructor", "stop"],
    ["", "other", undefined, "stop"],
    [null, "other", undefined, "stop"],
  ])("%j", (word, reason, raw, back) => {
    const answer = decode(completion({ message: { content: "x" }, finish_reason: word }));
    expect(answer.candidates[0]).toMatchObject({ finishReason: reason });
    expect(answer.candidates[0]?.rawFinishReason).toBe(raw);
    expect(encode(answer)).toMatchObject({ choices: [{ finish_reason: back }] });
  });

  it("stop after tool calls means tool calls, stop after a refusal means refusal", () => {
    expect(said({ tool_calls: [call("1")] })).toMatchObject({ finishReason: "tool-calls", rawFinishReason: "stop" });
    expect(said({ content: null, refusal: "no" })).toMatchObject({ finishReason: "refusal", content: [{ type: "refusal", text: "no" }] });
    expect(encode(decode(completion({ message: { refusal: "no" } })))).toMatchObject({
      choices: [{ finish_reason: "stop", message: { refusal: "no", content: null } }],
    });
  });

  it.each([
    ["tool-calls", "stop"],
    ["context-overflow", "length"],
    ["paused", "length"],
    ["malformed-tool", "stop"],
    ["cancelled", "length"],
    ["interrupted", "length"],
    ["refusal", "content_filter"],
  ] as const)("the neutral %s of another protocol is told in words of this one", (reason, _word) => {
    const answer = decode(completion({ message: { content: "x" } }));
    const { choices } = encode({ ...answer, candidates: [{ index: 0, content: [{ type: "text", text: "x" }], finishReason: reason }] });
    const word = (choices as { finish_reason: string }[])[0]?.finish_reason;
    expect(word).toBe(reason === "tool-calls" ? "tool_calls" : _word);
  });
});

describe("74: the tier that served", () => {
  it("is part of the usage, and told in the protocol's words", () => {
    const body = completion({ message: { content: "x" } }, { usage: { prompt_tokens: 1, completion_tokens: 1 }, service_tier: "priority" });
    expect(decode(body).usage).toEqual({ inputTokens: 1, outputTokens: 1, serviceTier: "priority" });
    expect(openaiChat.readUsage(utf8(JSON.stringify(body)))).toEqual(decode(body).usage);
    const answer = { ...decode(completion({ message: { content: "x" } })), usage: { serviceTier: "standard" } };
    expect(encode(answer)).toMatchObject({ service_tier: "default" });
    expect(encode({ ...answer, usage: { serviceTier: "batch" } })).not.toHaveProperty("service_tier");
  });
});

describe("what rests on something", () => {
  it("92: citations count over the whole text, and those without an address have no form", () => {
    const answer: ModelAnswer = {
      ...decode(completion({ message: { content: "x" } })),
      candidates: [
        {
          index: 0,
          content: [
            { type: "text", text: "one 😀", citations: [{ url: "https://a", title: "A", start: 4, end: 6 }] },
            { type: "text", text: "two", citations: [{ url: "https://b", citedText: "said" }, { title: "a document" }] },
          ],
          finishReason: "stop",
        },
      ],
    };
    expect(encode(answer)).toMatchObject({
      choices: [
        {
          message: {
            content: "one 😀two",
            annotations: [
              { type: "url_citation", url_citation: { url: "https://a", title: "A", start_index: 4, end_index: 6 } },
              { type: "url_citation", url_citation: { url: "https://b", title: "", start_index: 6, end_index: 9, content: "said" } },
            ],
          },
        },
      ],
    });
  });

  it("92: citations of an answer in parts are put to the part that they begin in", () => {
    const cite = (start_index: number) => ({
      type: "url_citation",
      url_citation: { url: "https://x", title: "x", start_index, end_index: start_index + 2 },
    });
    const content = [
      { type: "text", text: "one" },
      { type: "text", text: "two" },
    ];
    expect(said({ content, annotations: [cite(1), cite(3), cite(9)] })?.content).toMatchObject([
      { text: "one", citations: [{ start: 1, end: 3 }] },
      { text: "two", citations: [{ start: 0, end: 2 }, { start: 6 }] },
    ]);
    expect(said({ content: null, annotations: [cite(1)] })).toMatchObject({
      content: [],
      extras: { "openai-chat": { message: { annotations: [cite(1)] } } },
    });
  });

  it("89: the stop sequence that was met is told where a server tells it", () => {
    expect(decode(completion({ message: { content: "x" }, stop_reason: "END" })).candidates[0]).toMatchObject({ stopSequence: "END" });
    expect(decode(completion({ message: { content: "x" }, matched_stop: "END" })).candidates[0]).toMatchObject({ stopSequence: "END" });
    expect(decode(completion({ message: { content: "x" }, stop_reason: 128_009 })).candidates[0]).not.toHaveProperty("stopSequence");
  });
});

describe("what is no answer", () => {
  it.each([
    ["", "upstream_protocol"],
    ["<html>", "upstream_protocol"],
    ["[]", "upstream_protocol"],
    ["{}", "upstream_protocol"],
    ['{"choices":[{}]}', "upstream_protocol"],
    ['{"choices":[null]}', "upstream_protocol"],
    ['{"error":{"message":"overloaded","code":503}}', "upstream_unavailable"],
    ['{"error":"model is loading"}', "upstream_unavailable"],
    ['{"error":{"message":"slow down","type":"rate_limit_error"}}', "upstream_rate_limited"],
    ['{"error":{"message":"no","type":"invalid_request_error","param":"x"}}', "upstream_rejected"],
    ['{"object":"error","message":"no","code":400}', "upstream_rejected"],
  ])("%j is %s", (text, code) => {
    expect(() => openaiChat.decodeAnswer(utf8(text))).toThrow(expect.objectContaining({ code }));
  });

  it("an error field with nothing in it is none", () => {
    for (const error of [null, "", {}, false])
      expect(decode(completion({ message: { content: "x" } }, { error })).candidates).toHaveLength(1);
  });
});

describe("usage", () => {
  const cases: [string, object | null, Usage][] = [
    [
      "OpenAI: cache reads inside the prompt, reasoning inside the completion",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 40 },
        completion_tokens_details: { reasoning_tokens: 20 },
      },
      { inputTokens: 60, cacheReadTokens: 40, outputTokens: 30, reasoningTokens: 20 },
    ],
    [
      "cache writes inside the prompt",
      {
        prompt_tokens: 1000,
        completion_tokens: 10,
        total_tokens: 1010,
        prompt_tokens_details: { cached_tokens: 300, cache_write_tokens: 200 },
      },
      { inputTokens: 500, cacheReadTokens: 300, cacheWriteTokens: 200, outputTokens: 10 },
    ],
    [
      "DeepSeek's names",
      { prompt_tokens: 18, completion_tokens: 219, total_tokens: 237, prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 10 },
      { inputTokens: 10, cacheReadTokens: 8, outputTokens: 219 },
    ],
    [
      "xAI: reasoning beside the completion, as the total shows",
      { prompt_tokens: 12, completion_tokens: 2, total_tokens: 334, completion_tokens_details: { reasoning_tokens: 320 } },
      { inputTokens: 12, outputTokens: 2, reasoningTokens: 320 },
    ],
    [
      "reasoning that only the total knows",
      { prompt_tokens: 7, completion_tokens: 12, total_tokens: 402 },
      { inputTokens: 7, outputTokens: 12, reasoningTokens: 383 },
    ],
    [
      "more cached than there was",
      { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 9, cache_write_tokens: 9 } },
      { inputTokens: 0, cacheReadTokens: 5, cacheWriteTokens: 0, outputTokens: 1 },
    ],
    [
      "more reasoning than completion, and no total",
      { prompt_tokens: 5, completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 9 } },
      { inputTokens: 5, outputTokens: 0, reasoningTokens: 4 },
    ],
    [
      "sound and pictures inside both",
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 10, audio_tokens: 20, image_tokens: 30 },
        completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 15, image_tokens: 0 },
      },
      {
        inputTokens: 40,
        cacheReadTokens: 10,
        audioInputTokens: 20,
        imageInputTokens: 30,
        outputTokens: 30,
        reasoningTokens: 5,
        audioOutputTokens: 15,
        imageOutputTokens: 0,
      },
    ],
    [
      "OpenRouter's cost in dollars",
      { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, cost: 0.00014235, is_byok: false },
      { inputTokens: 1, outputTokens: 1, reportedCostNanoUsd: 142_350 },
    ],
    [
      "xAI's cost in ticks",
      { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, cost_in_usd_ticks: 1_176_500 },
      { inputTokens: 1, outputTokens: 1, reportedCostNanoUsd: 117_650 },
    ],
    [
      "no details",
      { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9, prompt_tokens_details: null },
      { inputTokens: 5, outputTokens: 4 },
    ],
    [
      "zeros, which are known",
      { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, completion_tokens_details: { reasoning_tokens: 0 } },
      { inputTokens: 0, outputTokens: 0, reasoningTokens: 0 },
    ],
    [
      "counts that are none",
      { prompt_tokens: -5, completion_tokens: 1.5, total_tokens: 1e308, completion_tokens_details: { reasoning_tokens: "9" } },
      {},
    ],
    ["the prompt alone", { prompt_tokens: 5 }, { inputTokens: 5 }],
    ["nothing", {}, {}],
    ["null", null, {}],
  ];
  it.each(cases)("%s", (_name, usage, expected) => {
    const body = completion({ message: { content: "x" } }, { usage });
    expect(decode(body).usage).toEqual(expected);
    expect(openaiChat.readUsage(utf8(JSON.stringify(body, null, 2)))).toEqual(expected);
  });

  it("is read only where it is the answer's own", () => {
    const text =
      '{"choices":[{"message":{"content":"\\"usage\\":{\\"prompt_tokens\\":9}"},"usage":{"prompt_tokens":9}}],"x":{"usage":{"prompt_tokens":9}}}';
    expect(openaiChat.readUsage(utf8(text))).toEqual({});
  });

  it.each(["", "[]", '{"usage":{}', "<html>", '{"usage":{"prompt_tokens":01}}'])("of %j is a protocol error", (text) => {
    expect(() => openaiChat.readUsage(utf8(text))).toThrow(expect.objectContaining({ code: "upstream_protocol" }));
  });

  it.each([{ error: { message: "busy", code: 503 } }, { object: "error", message: "busy" }, { choices: [], error: "busy", usage: {} }])(
    "tells that %j is an error in place of an answer",
    (body) => {
      expect(() => openaiChat.readUsage(utf8(JSON.stringify(body)))).toThrow(
        expect.objectContaining({ code: "upstream_unavailable", message: "busy" }),
      );
    },
  );

  it("takes no empty error for one", () => {
    expect(openaiChat.readUsage(utf8('{"error":null,"choices":[]}'))).toEqual({});
    expect(openaiChat.readUsage(utf8('{"error":{},"choices":[]}'))).toEqual({});
  });
});
