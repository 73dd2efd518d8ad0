import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../../test/wire/chunks.js";
import type { Message, ModelCall } from "../../../calls/index.js";
import { googleGenai } from "../google-genai.js";

type Json = Record<string, unknown>;

const text = (said: string) => ({ type: "text" as const, text: said });
const user = (...said: string[]): Message => ({ role: "user", content: said.map(text) });
const model = (...said: string[]): Message => ({ role: "assistant", content: said.map(text) });
const system = (said: string): Message => ({ role: "system", content: [text(said)] });

function encode(call: Partial<ModelCall>) {
  const { bytes, warnings } = googleGenai.encodeRequest(
    { model: "m", messages: [user("hi")], ...call },
    { model: "g", stream: false, quirks: {} },
  );
  return { body: JSON.parse(textOf(bytes)) as Json, warned: (warnings ?? []).map(({ field }) => field), warnings };
}
const decode = (body: unknown) => googleGenai.decodeRequest(bytesOf(JSON.stringify(body)), { model: "m", stream: false });
const config = (call: Partial<ModelCall>) => encode(call).body["generationConfig"];
const said = (role: string, ...parts: string[]) => ({ role, parts: parts.map((part) => ({ text: part })) });

describe("turns", () => {
  it("83: what the system and the developer say at the front is the system instruction, in order", () => {
    const { body, warned } = encode({ messages: [system("a"), { role: "developer", content: [text("b")] }, user("hi")] });
    expect(body).toMatchObject({ systemInstruction: { parts: [{ text: "a" }, { text: "b" }] }, contents: [said("user", "hi")] });
    expect(warned).toEqual([]);
  });

  it("83: later it is said by the user, marked, in its place", () => {
    const { body, warned } = encode({ messages: [user("hi"), model("ho"), system("now in French"), user("go on")] });
    expect(body["contents"]).toEqual([
      said("user", "hi"),
      said("model", "ho"),
      said("user", "<system>\nnow in French\n</system>", "go on"),
    ]);
    expect(warned).toEqual(["messages[2]"]);
  });

  it("83: alone it is said by the user, since Google takes no call without contents", () => {
    const { body, warned } = encode({ messages: [system("say hi")] });
    expect(body).toMatchObject({ contents: [said("user", "say hi")] });
    expect(body).not.toHaveProperty("systemInstruction");
    expect(warned).toEqual(["messages"]);
  });

  it("86: empty texts are left out, and a turn of nothing else with them", () => {
    const { body } = encode({ messages: [user("hi", ""), model(""), user("there", " ")] });
    expect(body["contents"]).toEqual([said("user", "hi", "there", " ")]);
    expect(() => encode({ messages: [user("")] })).toThrow(
      expect.objectContaining({ code: "unsupported_feature", details: { param: "messages" } }),
    );
  });

  it("87: turns of one role are one, and the first is the user's", () => {
    const { body, warned } = encode({ messages: [model("a"), model("b"), user("c"), user("d")] });
    expect(body["contents"]).toEqual([said("user", "(continue)"), said("model", "a", "b"), said("user", "c", "d")]);
    expect(warned).toEqual(["messages[0]"]);
  });

  it("31: results and what the user says behind them are one turn, and two messages again", () => {
    const messages: Message[] = [
      user("hi"),
      { role: "assistant", content: [{ type: "tool-call", id: "a", name: "f", arguments: "{}" }] },
      { role: "tool", content: [{ type: "tool-result", callId: "a", content: [text("1")] }] },
      user("and?"),
    ];
    const { body } = encode({ messages });
    expect((body["contents"] as unknown[]).length).toBe(3);
    expect(decode(body).messages).toEqual(messages);
  });

  it("24, 93: reasoning without text and token is nothing, a refusal is said as text", () => {
    const content = [
      { type: "reasoning" as const, text: "" },
      { type: "refusal" as const, text: "I won't" },
    ];
    expect(encode({ messages: [user("hi"), { role: "assistant", content }, user("why")] }).body["contents"]).toEqual([
      said("user", "hi"),
      said("model", "I won't"),
      said("user", "why"),
    ]);
  });

  it("62: items of Google's that have no neutral form go back in their places, those of others are left out", () => {
    const item = { codeExecutionResult: { outcome: "OK" }, thoughtSignature: "AAAA" };
    const given = decode({
      contents: [said("user", "hi"), { role: "model", parts: [{ text: "a" }, item, { text: "b" }] }, said("user", "c")],
    });
    expect(encode(given).body["contents"]).toEqual([
      said("user", "hi"),
      { role: "model", parts: [{ text: "a" }, item, { text: "b" }] },
      said("user", "c"),
    ]);
    const foreign: Message = {
      role: "assistant",
      content: [text("x"), { type: "native", protocol: "openai-responses", item: { type: "compaction" } }],
    };
    expect(encode({ messages: [user("hi"), foreign, user("so")] }).warned).toEqual(["messages[1].content[1]"]);
  });
});

