import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../../test/wire/chunks.js";
import type { AnswerPart, Candidate, ModelAnswer, Usage } from "../../../calls/index.js";
import { googleGenai } from "../google-genai.js";

type Json = Record<string, unknown>;

const decode = (body: unknown) => googleGenai.decodeAnswer(bytesOf(JSON.stringify(body)));
const candidate = (parts: readonly unknown[], more: object = {}) => ({
  content: { parts, role: "model" },
  finishReason: "STOP",
  index: 0,
  ...more,
});
const contentOf = (parts: readonly unknown[], more: object = {}) => decode({ candidates: [candidate(parts, more)] }).candidates[0];
const answerOf = (content: readonly AnswerPart[], more: Partial<Candidate> = {}, usage: Usage = {}): ModelAnswer => ({
  id: "r",
  model: "m",
  createdAtMs: 1000,
  candidates: [{ index: 0, content, finishReason: "stop", ...more }],
  usage,
});
const encode = (answer: ModelAnswer) => JSON.parse(textOf(googleGenai.encodeAnswer(answer))) as { candidates: Json[] } & Json;

/** Google's word, what it means, and the word again where that alone does not give it. */
const reasons: readonly (readonly [word: string, reason: string, raw?: string])[] = [
  ["STOP", "stop"],
  ["MAX_TOKENS", "length"],
  ["SAFETY", "content-filter"],
  ["RECITATION", "content-filter", "RECITATION"],
  ["LANGUAGE", "content-filter", "LANGUAGE"],
  ["BLOCKLIST", "content-filter", "BLOCKLIST"],
  ["PROHIBITED_CONTENT", "content-filter", "PROHIBITED_CONTENT"],
  ["SPII", "content-filter", "SPII"],
  ["IMAGE_SAFETY", "content-filter", "IMAGE_SAFETY"],
  ["IMAGE_PROHIBITED_CONTENT", "content-filter", "IMAGE_PROHIBITED_CONTENT"],
  ["IMAGE_RECITATION", "content-filter", "IMAGE_RECITATION"],
  ["IMAGE_OTHER", "content-filter", "IMAGE_OTHER"],
  ["MALFORMED_FUNCTION_CALL", "malformed-tool"],
  ["UNEXPECTED_TOOL_CALL", "malformed-tool", "UNEXPECTED_TOOL_CALL"],
  ["TOO_MANY_TOOL_CALLS", "malformed-tool", "TOO_MANY_TOOL_CALLS"],
  ["MALFORMED_RESPONSE", "malformed-tool", "MALFORMED_RESPONSE"],
  ["CONTINUATION", "paused"],
  ["OTHER", "other"],
  ["NO_IMAGE", "other", "NO_IMAGE"],
  ["SOMETHING_NEW", "other", "SOMETHING_NEW"],
];

describe("finish reasons", () => {
  it.each(reasons.map(([word, reason, raw]) => ({ word, reason, raw })))(
    "$word is $reason and goes back as it came",
    ({ word, reason, raw }) => {
      const answer = decode({ candidates: [candidate([{ text: "a" }], { finishReason: word })] });
      expect(answer.candidates[0]).toMatchObject({ finishReason: reason, ...(raw === undefined ? {} : { rawFinishReason: raw }) });
      if (raw === undefined) expect(answer.candidates[0]).not.toHaveProperty("rawFinishReason");
      expect(encode(answer).candidates[0]?.["finishReason"]).toBe(word);
    },
  );

  it("41: STOP with a call is tool-calls, and STOP again", () => {
    const answer = decode({ candidates: [candidate([{ functionCall: { name: "f" } }])] });
    expect(answer.candidates[0]?.finishReason).toBe("tool-calls");
    expect(encode(answer).candidates[0]?.["finishReason"]).toBe("STOP");
  });

  it("a token to go on with rides along", () => {
    const answer = decode({ candidates: [candidate([{ text: "a" }], { finishReason: "CONTINUATION", continuationToken: "t" })] });
    expect(encode(answer).candidates[0]).toMatchObject({ finishReason: "CONTINUATION", continuationToken: "t" });
  });

  it("another vendor's words are said in Google's", () => {
    expect(encode(answerOf([], { finishReason: "other", rawFinishReason: "weird" })).candidates[0]?.["finishReason"]).toBe("OTHER");
    expect(encode(answerOf([], { finishReason: "refusal", rawFinishReason: "refusal" })).candidates[0]?.["finishReason"]).toBe("SAFETY");
    expect(encode(answerOf([], { finishReason: "context-overflow" })).candidates[0]?.["finishReason"]).toBe("MAX_TOKENS");
  });
});

