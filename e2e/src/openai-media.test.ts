import OpenAI, { toFile } from "openai";
import { describe, expect, it } from "vitest";
import { caller, OWNER_KEY, served } from "./served.js";

const { url } = await served();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: OWNER_KEY, maxRetries: 0 });
const call = caller(url);
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());
const wav = async () => bytesOf(await client.audio.speech.create({ model: "demo/speech", voice: "alloy", input: "hello there" }));
const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));

describe("the official openai SDK beside chat, unchanged, at the demo", () => {
  it("lists the models of each operation", async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id);
    for (const name of ["embed", "image", "speech", "transcribe", "video", "moderate"]) expect(ids).toContain(`demo/${name}`);
  });

  it("116: gives the same vectors as numbers and in base64, in the order of the texts", async () => {
    // The SDK asks for base64 unless told otherwise, and decodes it.
    const input = ["the cat sat", "a quite different thing", "the cat sat"];
    const packed = await client.embeddings.create({ model: "demo/embed", input });
    const plain = await client.embeddings.create({ model: "demo/embed", input, encoding_format: "float" });
    expect(packed.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(plain.data[0]!.embedding).toHaveLength(64);
    for (const [at, { embedding }] of packed.data.entries())
      for (const [place, value] of embedding.entries()) expect(value).toBeCloseTo(plain.data[at]!.embedding[place]!, 6);
    expect(plain.data[0]!.embedding).toEqual(plain.data[2]!.embedding);
    expect(plain.data[0]!.embedding).not.toEqual(plain.data[1]!.embedding);
    expect(plain.usage).toEqual({ prompt_tokens: 10, total_tokens: 10 });
    const short = await client.embeddings.create({ model: "demo/embed", input: "x", dimensions: 8, encoding_format: "float" });
    expect(short.data[0]!.embedding).toHaveLength(8);
  });

  it("makes pictures, one or several, whole or streamed", async () => {
    const { data } = await client.images.generate({ model: "demo/image", prompt: "a red square", n: 2 });
    expect(data).toHaveLength(2);
    const png = Uint8Array.from(atob(data![0]!.b64_json!), (char) => char.charCodeAt(0));
    expect(ascii(png, 1, 4)).toBe("PNG");
    expect(data![1]!.b64_json).not.toBe(data![0]!.b64_json);
    const stream = await client.images.generate({ model: "demo/image", prompt: "a red square", stream: true });
    const events: string[] = [];
    for await (const event of stream) {
      events.push(event.type);
      expect(event.b64_json).toBe(data![0]!.b64_json);
    }
    expect(events).toEqual(["image_generation.completed"]);
    const linked = await client.images.generate({ model: "demo/image", prompt: "a red square", response_format: "url" });
    expect(linked.data![0]!.url).toBe(`data:image/png;base64,${data![0]!.b64_json}`);
  });

  it("edits pictures that come as a form", async () => {
    const image = [await toFile(new Uint8Array([1, 2, 3]), "a.png", { type: "image/png" }), await toFile(new Uint8Array([4]), "b.png")];
    const { data } = await client.images.edit({ model: "demo/image", prompt: "make it blue", image, n: 1 });
    expect(data).toHaveLength(1);
  });

  it("speaks, and says which kinds of sound it has", async () => {
    const sound = await wav();
    expect(ascii(sound, 0, 4) + ascii(sound, 8, 12)).toBe("RIFFWAVE");
    const samples = await client.audio.speech.create({
      model: "demo/speech",
      voice: "alloy",
      input: "hello there",
      response_format: "pcm",
    });
    expect(samples.headers.get("content-type")).toBe("audio/pcm");
    expect((await bytesOf(samples)).length).toBe(sound.length - 44);
    const mp3 = client.audio.speech.create({ model: "demo/speech", voice: "alloy", input: "x", response_format: "mp3" });
    await expect(mp3).rejects.toMatchObject({
      status: 422,
      code: "unsupported_feature",
      message: expect.stringContaining("wav") as string,
    });
  });

  it("writes down what it hears, in every format", async () => {
    const file = () => wav().then((bytes) => toFile(bytes, "speech.wav", { type: "audio/wav" }));
    const model = "demo/transcribe";
    const plain = await client.audio.transcriptions.create({ model, file: await file() });
    expect(plain.text).toMatch(/^A recording of \d+ bytes of audio\/wav, \d\.\d seconds\.$/);
    const text = await client.audio.transcriptions.create({ model, file: await file(), response_format: "text" });
    expect(text).toBe(`${plain.text}\n`);
    const verbose = await client.audio.transcriptions.create({
      ...{ model, file: await file(), response_format: "verbose_json" as const },
      timestamp_granularities: ["word", "segment"],
    });
    expect(verbose.segments).toMatchObject([{ id: 0, start: 0, text: plain.text }]);
    expect(verbose.words).toHaveLength(plain.text.split(" ").length);
    const srt = await client.audio.transcriptions.create({ model, file: await file(), response_format: "srt" });
    expect(srt).toMatch(/^1\n00:00:00,000 --> 00:00:00,\d{3}\nA recording/);
    const vtt = await client.audio.transcriptions.create({ model, file: await file(), response_format: "vtt" });
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:00\.000 --> /);
    expect((await client.audio.translations.create({ model, file: await file() })).text).toBe(plain.text);
  });

  it("114: streams a transcript as deltas", async () => {
    const file = await toFile(await wav(), "speech.wav", { type: "audio/wav" });
    const stream = await client.audio.transcriptions.create({ model: "demo/transcribe", file, stream: true });
    let text = "";
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === "transcript.text.delta") text += event.delta;
      if (event.type === "transcript.text.done") expect(event.text).toBe(text);
    }
    expect(types).toEqual(["transcript.text.delta", "transcript.text.done"]);
  });

  it("judges texts one by one", async () => {
    const { results } = await client.moderations.create({ model: "demo/moderate", input: ["all is well", "please flag me"] });
    expect(results.map(({ flagged }) => flagged)).toEqual([false, true]);
  });

  it("says of every answer who gave it and what it cost", async () => {
    const { response } = await client.embeddings.create({ model: "demo/embed", input: "x" }).withResponse();
    expect(response.headers.get("x-sallyport-provider")).toBe("demo");
    expect(response.headers.get("x-sallyport-model")).toBe("demo/embed");
    expect(response.headers.get("x-sallyport-cost-usd")).toBe("0");
  });
});

