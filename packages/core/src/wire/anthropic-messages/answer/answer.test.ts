import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelAnswer } from "../../../../test/wire/anthropic-arbitraries.js";
import { bytesOf, collect, stream, textOf } from "../../../../test/wire/chunks.js";
import { fold, unfold, type Candidate, type ModelAnswer, type ModelEvent } from "../../../calls/index.js";
import type { GatewayError } from "../../../errors/index.js";
import { anthropicMessages as codec } from "../anthropic-messages.js";

async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}
const quiet = { includeUsage: true, onError: (error: GatewayError) => expect(error).toBeNull() };
/** The protocol says no time of creation; what stood in the usage rides along as it came. */
const essence = ({ createdAtMs: _created, extras, ...answer }: ModelAnswer) => {
  const { usage: _usage, ...own } = extras?.["anthropic-messages"] ?? {};
  return { ...answer, ...(Object.keys(own).length === 0 ? {} : { extras: own }) };
};
const restreamed = async (answer: ModelAnswer) =>
  fold(codec.decodeStream(stream(...(await collect(codec.encodeStream(from(unfold(answer)), quiet))))));

const message = { id: "msg_1", type: "message", role: "assistant", model: "m", stop_reason: "end_turn", stop_sequence: null };
const decode = (fields: object) => codec.decodeAnswer(bytesOf(JSON.stringify({ ...message, content: [], usage: {}, ...fields })));
const usageOf = (usage: object) => codec.readUsage(bytesOf(JSON.stringify({ ...message, content: [], usage })));
const encode = (candidate: Partial<Candidate>, answer: Partial<ModelAnswer> = {}) => {
  const base: Candidate = { index: 0, content: [], finishReason: "stop" };
  const whole = { id: "i", model: "m", createdAtMs: 0, usage: {}, ...answer, candidates: [{ ...base, ...candidate }] };
  // oxlint-disable-next-line typescript/no-explicit-any -- a body is looked into at many depths
  return JSON.parse(textOf(codec.encodeAnswer(whole))) as Record<string, any>;
};

it("an answer that was encoded decodes to itself", () => {
  const property = fc.property(modelAnswer, (answer) => {
    expect(essence(codec.decodeAnswer(codec.encodeAnswer(answer)))).toEqual(essence(answer));
  });
  fc.assert(property, { numRuns: 300 });
});

it("64: an answer is the same as a stream and as a whole", async () => {
  const property = fc.asyncProperty(modelAnswer, async (answer) => {
    expect(essence(await restreamed(answer))).toEqual(essence(answer));
  });
  await fc.assert(property, { numRuns: 200 });
});