describe("what was not answered", () => {
  it("93: a refused prompt is a filtered candidate with the vendor's words, and refused again", () => {
    const body = {
      promptFeedback: { blockReason: "PROHIBITED_CONTENT", blockReasonMessage: "no" },
      usageMetadata: { promptTokenCount: 3, totalTokenCount: 3 },
    };
    const answer = decode(body);
    expect(answer.candidates).toMatchObject([
      { content: [{ type: "refusal", text: "no" }], finishReason: "content-filter", rawFinishReason: "PROHIBITED_CONTENT" },
    ]);
    expect(encode(answer)).toMatchObject(body);
    expect(encode(answer)).not.toHaveProperty("candidates");
  });

  it("93: a refusal of another vendor is its text and SAFETY", () => {
    const { candidates } = encode(answerOf([{ type: "refusal", text: "I won't" }], { finishReason: "refusal" }));
    expect(candidates[0]).toMatchObject({ content: { parts: [{ text: "I won't" }] }, finishReason: "SAFETY" });
  });

  it("24: an answer of thoughts alone, or of nothing, is one", () => {
    expect(contentOf([{ text: "hm", thought: true }])?.content).toMatchObject([{ type: "reasoning", text: "hm" }]);
    expect(decode({ candidates: [{ finishReason: "STOP" }] }).candidates).toMatchObject([{ index: 0, content: [], finishReason: "stop" }]);
    expect(encode(answerOf([])).candidates[0]?.["content"]).toEqual({ parts: [{ text: "" }], role: "model" });
  });

  it("neither candidates nor a reason is no answer", () => {
    for (const body of [{}, { candidates: [] }, { usageMetadata: { promptTokenCount: 1 } }])
      expect(() => decode(body)).toThrow(expect.objectContaining({ code: "upstream_protocol" }));
    expect(() => googleGenai.decodeAnswer(bytesOf("<html>"))).toThrow(expect.objectContaining({ code: "upstream_protocol" }));
    expect(() => decode({ error: { code: 503, message: "busy", status: "UNAVAILABLE" } })).toThrow(
      expect.objectContaining({ code: "upstream_unavailable" }),
    );
    expect(() => googleGenai.readUsage(bytesOf('{"error":{"code":429,"message":"slow"}}'))).toThrow(
      expect.objectContaining({ code: "upstream_rate_limited" }),
    );
  });
});

