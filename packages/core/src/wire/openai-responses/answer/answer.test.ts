import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../../test/wire/chunks.js";
import type { AnswerPart, Candidate, ModelAnswer, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { openaiResponses } from "../openai-responses.js";

type Json = Record<string, unknown>;
const body = (more: Json): Uint8Array =>
  bytesOf(JSON.stringify({ id: "resp_1", object: "response", created_at: 1, status: "completed", model: "m", output: [], ...more }));
const decode = (more: Json) => openaiResponses.decodeAnswer(body(more));
const parts = (output: unknown[], more: Json = {}) => decode({ output, ...more }).candidates[0]?.content;
const answer = (content: AnswerPart[], more: Partial<Candidate> = {}, usage: Usage = {}): ModelAnswer => ({
  id: "resp_1",
  model: "m",
  createdAtMs: 1000,
  candidates: [{ index: 0, content, finishReason: "stop", ...more }],
  usage,
});
const encode = (given: ModelAnswer) => JSON.parse(textOf(openaiResponses.encodeAnswer(given))) as Json & { output: Json[] };
const failure = (read: () => unknown): GatewayError => {
  try {
    read();
  } catch (error) {
    if (GatewayError.is(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};
const call = { type: "function_call", id: "fc", call_id: "c", name: "f", arguments: '{"a":1}', status: "completed" };

describe("the end of a response", () => {
  it.each([
    [{ status: "completed" }, "stop", undefined],
    [{ status: "completed", output: [call] }, "tool-calls", undefined],
    [{ status: "completed", output: [{ type: "message", id: "m", content: [{ type: "refusal", refusal: "no" }] }] }, "refusal", undefined],
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, "length", undefined],
    [{ status: "incomplete", incomplete_details: { reason: "content_filter" } }, "content-filter", undefined],
    [{ status: "incomplete", incomplete_details: { reason: "steered" } }, "cancelled", "steered"],
    [{ status: "incomplete", incomplete_details: { reason: "novel" } }, "other", "novel"],
    [{ status: "cancelled" }, "cancelled", undefined],
    [{ status: "queued" }, "paused", "queued"],
    [{ status: "in_progress" }, "paused", "in_progress"],
    [{ status: "strange" }, "other", "strange"],
  ])("%j is %s, and goes back as it came", (more, reason, raw) => {
    const given = decode(more);
    expect(given.candidates[0]).toMatchObject({ finishReason: reason, ...(raw === undefined ? {} : { rawFinishReason: raw }) });
    expect(encode(given)).toMatchObject({ incomplete_details: null, ...more, output: expect.anything() as unknown });
  });

  it.each([
    ["length", "incomplete", "max_output_tokens"],
    ["context-overflow", "incomplete", "max_output_tokens"],
    ["content-filter", "incomplete", "content_filter"],
    ["refusal", "incomplete", "content_filter"],
    ["paused", "incomplete", "max_output_tokens"],
    ["interrupted", "incomplete", "max_output_tokens"],
    ["tool-calls", "completed", undefined],
    ["other", "completed", undefined],
  ] as const)("%s of another protocol is %s", (finishReason, status, reason) => {
    const given = encode(answer([{ type: "text", text: "x" }], { finishReason, rawFinishReason: "THEIRS" }));
    expect(given).toMatchObject({ status, incomplete_details: reason === undefined ? null : { reason } });
    expect(given.output[0]).toMatchObject({ status });
  });

  it("93: a refusal that is said is a complete answer", () => {
    expect(encode(answer([{ type: "refusal", text: "No." }], { finishReason: "refusal" }))).toMatchObject({
      status: "completed",
      output: [{ type: "message", content: [{ type: "refusal", refusal: "No." }] }],
    });
  });

  it("49: a call that was cut is left out, one that came whole is not", () => {
    const cut = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
    expect(parts([call, { ...call, call_id: "d", status: "incomplete" }], cut)).toMatchObject([{ id: "c" }]);
    expect(parts([{ ...call, status: undefined, arguments: '{"a' }], cut)).toEqual([]);
    expect(parts([{ ...call, arguments: '{"a' }])).toMatchObject([{ arguments: '{"a' }]);
  });
});

describe("items", () => {
  it("1, 23: reasoning with its sealed form, its id and its texts, apart from what is said", () => {
    const item = {
      id: "rs_1",
      type: "reasoning",
      summary: [
        { type: "summary_text", text: "One." },
        { type: "summary_text", text: "Two." },
      ],
      content: [{ type: "reasoning_text", text: "Hm." }],
      encrypted_content: "sealed",
    };
    const given = decode({ output: [item] });
    expect(given.candidates[0]?.content).toMatchObject([
      { type: "reasoning", text: "One.\n\nTwo.\n\nHm.", opaque: "sealed", itemId: "rs_1" },
    ]);
    expect(encode(given).output).toEqual([item]);
  });

  it("24: reasoning alone is an answer", () => {
    const given = encode(answer([{ type: "reasoning", text: "", opaque: "s", redacted: true }]));
    expect(given.output).toEqual([{ id: expect.stringMatching(/^rs_/) as string, type: "reasoning", summary: [], encrypted_content: "s" }]);
    expect(given["status"]).toBe("completed");
    expect(encode(answer([])).output).toEqual([]);
  });

  it("26: a call without an id, or with one that was used, gets one that is always the same", () => {
    const calls = [{ ...call, call_id: "" }, call, { ...call, call_id: undefined }, call];
    const ids = parts(calls)?.map((part) => (part.type === "tool-call" ? part.id : ""));
    expect(new Set(ids).size).toBe(4);
    expect(ids?.[1]).toBe("c");
    expect(parts(calls)).toEqual(parts(calls));
  });

  it("29: a call without arguments has none", () => {
    expect(parts([{ ...call, arguments: "" }])).toMatchObject([{ arguments: "{}" }]);
    expect(parts([{ ...call, type: "custom_tool_call", arguments: undefined, input: "" }])).toMatchObject([
      { arguments: "", input: "text" },
    ]);
  });

  it("43: the use of a hosted tool stays whole; a picture that was made is a picture", () => {
    const items = [
      { id: "cmp", type: "compaction", encrypted_content: "x" },
      { id: "ig", type: "image_generation_call", status: "completed", result: "iVBORw0K", revised_prompt: "a" },
      { id: "ig2", type: "image_generation_call", status: "failed", result: null },
    ];
    const given = decode({ output: items });
    expect(given.candidates[0]?.content.map((part) => part.type)).toEqual(["native", "media", "native"]);
    expect(encode(given).output).toEqual(items);
    const foreign = encode(answer([{ type: "media", mediaType: "image/jpeg", source: { kind: "base64", data: "/9j/" } }]));
    expect(foreign.output).toMatchObject([{ type: "image_generation_call", status: "completed", result: "/9j/", output_format: "jpeg" }]);
    expect(encode(answer([{ type: "native", protocol: "google-genai", item: { x: 1 } }])).output).toEqual([]);
  });

  it("92: citations of addresses are neutral, others are kept whole beside what is neutral of them", () => {
    const url = { type: "url_citation", url: "https://x.test", title: "X", start_index: 1, end_index: 3 };
    const file = { type: "file_citation", file_id: "f", filename: "a.pdf", index: 2 };
    const bare = { type: "url_citation", url: "https://y.test" };
    const text = { type: "output_text", text: "😀abc", annotations: [url, file, bare], logprobs: [] };
    const given = decode({ output: [{ type: "message", id: "m", role: "assistant", status: "completed", content: [text] }] });
    expect(given.candidates[0]?.content[0]).toMatchObject({
      citations: [{ url: "https://x.test", title: "X", start: 1, end: 3 }, { title: "a.pdf" }, { url: "https://y.test" }],
    });
    expect(encode(given).output[0]).toMatchObject({ content: [text] });
    const foreign = encode(answer([{ type: "text", text: "abc", citations: [{ url: "https://x.test" }, { citedText: "no address" }] }]));
    expect(foreign.output[0]).toMatchObject({ content: [{ annotations: [{ type: "url_citation", start_index: 0, end_index: 3 }] }] });
  });

  it("texts of another protocol are one message, and get ids that are always the same", () => {
    const given = answer([
      { type: "text", text: "a" },
      { type: "text", text: "b" },
      { type: "tool-call", id: "c", name: "f", arguments: "" },
    ]);
    const { output } = encode(given);
    expect(output.map((item) => item["type"])).toEqual(["message", "function_call"]);
    expect(output[0]).toMatchObject({ content: [{ text: "a" }, { text: "b" }] });
    expect(output[1]).toMatchObject({ call_id: "c", arguments: "{}" });
    expect(encode(given)).toEqual(encode(given));
  });
});

describe("usage", () => {
  it("is disjoint: what was cached is inside the input, reasoning inside the output", () => {
    const usage = {
      input_tokens: 100,
      input_tokens_details: {
        cached_tokens: 40,
        cache_write_tokens: 30,
        cache_write_tokens_details: { ttl_30m_tokens: 10, ttl_12h_tokens: 20 },
      },
      output_tokens: 50,
      output_tokens_details: { reasoning_tokens: 20 },
      total_tokens: 150,
    };
    const given = decode({ usage, service_tier: "priority", tool_usage: { web_search: { num_requests: 3 } } });
    expect(given.usage).toEqual({
      inputTokens: 30,
      cacheReadTokens: 40,
      cacheWriteTokens: 10,
      cacheWriteLongTokens: 20,
      outputTokens: 30,
      reasoningTokens: 20,
      searches: 3,
      serviceTier: "priority",
    });
    expect(encode(given)).toMatchObject({ usage, service_tier: "priority" });
    expect(openaiResponses.readUsage(body({ usage, service_tier: "priority", tool_usage: { web_search: { num_requests: 3 } } }))).toEqual(
      given.usage,
    );
  });

  it("71: reasoning larger than the output is cut to it", () => {
    expect(decode({ usage: { input_tokens: 18, output_tokens: 5, output_tokens_details: { reasoning_tokens: 8 } } }).usage).toMatchObject({
      outputTokens: 0,
      reasoningTokens: 5,
    });
  });

  it("76: what the vendor says that it cost", () => {
    expect(decode({ usage: { input_tokens: 1, output_tokens: 1, cost_in_usd_ticks: 37_756_000 } }).usage.reportedCostNanoUsd).toBe(
      3_775_600,
    );
    expect(decode({ usage: { input_tokens: 1, output_tokens: 1, cost: 0.0038 } }).usage.reportedCostNanoUsd).toBe(3_800_000);
  });

  it("is unknown when it was not said, and then is not said", () => {
    expect(decode({}).usage).toEqual({});
    expect(decode({ usage: { input_tokens: 5 } }).usage).toEqual({ inputTokens: 5 });
    expect(encode(answer([]))).not.toHaveProperty("usage");
    expect(encode(answer([], {}, { inputTokens: 1, outputTokens: 2, serviceTier: "standard" }))).toMatchObject({
      usage: { input_tokens: 1, input_tokens_details: { cached_tokens: 0 }, output_tokens: 2, total_tokens: 3 },
    });
    expect(encode(decode({ service_tier: "novel", tools: [] }))).toMatchObject({ service_tier: "novel" });
    expect(encode(answer([], {}, { serviceTier: "standard" }))).not.toHaveProperty("service_tier");
  });
});

describe("a response that failed", () => {
  it.each([
    [{ status: "failed", error: { code: "server_error", message: "Sorry." } }, "upstream_unavailable"],
    [{ status: "failed", error: { code: "rate_limit_exceeded", message: "Slowly." } }, "upstream_rate_limited"],
    [{ status: "failed", error: { code: "invalid_prompt", message: "Not this." } }, "upstream_rejected"],
    [{ status: "failed", error: { code: "image_too_large", message: "Big." } }, "upstream_rejected"],
    [{ status: "failed", error: { code: "insufficient_quota", message: "Broke." } }, "upstream_rate_limited"],
    [{ status: "failed", error: null }, "upstream_unavailable"],
  ])("inside a 200, %j, is thrown as %s", (more, code) => {
    expect(failure(() => decode(more)).code).toBe(code);
    expect(failure(() => openaiResponses.readUsage(body(more))).code).toBe(code);
  });

  it("102: an input that is too long says so", () => {
    const error = { code: "context_length_exceeded", message: "Your input exceeds the context window of this model." };
    expect(failure(() => decode({ status: "failed", error }))).toMatchObject({ details: { reason: "context_length_exceeded" } });
  });

  it("103: what is no response is the vendor's fault", () => {
    for (const text of ["", "<html>", "[]", "null", '{"id":"resp_1","object":"response"}'])
      expect(failure(() => openaiResponses.decodeAnswer(bytesOf(text))).code).toBe("upstream_protocol");
    expect(failure(() => openaiResponses.decodeAnswer(bytesOf('{"error":"overloaded"}'))).code).toBe("upstream_unavailable");
    for (const text of ["<html>", '{"error":"text"}', ""])
      expect(openaiResponses.decodeError(503, [], bytesOf(text)).code).toBe("upstream_unavailable");
  });
});