describe("what ended an answer", () => {
  it.each([
    ["end_turn", "stop"],
    ["tool_use", "tool-calls"],
    ["max_tokens", "length"],
    ["pause_turn", "paused"],
    ["refusal", "refusal"],
    ["model_context_window_exceeded", "context-overflow"],
  ])("%s is %s, and comes back", (word, reason) => {
    const answer = decode({ stop_reason: word });
    expect(answer.candidates[0]).toMatchObject({ finishReason: reason });
    expect(answer.candidates[0]).not.toHaveProperty("rawFinishReason");
    expect(JSON.parse(textOf(codec.encodeAnswer(answer)))).toMatchObject({ stop_reason: word });
  });

  it("89: the stop sequence that was met is said", () => {
    const answer = decode({ stop_reason: "stop_sequence", stop_sequence: "END" });
    expect(answer.candidates[0]).toMatchObject({ finishReason: "stop", stopSequence: "END" });
    expect(encode({ finishReason: "stop", stopSequence: "END" })).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "END" });
  });

  it("a word that we do not know is kept", () => {
    const answer = decode({ stop_reason: "compaction" });
    expect(answer.candidates[0]).toMatchObject({ finishReason: "other", rawFinishReason: "compaction" });
    expect(JSON.parse(textOf(codec.encodeAnswer(answer)))).toMatchObject({ stop_reason: "compaction" });
  });

  it("41: a call makes it tool_use, whatever a vendor said", () => {
    const content = [{ type: "tool_use", id: "t", name: "f", input: {} }];
    expect(decode({ content }).candidates[0]).toMatchObject({ finishReason: "tool-calls" });
    expect(encode({ finishReason: "stop", content: [{ type: "tool-call", id: "t", name: "f", arguments: "{}" }] })).toMatchObject({
      stop_reason: "tool_use",
    });
  });

  it("49: a call whose input may have been cut off is left out", () => {
    const text = { type: "text", text: "a" };
    const cut = decode({ stop_reason: "max_tokens", content: [text, { type: "tool_use", id: "t", name: "f", input: {} }] });
    expect(cut.candidates[0]?.content).toHaveLength(1);
    const whole = decode({ stop_reason: "max_tokens", content: [text, { type: "tool_use", id: "t", name: "f", input: { a: 1 } }] });
    expect(whole.candidates[0]?.content).toHaveLength(2);
  });

  it("93: a refusal says why, and has no content", () => {
    const details = { type: "refusal", category: "cyber", explanation: "No.", recommended_model: "m2" };
    const answer = decode({ stop_reason: "refusal", stop_details: details });
    expect(answer.candidates[0]).toMatchObject({ finishReason: "refusal", content: [{ type: "refusal", text: "No." }] });
    expect(JSON.parse(textOf(codec.encodeAnswer(answer)))).toMatchObject({ content: [], stop_details: details });
    expect(encode({ finishReason: "stop", content: [{ type: "refusal", text: "I can't." }] })).toMatchObject({
      stop_reason: "refusal",
      stop_details: { type: "refusal", category: null, explanation: "I can't." },
    });
    expect(encode({ finishReason: "content-filter" })).toMatchObject({ stop_reason: "refusal", stop_details: null });
  });
});

describe("usage", () => {
  it("65, 66: counts are disjoint here, and input is without the cache there as well", () => {
    const usage = {
      input_tokens: 10,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
      output_tokens: 50,
      output_tokens_details: { thinking_tokens: 40 },
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
      service_tier: "priority",
    };
    const counts = {
      inputTokens: 10,
      cacheReadTokens: 100,
      cacheWriteTokens: 20,
      cacheWriteLongTokens: 10,
      outputTokens: 10,
      reasoningTokens: 40,
      searches: 2,
      serviceTier: "priority",
    };
    expect(usageOf(usage)).toEqual(counts);
    expect(encode({}, { usage: counts })["usage"]).toEqual({ ...usage, server_tool_use: { web_search_requests: 2 } });
  });

  it("75: what other models did for the answer counts, and stays to be seen", () => {
    const iterations = [
      { type: "message", model: "a", input_tokens: 408, output_tokens: 0 },
      { type: "fallback_message", model: "b", input_tokens: 412, output_tokens: 264 },
      { type: "compaction", input_tokens: 1000, output_tokens: 20 },
    ];
    const answer = decode({ usage: { input_tokens: 412, output_tokens: 264, iterations } });
    const byModel = [
      { model: "a", usage: { inputTokens: 408, outputTokens: 0 } },
      { model: "b", usage: { inputTokens: 412, outputTokens: 264 } },
    ];
    expect(answer.usage).toEqual({ inputTokens: 1820, outputTokens: 284, byModel });
    const again = codec.decodeAnswer(codec.encodeAnswer(answer));
    expect(again.usage).toEqual(answer.usage);
    expect(again.extras?.["anthropic-messages"]?.["usage"]).toMatchObject({ iterations });
  });

  it("75: what one model did in several turns is not told apart", () => {
    const turn = { type: "message", model: "a", input_tokens: 5, output_tokens: 1 };
    expect(usageOf({ input_tokens: 10, output_tokens: 2, iterations: [turn, turn] })).toEqual({ inputTokens: 10, outputTokens: 2 });
    expect(
      usageOf({
        iterations: [
          { ...turn, model: null },
          { ...turn, type: "compaction" },
        ],
      }),
    ).toEqual({ inputTokens: 10, outputTokens: 2 });
  });

  it("says nothing of what was not said, and is not misled by what is no count", () => {
    expect(usageOf({})).toEqual({});
    expect(usageOf({ input_tokens: 1, output_tokens: 2, cache_read_input_tokens: null })).toEqual({ inputTokens: 1, outputTokens: 2 });
    expect(usageOf({ input_tokens: -1, output_tokens: 5, output_tokens_details: { thinking_tokens: 9 } })).toEqual({
      outputTokens: 0,
      reasoningTokens: 5,
    });
  });

  it("is read without the rest of the answer; an error in its place is the vendor's", () => {
    const error = bytesOf('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}');
    expect(() => codec.readUsage(error)).toThrow("Overloaded");
    expect(() => codec.decodeAnswer(error)).toThrow("Overloaded");
    expect(() => codec.readUsage(bytesOf("[]"))).toThrow(/not a JSON object/);
  });
});