describe("media", () => {
  const media = (mediaType: string, source: object, more: object = {}) => ({ type: "media", mediaType, source, ...more }) as never;
  const sent = (...content: never[]) =>
    (encode({ messages: [{ role: "user", content }] }).body["contents"] as { parts: Json[] }[])[0]?.parts;

  it("84, 85: bytes, addresses and files of any kind", () => {
    expect(
      sent(
        media("application/pdf", { kind: "base64", data: "AAAA" }, { filename: "a.pdf" }),
        media("image/*", { kind: "url", url: "https://x.test/a.PNG?b=1" }),
        media("image/*", { kind: "url", url: "https://x.test/a" }),
        media("video/mp4", { kind: "file", id: "gs://b/c.mp4" }),
      ),
    ).toEqual([
      { inlineData: { mimeType: "application/pdf", data: "AAAA", displayName: "a.pdf" } },
      { fileData: { mimeType: "image/png", fileUri: "https://x.test/a.PNG?b=1" } },
      { fileData: { fileUri: "https://x.test/a" } },
      { fileData: { mimeType: "video/mp4", fileUri: "gs://b/c.mp4" } },
    ]);
  });

  it("84: a file of Google's is one of its own, any other address is an address", () => {
    const uris = ["https://generativelanguage.googleapis.com/v1beta/files/abc", "gs://b/c", "https://youtu.be/x", "https://x.test/a.jpg"];
    const { messages } = decode({ contents: [{ parts: uris.map((fileUri) => ({ fileData: { fileUri } })) }] });
    expect(messages[0]?.content.map((part) => (part.type === "media" ? [part.mediaType, part.source.kind] : []))).toEqual([
      ["application/octet-stream", "file"],
      ["application/octet-stream", "file"],
      ["application/octet-stream", "url"],
      ["image/jpeg", "url"],
    ]);
  });
});

describe("what steers the answer", () => {
  it("89, 90, 91: limits, zeros, candidates, log probabilities and stop sequences", () => {
    expect(
      config({ temperature: 0, seed: 0, n: 3, logprobs: 2, stop: ["a", "b"], maxOutputTokens: 9, presencePenalty: 0.5, topK: 4 }),
    ).toEqual({
      temperature: 0,
      seed: 0,
      candidateCount: 3,
      responseLogprobs: true,
      logprobs: 2,
      stopSequences: ["a", "b"],
      maxOutputTokens: 9,
      presencePenalty: 0.5,
      topK: 4,
    });
    expect(config({ logprobs: 0 })).toEqual({ responseLogprobs: true });
    expect(() => encode({ stop: ["1", "2", "3", "4", "5", "6"] })).toThrow(
      expect.objectContaining({ code: "unsupported_feature", details: { param: "stop" } }),
    );
  });

  it("20: how much to think, in Google's words", () => {
    const thinking = (reasoning: ModelCall["reasoning"]) => (config({ reasoning }) as Json | undefined)?.["thinkingConfig"];
    expect(thinking({ effort: "minimal" })).toEqual({ thinkingLevel: "MINIMAL" });
    expect(thinking({ effort: "high", visible: true })).toEqual({ thinkingLevel: "HIGH", includeThoughts: true });
    expect(thinking({ effort: "xhigh" })).toEqual({ thinkingLevel: "HIGH" });
    expect(thinking({ effort: "none" })).toEqual({ thinkingBudget: 0 });
    expect(thinking({ budgetTokens: 99 })).toEqual({ thinkingBudget: 99 });
    expect(thinking({ effort: "low", budgetTokens: 99 })).toEqual({ thinkingLevel: "LOW" });
    expect(encode({ reasoning: { effort: "max", budgetTokens: 9 } }).warned).toEqual(["reasoning.budgetTokens", "reasoning.effort"]);
    expect(decode({ contents: [], generationConfig: { thinkingConfig: { thinkingBudget: -1 } } }).reasoning).toEqual({});
  });

  it("95: labels carry metadata that is made as labels are; what names a user goes nowhere", () => {
    const { body, warned } = encode({ metadata: { team: "a-1", Bad: "x", other: 5 }, user: "u", promptCacheKey: "k" });
    expect(body["labels"]).toEqual({ team: "a-1" });
    expect(warned).toEqual(["user", "promptCacheKey", "metadata.Bad", "metadata.other"]);
  });

  it("cache marks are left out with a warning: Google has none", () => {
    expect(encode({ messages: [{ role: "user", content: [{ ...text("hi"), cache: { ttl: "5m" } }] }] }).warned).toEqual([
      "messages[0].content[0].cache",
    ]);
  });

  it("the tier in Google's words", () => {
    expect(encode({ serviceTier: "default" }).body["serviceTier"]).toBe("standard");
    expect(encode({ serviceTier: "auto" }).body).not.toHaveProperty("serviceTier");
    expect(encode({ serviceTier: "flex" }).body["serviceTier"]).toBe("flex");
  });

  it("JSON, with a schema and without", () => {
    const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
    expect(config({ output: { type: "json" } })).toEqual({ responseMimeType: "application/json" });
    expect(config({ output: { type: "text" } })).toEqual({ responseMimeType: "text/plain" });
    expect(config({ output: { type: "json-schema", name: "x", schema, description: "d", strict: true } })).toEqual({
      responseMimeType: "application/json",
      responseJsonSchema: { ...schema, description: "d" },
    });
  });

  it("a schema in Google's own form goes back as it came, and is JSON Schema for all others", () => {
    const responseSchema = {
      type: "OBJECT",
      properties: { a: { type: "STRING", nullable: true, maxLength: "5" }, b: { type: "ARRAY", items: { type: "INTEGER" } } },
      propertyOrdering: ["b", "a"],
    };
    const given = decode({ contents: [said("user", "hi")], generationConfig: { responseMimeType: "application/json", responseSchema } });
    expect(given.output).toEqual({
      type: "json-schema",
      name: "response",
      schema: {
        type: "object",
        properties: { a: { type: ["string", "null"], maxLength: 5 }, b: { type: "array", items: { type: "integer" } } },
      },
    });
    expect(config(given)).toEqual({ responseMimeType: "application/json", responseSchema });
    const other = { ...given, output: { type: "json-schema" as const, name: "r", schema: { type: "object" } } };
    expect(config(other)).toEqual({ responseMimeType: "application/json", responseJsonSchema: { type: "object" } });
  });
});