describe("parts", () => {
  it("11: a signature on an empty text is one of the text before it, or of nothing", () => {
    expect(contentOf([{ text: "a" }, { text: "b" }, { text: "", thoughtSignature: "c2ln" }, { text: "" }])?.content).toEqual([
      { type: "text", text: "ab", opaque: "c2ln" },
    ]);
    expect(contentOf([{ functionCall: { name: "f", id: "a" } }, { text: "", thoughtSignature: "c2ln" }])?.content).toMatchObject([
      { type: "tool-call" },
      { type: "text", text: "", opaque: "c2ln" },
    ]);
  });

  it("23: thoughts and text stay apart", () => {
    expect(contentOf([{ text: "hm", thought: true }, { text: "a" }, { text: "so", thought: true }, { text: "b" }])?.content).toMatchObject([
      { type: "reasoning", text: "hm" },
      { type: "text", text: "a" },
      { type: "reasoning", text: "so" },
      { type: "text", text: "b" },
    ]);
  });

  it("26: calls without ids, with blank ones and with the same get ids of their own, the same each time", () => {
    const parts = ["", undefined, "x", "x"].map((id) => ({ functionCall: { name: "f", id, args: {} } }));
    const read = () =>
      decode({ responseId: "resp-1", candidates: [candidate(parts)] }).candidates[0]?.content.map((part) =>
        part.type === "tool-call" ? part.id : "",
      );
    expect(new Set(read()).size).toBe(4);
    expect(read()).toEqual(read());
    expect(read()?.[2]).toBe("x");
  });

  it("30: arguments keep their digits and their order, without the lines that Google prints", () => {
    const body =
      '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{\n  "n": 12345678901234567890,\n  "2": "a  b", "1": 1.0\n}}}]},"finishReason":"STOP"}]}';
    const answer = googleGenai.decodeAnswer(bytesOf(body));
    expect(answer.candidates[0]?.content[0]).toMatchObject({ arguments: '{"n":12345678901234567890,"2":"a  b","1":1.0}' });
    expect(textOf(googleGenai.encodeAnswer(answer))).toContain('"args":{"n":12345678901234567890,"2":"a  b","1":1.0}');
  });

  it("30: a call whose arguments are no JSON object is none for Google's clients: the answer says that it is malformed", () => {
    const broken = { type: "tool-call" as const, id: "a", name: "f", arguments: '{"x": ' };
    const { candidates } = encode(answerOf([broken], { finishReason: "tool-calls" }));
    expect(candidates[0]).toMatchObject({
      content: { parts: [{ text: "" }] },
      finishReason: "MALFORMED_FUNCTION_CALL",
      finishMessage: expect.stringContaining('{"x": ') as string,
    });
  });

  it("pictures, code and whatever is new", () => {
    const parts = [
      { inlineData: { mimeType: "image/png", data: "AAAA" }, thoughtSignature: "c2ln" },
      { executableCode: { code: "1" } },
      { somethingNew: 1 },
    ];
    const answer = decode({ candidates: [candidate(parts)], modelVersion: "m", newField: 1 });
    expect(answer.candidates[0]?.content).toMatchObject([
      { type: "media", mediaType: "image/png" },
      { type: "native" },
      { type: "native" },
    ]);
    expect(encode(answer).candidates[0]?.["content"]).toEqual({ parts, role: "model" });
    expect(encode(answer)).toMatchObject({ newField: 1, modelVersion: "m" });
  });

  it("90: several candidates, each with its own end", () => {
    const answer = decode({
      candidates: [candidate([{ text: "a" }]), candidate([{ text: "b" }], { index: 1, finishReason: "MAX_TOKENS" })],
    });
    expect(answer.candidates).toMatchObject([
      { index: 0, finishReason: "stop" },
      { index: 1, finishReason: "length" },
    ]);
  });

  it("90: log probabilities", () => {
    const logprobsResult = {
      chosenCandidates: [{ token: "é", logProbability: -0.5, tokenId: 7 }],
      topCandidates: [{ candidates: [{ token: "e", logProbability: -1 }] }],
    };
    const answer = decode({ candidates: [candidate([{ text: "é" }], { logprobsResult, avgLogprobs: -0.5 })] });
    expect(answer.candidates[0]?.content).toMatchObject([
      { text: "é", logprobs: [{ token: "é", logprob: -0.5, bytes: [195, 169], top: [{ token: "e", logprob: -1, bytes: [101] }] }] },
    ]);
    expect(encode(answer).candidates[0]).toMatchObject({
      avgLogprobs: -0.5,
      logprobsResult: { chosenCandidates: [{ token: "é", logProbability: -0.5 }], topCandidates: [{ candidates: [{ token: "e" }] }] },
    });
  });
});

