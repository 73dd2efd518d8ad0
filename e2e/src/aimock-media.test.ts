import { LLMock } from "@copilotkit/aimock";
import OpenAI, { toFile } from "openai";
import { afterAll, describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "./served.js";

// A third party's stand-in for the vendor: https://www.npmjs.com/package/@copilotkit/aimock
const mock = new LLMock({ port: 0, logLevel: "silent" });
mock.onImage("a guinea pig", { image: { b64Json: "aGVsbG8=" } } as never);
mock.onSpeech("hello", { audio: btoa("sound") });
mock.onTranscription({
  transcription: {
    text: "what was said",
    language: "english",
    duration: 2,
    segments: [{ id: 0, text: "what was said", start: 0, end: 2 }],
  },
} as never);
mock.onEmbedding("a text", { embedding: [0.5, 0.25] } as never);
mock.onModerate("bad words", { flagged: true, categories: { hate: true }, category_scores: { hate: 0.9 } } as never);
await mock.start();
afterAll(() => mock.stop());

const { url } = await served({ providers: { openai: { baseUrl: `${mock.url}/v1`, apiKey: "sk-mock" } } });
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: OWNER_KEY, maxRetries: 0 });

describe("OpenAI's media from SDK to SDK, with the gateway between", () => {
  it("pictures", async () => {
    const { data } = await client.images.generate({ model: "openai/gpt-image-2", prompt: "a guinea pig" });
    expect(data).toMatchObject([{ b64_json: "aGVsbG8=" }]);
  });

  it("pictures of pictures", async () => {
    const image = await toFile(new Uint8Array([1]), "a.png", { type: "image/png" });
    const { data } = await client.images.edit({ model: "openai/gpt-image-2", prompt: "a guinea pig", image });
    expect(data).toMatchObject([{ b64_json: "aGVsbG8=" }]);
  });

  it("speech", async () => {
    const response = await client.audio.speech.create({ model: "openai/gpt-4o-mini-tts", voice: "alloy", input: "hello" });
    expect(new TextDecoder().decode(await response.arrayBuffer())).toBe("sound");
    expect(response.headers.get("content-type")).toMatch(/^audio\//);
  });

  it("transcripts", async () => {
    const file = () => toFile(new Uint8Array([1]), "a.wav", { type: "audio/wav" });
    const plain = await client.audio.transcriptions.create({ model: "openai/gpt-4o-transcribe", file: await file() });
    expect(plain.text).toBe("what was said");
    const verbose = await client.audio.transcriptions.create({
      model: "openai/whisper-1",
      file: await file(),
      response_format: "verbose_json",
    });
    expect(verbose).toMatchObject({ duration: 2, segments: [{ text: "what was said", end: 2 }] });
    const srt = await client.audio.transcriptions.create({ model: "openai/whisper-1", file: await file(), response_format: "srt" });
    expect(srt).toContain("00:00:00,000 --> 00:00:02,000\nwhat was said");
  });

  it("vectors", async () => {
    const { data } = await client.embeddings.create({ model: "openai/text-embedding-3-small", input: "a text" });
    expect(data[0]!.embedding).toEqual([0.5, 0.25]);
  });

  it("moderation", async () => {
    const { results } = await client.moderations.create({ model: "openai/omni-moderation-latest", input: "bad words" });
    expect(results).toMatchObject([{ flagged: true, category_scores: { hate: 0.9 } }]);
  });
});