describe("content", () => {
  it("30: input keeps big numbers and the order of its keys", () => {
    const input = '{"b":12345678901234567890,"a":1.0}';
    const bytes = bytesOf(`{"type":"message","content":[{"type":"tool_use","id":"t","name":"f","input":${input}}],"usage":{}}`);
    const answer = codec.decodeAnswer(bytes);
    expect(answer.candidates[0]?.content[0]).toMatchObject({ arguments: input });
    expect(textOf(codec.encodeAnswer(answer))).toContain(`"input":${input}`);
  });

  it("reasoning of other vendors is thinking without a signature; what another protocol alone knows is not told", () => {
    const content = encode({
      content: [
        { type: "reasoning", text: "hm" },
        { type: "reasoning", text: "", opaque: "E" },
        { type: "reasoning", text: "", opaque: "R", redacted: true },
        { type: "text", text: "" },
        { type: "native", protocol: "google-genai", item: {} },
        { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } },
      ],
    })["content"];
    expect(content).toEqual([
      { type: "thinking", thinking: "hm", signature: "" },
      { type: "thinking", thinking: "", signature: "E" },
      { type: "redacted_thinking", data: "R" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
    ]);
  });

  it("14: what the vendor took out of the conversation, or put into it, is kept with the answer", async () => {
    const own = {
      input_transformations: [{ type: "thinking_dropped", path: "messages.1.content.0", reason: "model" }],
      context_management: { applied_edits: [] },
    };
    const answer = decode(own);
    expect(answer.candidates[0]?.extras?.["anthropic-messages"]).toEqual(own);
    expect(JSON.parse(textOf(codec.encodeAnswer(answer)))).toMatchObject(own);
    expect((await restreamed(answer)).candidates).toEqual(answer.candidates);
  });

  it("92: citations belong to their block; one of another vendor is told as one of a search", () => {
    const cited = {
      type: "char_location",
      cited_text: "c",
      document_index: 0,
      document_title: "D",
      start_char_index: 3,
      end_char_index: 4,
    };
    const answer = decode({ content: [{ type: "text", text: "a", citations: [cited] }] });
    expect(answer.candidates[0]?.content[0]).toMatchObject({ citations: [{ title: "D", citedText: "c" }] });
    expect(JSON.parse(textOf(codec.encodeAnswer(answer))).content[0].citations).toEqual([cited]);
    const foreign = encode({
      content: [{ type: "text", text: "ab", citations: [{ url: "https://x.test", title: "X", start: 0, end: 1 }] }],
    });
    expect(foreign["content"][0].citations).toEqual([
      { type: "web_search_result_location", url: "https://x.test", title: "X", cited_text: "", encrypted_index: "" },
    ]);
  });

  it("what is no answer is the vendor's fault", () => {
    for (const text of ["", "<html>", "[]", '{"type":"message"}', "null"])
      expect(() => codec.decodeAnswer(bytesOf(text))).toThrow(expect.objectContaining({ code: "upstream_protocol" }) as Error);
  });
});