describe("usage", () => {
  const usageOf = (usageMetadata: object) => decode({ candidates: [candidate([])], usageMetadata }).usage;

  it("70: thoughts are beside the candidates, the cached inside the prompt, what tools brought in beside it", () => {
    const usageMetadata = {
      promptTokenCount: 100,
      cachedContentTokenCount: 30,
      toolUsePromptTokenCount: 20,
      candidatesTokenCount: 7,
      thoughtsTokenCount: 5,
      totalTokenCount: 132,
      trafficType: "ON_DEMAND",
    };
    const usage = { inputTokens: 90, cacheReadTokens: 30, outputTokens: 7, reasoningTokens: 5, serviceTier: "on_demand" };
    expect(usageOf(usageMetadata)).toEqual(usage);
    const answer = decode({ candidates: [candidate([])], usageMetadata });
    expect(encode(answer)["usageMetadata"]).toEqual(usageMetadata);
    expect(googleGenai.readUsage(bytesOf(JSON.stringify({ candidates: [], usageMetadata })))).toEqual(usage);
  });

  it("70: a count that is missing is unknown, and what the total shows is known", () => {
    expect(usageOf({ promptTokenCount: 5 })).toEqual({ inputTokens: 5 });
    expect(usageOf({ promptTokenCount: 5, thoughtsTokenCount: 2, totalTokenCount: 7 })).toEqual({
      inputTokens: 5,
      outputTokens: 0,
      reasoningTokens: 2,
    });
    expect(usageOf({ promptTokenCount: -1, candidatesTokenCount: 1.5 })).toEqual({});
    expect(usageOf({ promptTokenCount: 5, cachedContentTokenCount: 9 })).toEqual({ inputTokens: 0, cacheReadTokens: 5 });
  });

  it("counts sound apart, and pictures that were made", () => {
    const usageMetadata = {
      promptTokenCount: 100,
      cachedContentTokenCount: 10,
      candidatesTokenCount: 50,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 40 },
        { modality: "AUDIO", tokenCount: 50 },
        { modality: "IMAGE", tokenCount: 10 },
      ],
      cacheTokensDetails: [{ modality: "AUDIO", tokenCount: 10 }],
      candidatesTokensDetails: [{ modality: "IMAGE", tokenCount: 45 }],
    };
    expect(usageOf(usageMetadata)).toEqual({
      inputTokens: 50,
      audioInputTokens: 40,
      cacheReadTokens: 10,
      outputTokens: 5,
      imageOutputTokens: 45,
    });
  });

  it("82: counts the searches that Google made, which it charges by the query", () => {
    const groundingMetadata = { webSearchQueries: ["a", "b"], searchEntryPoint: { renderedContent: "x" } };
    const body = { candidates: [candidate([{ text: "t" }], { groundingMetadata }), 5], usageMetadata: { promptTokenCount: 3 } };
    const answer = decode(body);
    expect(answer.usage).toEqual({ inputTokens: 3, searches: 2 });
    expect(googleGenai.readUsage(bytesOf(JSON.stringify(body)))).toEqual(answer.usage);
    expect(decode(encode(answer)).usage).toEqual(answer.usage);
  });

  it("says what is known of another vendor's counts", () => {
    const usage = { inputTokens: 10, cacheReadTokens: 5, cacheWriteTokens: 3, outputTokens: 4, reasoningTokens: 1 };
    expect(encode(answerOf([], {}, usage))["usageMetadata"]).toEqual({
      promptTokenCount: 18,
      cachedContentTokenCount: 5,
      candidatesTokenCount: 4,
      thoughtsTokenCount: 1,
      totalTokenCount: 23,
    });
    expect(encode(answerOf([]))).not.toHaveProperty("usageMetadata");
  });
});