describe("what cannot be", () => {
  it("is told with the model and the operation", async () => {
    const answer = await call("POST /v1/embeddings", { model: "demo/image", input: "x" });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      error: { code: "unsupported_feature", message: expect.stringMatching(/demo\/image.*embed/) as string },
    });
  });

  it.each([
    ["POST /v1/embeddings", { model: "demo/embed" }, "input"],
    ["POST /v1/embeddings", { model: "demo/embed", input: [] }, "input"],
    ["POST /v1/embeddings", { model: "demo/embed", input: [1, "x"] }, "input[0]"],
    ["POST /v1/embeddings", { model: "demo/embed", input: "x", encoding_format: "int8" }, "encoding_format"],
    ["POST /v1/images/generations", { model: "demo/image", prompt: 3 }, "prompt"],
    ["POST /v1/images/generations", { model: "demo/image", prompt: "x", n: 0 }, "n"],
    [
      "POST /v1/images/edits",
      { model: "demo/image", prompt: "x", images: [{ image_url: "http://example.com/x.png" }] },
      "images[0].image_url",
    ],
    ["POST /v1/audio/speech", { model: "demo/speech", input: "" }, "input"],
    ["POST /v1/moderations", { model: "demo/moderate", input: [{ type: "sound" }] }, "input[0].type"],
  ])("%s %j names the field %s", async (target, body, param) => {
    const answer = await call(target, body);
    expect([400, 422]).toContain(answer.status);
    expect(answer.json).toMatchObject({ error: { param } });
  });

  it("is told of a form that is none, or lacks its file", async () => {
    expect(await call("POST /v1/audio/transcriptions", { model: "demo/transcribe" })).toMatchObject({ status: 415 });
    const broken = { "content-type": "multipart/form-data; boundary=x" };
    expect(await call("POST /v1/audio/transcriptions", "no form", broken)).toMatchObject({ status: 400 });
    const form = new FormData();
    form.set("model", "demo/transcribe");
    const response = await fetch(`${url}/v1/audio/transcriptions`, {
      ...{ method: "POST", body: form, headers: { authorization: `Bearer ${OWNER_KEY}` } },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: "file" } });
  });
});
