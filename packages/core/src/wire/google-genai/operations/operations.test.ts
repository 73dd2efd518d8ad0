import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../../test/wire/chunks.js";
import type { EmbedCall, ModelCall } from "../../../calls/index.js";
import type { EncodedRequest, Quirks } from "../../shared/codec.js";
import { countTokens } from "./count-tokens.js";
import { embed } from "./embed.js";

const at = { model: "gemini-x", stream: false };
const json = (bytes: Uint8Array) => JSON.parse(textOf(bytes)) as Record<string, unknown>;
const bytes = (value: unknown) => bytesOf(JSON.stringify(value));
const vertex: Quirks = { modelsPath: "/models" };
const hi = { role: "user" as const, content: [{ type: "text" as const, text: "hi" }] };
const contents = [{ role: "user", parts: [{ text: "hi" }] }];

describe("115: counting tokens", () => {
  const ask = (call: Partial<ModelCall>, quirks: Quirks = {}): EncodedRequest =>
    countTokens.encodeRequest({ model: "m", messages: [hi], ...call }, { model: "gemini-x", quirks });

  it("reads contents, a whole call, and what Vertex AI has beside the contents", () => {
    const generateContentRequest = { model: "models/y", contents, systemInstruction: { parts: [{ text: "s" }] } };
    expect(countTokens.decodeRequest(bytes({ contents }), at)).toMatchObject({ model: "gemini-x", messages: [hi] });
    for (const body of [
      { generateContentRequest },
      { generate_content_request: generateContentRequest },
      { contents, system_instruction: { parts: [{ text: "s" }] } },
    ])
      expect(countTokens.decodeRequest(bytes(body), at)).toMatchObject({ model: "gemini-x", messages: [{ role: "system" }, hi] });
    expect(() => countTokens.decodeRequest(bytes({}), at)).toThrow(expect.objectContaining({ details: { param: "contents" } }));
  });

  it("asks for as little as it needs, without what steers the answer", () => {
    expect(ask({ temperature: 1 })).toMatchObject({ path: "/v1beta/models/gemini-x:countTokens" });
    expect(json(ask({ temperature: 1 }).bytes)).toEqual({ contents });
    const tools = [{ name: "f", inputSchema: { type: "object", properties: {} } }];
    expect(json(ask({ tools, temperature: 1 }).bytes)).toEqual({
      generateContentRequest: { model: "models/gemini-x", contents, tools: [{ functionDeclarations: [{ name: "f" }] }] },
    });
    expect(json(ask({ tools, temperature: 1 }, vertex).bytes)).toEqual({
      contents,
      tools: [{ functionDeclarations: [{ name: "f" }] }],
      generationConfig: { temperature: 1 },
    });
  });

  it("answers in Google's form", () => {
    expect(countTokens.decodeAnswer(bytes({ totalTokens: 7, promptTokensDetails: [] }))).toEqual({ inputTokens: 7, estimated: false });
    expect(countTokens.decodeAnswer(bytes({}))).toEqual({ inputTokens: 0, estimated: false });
    expect(json(countTokens.encodeAnswer({ inputTokens: 7, estimated: true }))).toEqual({ totalTokens: 7 });
    expect(() => countTokens.decodeAnswer(bytes({ totalTokens: "x" }))).toThrow(expect.objectContaining({ code: "upstream_protocol" }));
    expect(() => countTokens.decodeAnswer(bytes({ error: { code: 429, message: "slow" } }))).toThrow(
      expect.objectContaining({ code: "upstream_rate_limited" }),
    );
  });
});