describe("92: what an answer rests on", () => {
  const said = "Grüße 😀 aus Köln.";
  const bytesTo = (text: string) => new TextEncoder().encode(said.slice(0, said.indexOf(text))).length;
  const groundingMetadata = {
    webSearchQueries: ["q"],
    groundingChunks: [{ web: { uri: "https://a.test", title: "A" } }, { web: { uri: "https://b.test" } }],
    groundingSupports: [{ segment: { startIndex: bytesTo("😀"), endIndex: bytesTo(" aus"), text: "😀" }, groundingChunkIndices: [0, 1] }],
  };

  it("counts bytes at Google's and UTF-16 code units at ours", () => {
    const answer = decode({ candidates: [candidate([{ text: said }], { groundingMetadata })] });
    const [part] = answer.candidates[0]?.content ?? [];
    expect(part).toMatchObject({
      citations: [
        { url: "https://a.test", title: "A", start: 6, end: 8 },
        { url: "https://b.test", start: 6, end: 8 },
      ],
    });
    expect(encode(answer).candidates[0]?.["groundingMetadata"]).toEqual(groundingMetadata);
  });

  it("places of a later part count from it, and those of the whole text fall into the part that they belong to", () => {
    const supports = [
      { segment: { partIndex: 1, startIndex: 1, endIndex: 3 }, groundingChunkIndices: [0] },
      { segment: { endIndex: 2 }, groundingChunkIndices: [1] },
    ];
    const parts = [{ text: "éa", thoughtSignature: "c2ln" }, { text: "xyz" }];
    const { content } = contentOf(parts, { groundingMetadata: { ...groundingMetadata, groundingSupports: supports } }) ?? { content: [] };
    expect(content).toMatchObject([
      { text: "éa", citations: [{ url: "https://b.test", start: 0, end: 1 }] },
      { text: "xyz", citations: [{ url: "https://a.test", start: 1, end: 3 }] },
    ]);
  });

  it("what citations cannot hold goes back as it came", () => {
    const rich = {
      groundingChunks: [{ maps: { uri: "https://m.test", placeId: "p" } }],
      groundingSupports: [{ segment: { endIndex: 1 }, groundingChunkIndices: [0], confidenceScores: [0.5] }],
    };
    const answer = decode({ candidates: [candidate([{ text: "a" }], { groundingMetadata: rich })] });
    expect(answer.candidates[0]?.content[0]).toMatchObject({ citations: [{ url: "https://m.test", start: 0, end: 1 }] });
    expect(encode(answer).candidates[0]?.["groundingMetadata"]).toEqual(rich);
  });

  it("sources that were quoted are citations too, with their licence", () => {
    const citationMetadata = { citations: [{ startIndex: 1, endIndex: 2, uri: "https://q.test", license: "MIT" }] };
    const answer = decode({ candidates: [candidate([{ text: "abc" }], { citationMetadata })] });
    expect(answer.candidates[0]?.content[0]).toMatchObject({ citations: [{ url: "https://q.test", start: 1, end: 2 }] });
    expect(encode(answer).candidates[0]?.["citationMetadata"]).toEqual(citationMetadata);
  });

  it("another vendor's citations are told with one source each", () => {
    const citations = [
      { url: "https://a.test", title: "A", start: 6, end: 8 },
      { url: "https://a.test", title: "A", start: 9, end: 12, citedText: "x" },
    ];
    expect(encode(answerOf([{ type: "text", text: said, citations }])).candidates[0]?.["groundingMetadata"]).toEqual({
      groundingChunks: [
        { web: { uri: "https://a.test", title: "A" } },
        { retrievedContext: { uri: "https://a.test", title: "A", text: "x" } },
      ],
      groundingSupports: [
        { segment: { startIndex: bytesTo("😀"), endIndex: bytesTo(" aus"), text: "😀" }, groundingChunkIndices: [0] },
        { segment: { startIndex: bytesTo("aus"), endIndex: bytesTo(" Köln"), text: "aus" }, groundingChunkIndices: [1] },
      ],
    });
  });
});
