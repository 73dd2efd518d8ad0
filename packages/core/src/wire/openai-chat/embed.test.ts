import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../test/wire/chunks.js";
import { dataFiles, needsData, readData } from "../../../test/wire/test-data.js";
import type { EmbedAnswer, EmbedCall } from "../../calls/index.js";
import type { EmbedCodec } from "../shared/codec.js";
import { openaiChat } from "./openai-chat.js";

const embed = openaiChat.embed as EmbedCodec;
const decode = (body: object): EmbedCall => embed.decodeRequest(bytesOf(JSON.stringify({ model: "m", ...body })));
const encode = (call: EmbedCall) =>
  JSON.parse(textOf(embed.encodeRequest(call, { model: call.model, quirks: {} }).bytes)) as Record<string, unknown>;
const answer = (body: object): EmbedAnswer => embed.decodeAnswer(bytesOf(JSON.stringify(body)));
const shown = (given: EmbedAnswer, call: EmbedCall) =>
  JSON.parse(textOf(embed.encodeAnswer(given, call))) as { data: { index: number; embedding: unknown }[] };
const requests = dataFiles("requests/requests/embeddings", ".json");

describe("a request for vectors", () => {
  it.each([
    ["a text", "hi", ["hi"]],
    ["texts", ["hi", ""], ["hi", ""]],
    ["tokens", [1, 2, 3], [[1, 2, 3]]],
    ["texts as tokens", [[1, 2], [3]], [[1, 2], [3]]],
  ])("of %s is read, and goes on as it came", (_name, input, inputs) => {
    const call = decode({ input, dimensions: 256, user: "u", x: 1 });
    expect(call).toMatchObject({ model: "m", inputs, dimensions: 256, user: "u", extras: { "openai-chat": { x: 1 } } });
    expect(decode(encode(call)).inputs).toEqual(inputs);
    expect(encode(call)).toMatchObject({ dimensions: 256, user: "u", x: 1 });
  });

  it.each([
    [{}, "input"],
    [{ input: [] }, "input"],
    [{ input: 5 }, "input"],
    [{ input: ["a", 1] }, "input[1]"],
    [{ input: [[1], []] }, "input[1]"],
    [{ input: [[1], [1.5]] }, "input[1]"],
    [{ input: "a", dimensions: 0 }, "dimensions"],
    [{ input: "a", encoding_format: "hex" }, "encoding_format"],
  ])("%j is refused by its field", (body, param) => {
    expect(() => decode(body)).toThrow(expect.objectContaining({ code: "validation_failed", details: { param } }));
  });

  it("whose form is the caller's wish alone is not sent with it, and what the protocol does not say is told", () => {
    expect(encode(decode({ input: "a", encoding_format: "base64" }))).toEqual({ model: "m", input: "a" });
    const { warnings } = embed.encodeRequest({ model: "m", inputs: ["a"], taskType: "RETRIEVAL_QUERY" }, { model: "m", quirks: {} });
    expect(warnings).toMatchObject([{ field: "taskType" }]);
  });

  it("recorded requests say the same when they are encoded", (context) => {
    needsData(context);
    expect(requests.length).toBeGreaterThanOrEqual(4);
    for (const path of requests) expect(encode(embed.decodeRequest(readData(path)))).toEqual(JSON.parse(textOf(readData(path))));
  });
});

describe("an answer of vectors", () => {
  const asked: EmbedCall = { model: "m", inputs: ["a", "b"] };
  const inBase64: EmbedCall = { ...asked, extras: { "openai-chat": { encoding_format: "base64" } } };

  it("is put in order by its indexes, with its usage, known or not", () => {
    const data = [
      { object: "embedding", index: 1, embedding: [3] },
      { object: "embedding", index: 0, embedding: [1, 2] },
    ];
    expect(answer({ object: "list", data, model: "e", usage: { prompt_tokens: 2, total_tokens: 2 } })).toEqual({
      model: "e",
      vectors: [[1, 2], [3]],
      usage: { inputTokens: 2, outputTokens: 0 },
    });
    expect(answer({ data }).usage).toEqual({});
  });

  it("116: in base64 is 32-bit floats, little-endian", () => {
    const given: EmbedAnswer = { model: "e", vectors: [[1, -2.5, 0.1]], usage: { inputTokens: 1 } };
    const view = new DataView(new ArrayBuffer(12));
    [1, -2.5, 0.1].forEach((value, i) => view.setFloat32(i * 4, value, true));
    const text = Buffer.from(view.buffer).toString("base64");
    expect(shown(given, inBase64).data[0]?.embedding).toBe(text);
    expect(answer({ data: [{ index: 0, embedding: text }] }).vectors).toEqual([[1, -2.5, Math.fround(0.1)]]);
  });

  it("comes back as it went, as numbers exactly and in base64 as 32-bit floats", () => {
    const vectors = fc.array(
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }), { minLength: 1, maxLength: 5 }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(vectors, (lists) => {
        const plain = lists.map((list) => list.map((value) => (Object.is(value, -0) ? 0 : value)));
        const given: EmbedAnswer = { model: "e", vectors: plain, usage: { inputTokens: 3, outputTokens: 0 } };
        expect(embed.decodeAnswer(embed.encodeAnswer(given, asked))).toEqual(given);
        const back = embed.decodeAnswer(embed.encodeAnswer(given, inBase64));
        expect(back.vectors).toEqual(plain.map((list) => list.map(Math.fround)));
      }),
    );
  });

  it.each([
    {},
    { data: [{}] },
    { data: [{ embedding: [] }] },
    { data: [{ embedding: ["1"] }] },
    { data: [{ embedding: "AAA" }] },
    { data: [{ index: 1, embedding: [1] }] },
  ])("%j is a protocol error", (body) => {
    expect(() => answer(body)).toThrow(expect.objectContaining({ code: "upstream_protocol" }));
  });

  it("recorded answers are read, OpenAI's and Cohere's", (context) => {
    needsData(context);
    const openai = embed.decodeAnswer(readData("recorded/openai/embedding/openai-embedding.json"));
    expect(openai).toMatchObject({ model: "text-embedding-3-small", usage: { inputTokens: 12 } });
    expect(openai.vectors.map((vector) => vector.length)).toEqual([5, 5]);
    expect(embed.decodeAnswer(embed.encodeAnswer(openai, asked))).toEqual(openai);
    const cohere = embed.decodeAnswer(readData("recorded/cohere/cohere-embedding.json"));
    expect(cohere.vectors.length).toBeGreaterThan(0);
    expect(cohere.usage.inputTokens).toBeGreaterThan(0);
  });
});