describe("116: embeddings", () => {
  const content = (text: string) => ({ parts: [{ text }] });
  const ask = (call: Partial<EmbedCall>, o: { model?: string; quirks?: Quirks } = {}): EncodedRequest =>
    embed.encodeRequest({ model: "m", inputs: ["a"], ...call }, { model: o.model ?? "gemini-embedding-2", quirks: o.quirks ?? {} });
  const vectors = [
    [0.5, -1],
    [1, 2],
  ];

  it("one text in its own form, several as a batch of at most 100", () => {
    expect(embed.maxInputs).toBe(100);
    const single = ask({ dimensions: 2, taskType: "RETRIEVAL_QUERY", title: "t" });
    expect(single.path).toBe("/v1beta/models/gemini-embedding-2:embedContent");
    const about = { taskType: "RETRIEVAL_QUERY", title: "t", outputDimensionality: 2 };
    expect(json(single.bytes)).toEqual({ model: "models/gemini-embedding-2", content: content("a"), ...about });
    const batch = ask({ inputs: ["a", "b"], dimensions: 2, taskType: "RETRIEVAL_QUERY", title: "t" });
    expect(batch.path).toBe("/v1beta/models/gemini-embedding-2:batchEmbedContents");
    expect(json(batch.bytes)).toEqual({
      requests: ["a", "b"].map((text) => ({ model: "models/gemini-embedding-2", content: content(text), ...about })),
    });
  });

  it("token arrays are refused, what names a user is left out with a warning", () => {
    expect(() => ask({ inputs: ["a", [1, 2]] })).toThrow(
      expect.objectContaining({ code: "unsupported_feature", details: { param: "inputs[1]" } }),
    );
    expect(ask({ user: "u" }).warnings).toMatchObject([{ field: "user" }]);
  });

  it("on Vertex AI by the method that the model knows", () => {
    const old = ask({ inputs: ["a", "b"], dimensions: 2, taskType: "CLUSTERING" }, { model: "text-embedding-005", quirks: vertex });
    expect(old.path).toBe("/models/text-embedding-005:predict");
    expect(json(old.bytes)).toEqual({
      instances: [
        { content: "a", task_type: "CLUSTERING" },
        { content: "b", task_type: "CLUSTERING" },
      ],
      parameters: { outputDimensionality: 2 },
    });
    const modern = ask({ dimensions: 2 }, { quirks: vertex });
    expect(modern.path).toBe("/models/gemini-embedding-2:embedContent");
    expect(json(modern.bytes)).toEqual({ content: content("a"), embedContentConfig: { outputDimensionality: 2 } });
    expect(() => ask({ inputs: ["a", "b"] }, { quirks: vertex })).toThrow(expect.objectContaining({ details: { param: "inputs" } }));
  });

  it("answers of each method", () => {
    expect(embed.decodeAnswer(bytes({ embedding: { values: vectors[0] } }))).toEqual({ model: "", vectors: [vectors[0]], usage: {} });
    const usageMetadata = { promptTokenCount: 4 };
    expect(embed.decodeAnswer(bytes({ embeddings: vectors.map((values) => ({ values })), usageMetadata }))).toEqual({
      model: "",
      vectors,
      usage: { inputTokens: 4 },
    });
    const predictions = vectors.map((values) => ({ embeddings: { values, statistics: { token_count: 3 } } }));
    expect(embed.decodeAnswer(bytes({ predictions }))).toEqual({ model: "", vectors, usage: { inputTokens: 6 } });
    for (const body of [{}, { embeddings: [] }, { embeddings: [{ values: ["x"] }] }])
      expect(() => embed.decodeAnswer(bytes(body))).toThrow(expect.objectContaining({ code: "upstream_protocol" }));
  });

  it("the face reads each form and answers in it", () => {
    const request = { content: content("a"), taskType: "CLUSTERING", outputDimensionality: 2 };
    const single = embed.decodeRequest(bytes(request), at);
    expect(single).toMatchObject({ model: "gemini-x", inputs: ["a"], dimensions: 2, taskType: "CLUSTERING" });
    const one = { model: "m", vectors: [vectors[0] as number[]], usage: {} };
    expect(json(embed.encodeAnswer(one, single))).toEqual({ embedding: { values: vectors[0] } });

    const only = embed.decodeRequest(bytes({ requests: [{ ...request, model: "models/x" }] }), at);
    expect(only.inputs).toEqual(["a"]);
    expect(json(embed.encodeAnswer(one, only))).toEqual({ embeddings: [{ values: vectors[0] }] });

    const both = embed.decodeRequest(bytes({ requests: [request, { ...request, content: content("b") }] }), at);
    expect(both.inputs).toEqual(["a", "b"]);
    const usage = { inputTokens: 5 };
    expect(json(embed.encodeAnswer({ model: "m", vectors, usage }, both))).toEqual({
      embeddings: vectors.map((values) => ({ values })),
      usageMetadata: { promptTokenCount: 5 },
    });

    const apart = { content: content("a"), embedContentConfig: { taskType: "CLUSTERING", outputDimensionality: 2 } };
    expect(embed.decodeRequest(bytes(apart), at)).toEqual(single);

    const predict = embed.decodeRequest(
      bytes({ instances: [{ content: "a", task_type: "CLUSTERING" }], parameters: { outputDimensionality: 2 } }),
      at,
    );
    expect(predict).toMatchObject({ inputs: ["a"], taskType: "CLUSTERING", dimensions: 2 });
    expect(json(embed.encodeAnswer(one, predict))).toEqual({ predictions: [{ embeddings: { values: vectors[0] } }] });
  });

  it("what is asked for in one form is sent on in the vendor's, without the form's mark", () => {
    const call = embed.decodeRequest(bytes({ requests: [{ content: content("a"), autoTruncate: true }] }), at);
    expect(json(embed.encodeRequest(call, { model: "g", quirks: {} }).bytes)).toEqual({
      model: "models/g",
      content: content("a"),
      autoTruncate: true,
    });
  });

  it.each([
    [{}, "validation_failed", "content"],
    [{ requests: [] }, "validation_failed", "requests"],
    [{ requests: [{}] }, "validation_failed", "requests[0].content"],
    [{ content: { parts: [{ inlineData: {} }] } }, "unsupported_feature", "content.parts[0]"],
    [
      {
        requests: [
          { content: content("a"), title: "x" },
          { content: content("b"), title: "y" },
        ],
      },
      "unsupported_feature",
      "requests[1].title",
    ],
    [
      { requests: [{ content: content("a") }, { content: content("b"), outputDimensionality: 3 }] },
      "unsupported_feature",
      "requests[1].outputDimensionality",
    ],
  ])("refuses %j", (body, code, param) => {
    expect(() => embed.decodeRequest(bytes(body), at)).toThrow(expect.objectContaining({ code, details: { param } }));
  });
});
