import { afterEach, describe, expect, it } from "vitest";
import { closeAll, gatewayTo, KEY, sendBytes, sendJson, stubVendor, type Answer } from "./stub-vendor.js";

// All answers here are synthetic: made up after the vendors' documentation.

afterEach(closeAll);
const text = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
const sound = { mediaType: "audio/flac", bytes: new Uint8Array([1, 2, 3]) };
const picture = { mediaType: "image/png", bytes: new Uint8Array([4, 5]) };

describe("xAI (synthetic)", () => {
  const vendor = async (answer: Answer) => {
    const { base, got } = await stubVendor(answer);
    return { base, got, gateway: gatewayTo({ xai: { baseUrl: `${base}/v1`, apiKey: KEY } }) };
  };

  it("makes pictures, with a size as a ratio and the cost that it names", async () => {
    const { gateway, got } = await vendor((_got, answer) =>
      sendJson(answer, { data: [{ b64_json: "aGk=" }], usage: { cost_in_usd_ticks: 200_000_000 } }),
    );
    const { images, usage } = await gateway.models.get("xai/grok-imagine-image").image({ prompt: "a boat", size: "1920x1080" });
    expect(images).toEqual([{ mediaType: "image/jpeg", source: { kind: "base64", data: "aGk=" } }]);
    expect(usage).toEqual({ images: 1, reportedCostNanoUsd: 20_000_000 });
    expect(got[0]).toMatchObject({ path: "/v1/images/generations", json: { aspect_ratio: "16:9", response_format: "b64_json" } });
    await gateway.models.get("xai/grok-imagine-image").image({ prompt: "a boat", images: [picture] });
    expect(got[1]).toMatchObject({ path: "/v1/images/edits", json: { image: { type: "image_url", url: "data:image/png;base64,BAU=" } } });
    await expect(gateway.models.get("xai/grok-imagine-image").image({ prompt: "x", mask: picture })).rejects.toMatchObject({
      code: "unsupported_feature",
      details: { param: "mask" },
    });
  });

  it("112: makes films that are asked after, until 202 is 200, and are fetched without the key elsewhere", async () => {
    let polls = 0;
    const { gateway, got } = await vendor(({ path }, answer, base) => {
      if (path === "/v1/videos/generations") return sendJson(answer, { request_id: "r-1" });
      if (path === "/film.mp4") return sendBytes(answer, new Uint8Array([7, 7]), "application/octet-stream");
      return ++polls < 2
        ? sendJson(answer, { status: "pending", progress: 40 }, 202)
        : sendJson(answer, { status: "done", video: { url: `${base}/film.mp4`, duration: 6 } });
    });
    const film = await gateway.models
      .get("xai/grok-imagine-video")
      .video({ prompt: "a boat", seconds: 6, aspectRatio: "16:9", image: picture });
    expect(got[0]!.json).toMatchObject({
      model: "grok-imagine-video",
      duration: 6,
      aspect_ratio: "16:9",
      image: { url: "data:image/png;base64,BAU=" },
    });
    const done = await film.wait();
    expect(done).toMatchObject({ status: "succeeded", progress: 100 });
    expect(await done.bytes()).toEqual({ mediaType: "video/mp4", bytes: new Uint8Array([7, 7]) });
    expect(polls).toBe(2);
  });

  it("112: a vendor that does not answer keeps no gateway from closing", async () => {
    const { gateway, got } = await vendor(
      ({ path }, answer) => void (path === "/v1/videos/generations" && sendJson(answer, { request_id: "r-1" })),
    );
    await gateway.models.get("xai/grok-imagine-video").video("x");
    // Whoever follows it asks, and waits.
    while (got.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    await gateway.close({ graceMs: 0 });
    expect(got).toHaveLength(2);
  });

  it("says why a film was not made", async () => {
    const { gateway } = await vendor(({ path }, answer) =>
      path === "/v1/videos/generations"
        ? sendJson(answer, { request_id: "r-1" })
        : sendJson(answer, { status: "failed", error: { code: "content_filter", message: "no such films" } }),
    );
    const film = await gateway.models.get("xai/grok-imagine-video").video("x");
    await expect(film.wait()).rejects.toMatchObject({
      code: "upstream_rejected",
      message: expect.stringContaining("no such films") as string,
    });
  });
});

describe("Google (synthetic)", () => {
  const vendor = async (answer: Answer, models: object[] = []) => {
    const { base, got } = await stubVendor(answer);
    return { base, got, gateway: gatewayTo({ google: { baseUrl: base, apiKey: KEY, models: models as never } }) };
  };
  const answered = (parts: object[], usageMetadata: object = {}) => ({
    candidates: [{ content: { parts }, finishReason: "STOP" }],
    usageMetadata,
  });

  it("makes pictures in generateContent, one a call", async () => {
    const { gateway, got } = await vendor((_got, answer) =>
      sendJson(
        answer,
        answered([{ text: "here" }, { inlineData: { mimeType: "image/png", data: "aGk=" } }], {
          ...{ promptTokenCount: 10, candidatesTokenCount: 1295 },
          candidatesTokensDetails: [{ modality: "IMAGE", tokenCount: 1290 }],
        }),
      ),
    );
    const { images, usage } = await gateway.models
      .get("google/nano-banana")
      .image({ prompt: "a boat", n: 2, size: "1024x1024", images: [picture] });
    expect(images).toHaveLength(2);
    expect(usage).toEqual({ inputTokens: 20, outputTokens: 10, imageOutputTokens: 2580, images: 2 });
    expect(got).toHaveLength(2);
    expect(got[0]).toMatchObject({ path: "/v1beta/models/nano-banana:generateContent" });
    expect(got[0]!.headers["x-goog-api-key"]).toBe(KEY);
    expect(got[0]!.json).toMatchObject({
      contents: [{ parts: [{ inlineData: { mimeType: "image/png", data: "BAU=" } }, { text: "a boat" }] }],
      generationConfig: { responseModalities: ["TEXT", "IMAGE"], imageConfig: { aspectRatio: "1:1" } },
    });
  });

  it("makes pictures by predict, where a model does nothing else", async () => {
    const { gateway, got } = await vendor((_got, answer) =>
      sendJson(answer, { predictions: [{ bytesBase64Encoded: "aGk=", mimeType: "image/png" }] }),
    );
    gateway.models.add({ provider: "google", code: "imagen-9", kind: "image" });
    const { images } = await gateway.models.get("google/imagen-9").image({ prompt: "a boat", n: 1, aspectRatio: "3:4" });
    expect(images).toHaveLength(1);
    expect(got[0]).toMatchObject({
      path: "/v1beta/models/imagen-9:predict",
      json: { instances: [{ prompt: "a boat" }], parameters: { sampleCount: 1, aspectRatio: "3:4" } },
    });
  });

  it("114: puts a WAV header on bare samples, leaves them bare for pcm, and refuses mp3 before it is paid for", async () => {
    const samples = Buffer.from(new Uint8Array(480));
    const { gateway, got } = await vendor((_got, answer) =>
      sendJson(answer, answered([{ inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data: samples.toString("base64") } }])),
    );
    const voice = gateway.models.get("google/gemini-2.5-flash-preview-tts");
    const { audio } = await voice.speech({ input: "hello", voice: "Kore", instructions: "Say gladly" });
    expect(audio.mediaType).toBe("audio/wav");
    const view = new DataView(audio.bytes.buffer, audio.bytes.byteOffset);
    expect([text(audio.bytes, 0, 4), text(audio.bytes, 8, 16), text(audio.bytes, 36, 40)]).toEqual(["RIFF", "WAVEfmt ", "data"]);
    const header = {
      size: view.getUint32(4, true),
      format: view.getUint16(20, true),
      channels: view.getUint16(22, true),
      rate: view.getUint32(24, true),
    };
    expect(header).toEqual({ size: 36 + 480, format: 1, channels: 1, rate: 24_000 });
    expect([view.getUint32(28, true), view.getUint16(32, true), view.getUint16(34, true), view.getUint32(40, true)]).toEqual([
      48_000, 2, 16, 480,
    ]);
    expect(audio.bytes).toHaveLength(524);
    expect(got[0]!.json).toMatchObject({
      contents: [{ parts: [{ text: "Say gladly: hello" }] }],
      generationConfig: { responseModalities: ["AUDIO"], speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } } },
    });
    const bare = await voice.speech({ input: "hello", format: "pcm" });
    expect(bare.audio).toMatchObject({ mediaType: "audio/L16;codec=pcm;rate=24000" });
    expect(bare.audio.bytes).toHaveLength(480);
    await expect(voice.speech({ input: "hello", format: "mp3" })).rejects.toMatchObject({
      code: "unsupported_feature",
      message: expect.stringContaining("wav or pcm") as string,
    });
    expect(got).toHaveLength(2);
  });

  it("plays music as its model makes it", async () => {
    const { gateway } = await vendor((_got, answer) =>
      sendJson(answer, answered([{ text: "la la" }, { inlineData: { mimeType: "audio/mpeg", data: "aGk=" } }])),
    );
    gateway.models.add({ provider: "google", code: "lyria-3.5", kind: "music" });
    const { audio } = await gateway.models.get("google/lyria-3.5").speech({ input: "a waltz", format: "mp3" });
    expect(audio).toEqual({ mediaType: "audio/mpeg", bytes: new Uint8Array([104, 105]) });
  });

  it("writes down sound that goes in as a part, and says what was refused", async () => {
    let refuse = false;
    const { gateway, got } = await vendor((_got, answer) =>
      sendJson(
        answer,
        refuse
          ? { promptFeedback: { blockReason: "SAFETY" } }
          : answered([{ text: "thinking", thought: true }, { text: " Hello there. " }]),
      ),
    );
    const model = gateway.models.get("google/gemini-3.5-transcribe");
    expect((await model.transcribe({ audio: sound, language: "en" })).text).toBe("Hello there.");
    expect(got[0]!.json).toMatchObject({ contents: [{ parts: [{ inlineData: { mimeType: "audio/flac", data: "AQID" } }, {}] }] });
    refuse = true;
    await expect(model.transcribe(sound)).rejects.toMatchObject({ code: "content_blocked", details: { reason: "SAFETY" } });
    await expect(model.transcribe({ audio: sound, timestamps: ["word"] })).rejects.toMatchObject({ code: "unsupported_feature" });
  });

  it("112: follows Veo's operation, and fetches the film with the provider's key through a redirect", async () => {
    let polls = 0;
    const { gateway, got } = await vendor(({ path }, answer, base) => {
      if (path.endsWith(":predictLongRunning")) return sendJson(answer, { name: "models/veo-3.1/operations/op-1" });
      if (path === "/v1beta/files/f:download?alt=media") return void answer.writeHead(302, { location: "/stored/f" }).end();
      if (path === "/stored/f") return sendBytes(answer, new Uint8Array([1, 2]), "video/mp4");
      const video = { uri: `${base}/v1beta/files/f:download?alt=media` };
      return sendJson(
        answer,
        ++polls < 2
          ? { name: "models/veo-3.1/operations/op-1", metadata: { progressPercent: 30 } }
          : { done: true, response: { generateVideoResponse: { generatedSamples: [{ video }] } } },
      );
    });
    const film = await gateway.models.get("google/veo-3.1").video({ prompt: "a boat", seconds: 8, aspectRatio: "16:9" });
    expect(got[0]).toMatchObject({
      path: "/v1beta/models/veo-3.1:predictLongRunning",
      json: { instances: [{ prompt: "a boat" }], parameters: { durationSeconds: 8, aspectRatio: "16:9" } },
    });
    const done = await film.wait();
    expect(got.filter(({ path }) => path === "/v1beta/models/veo-3.1/operations/op-1")).toHaveLength(2);
    expect(await done.bytes()).toEqual({ mediaType: "video/mp4", bytes: new Uint8Array([1, 2]) });
    expect(got.at(-1)!.headers["x-goog-api-key"]).toBe(KEY);
  });
});

describe("Hugging Face (synthetic)", () => {
  const vendor = async (answer: Answer) => {
    const { base, got } = await stubVendor(answer);
    return { got, gateway: gatewayTo({ huggingface: { baseUrl: `${base}/v1`, apiKey: KEY } }) };
  };

  it("hears raw bytes, or base64 where times are wanted", async () => {
    const { gateway, got } = await vendor((_got, answer) =>
      sendJson(answer, { text: "hello", chunks: [{ text: " hello", timestamp: [0, 1.5] }] }),
    );
    const whisper = gateway.models.get("huggingface/openai/whisper-large-v3");
    expect((await whisper.transcribe(sound)).text).toBe("hello");
    expect(got[0]!.path).toBe("/hf-inference/models/openai/whisper-large-v3");
    expect(got[0]!.headers["content-type"]).toBe("audio/flac");
    expect([...got[0]!.bytes]).toEqual([1, 2, 3]);
    const timed = await whisper.transcribe({ audio: sound, timestamps: ["segment"] });
    expect(timed.segments).toEqual([{ start: 0, end: 1.5, text: " hello" }]);
    expect(got[1]!.json).toEqual({ inputs: "AQID", parameters: { return_timestamps: true } });
  });

  it("speaks, paints and makes vectors", async () => {
    const { gateway, got } = await vendor(({ path }, answer) => {
      if (path.endsWith("/feature-extraction"))
        return sendJson(answer, [
          [1, 2],
          [3, 4],
        ]);
      return path.includes("tts")
        ? sendBytes(answer, new Uint8Array([5]), "audio/flac")
        : sendBytes(answer, new Uint8Array([6]), "image/jpeg");
    });
    const { audio } = await gateway.models.get("huggingface/x/tts").speech("hello");
    expect([audio.mediaType, ...audio.bytes]).toEqual(["audio/flac", 5]);
    const { images } = await gateway.models.get("huggingface/x/flux").image({ prompt: "a boat", size: "512x256" });
    expect(images).toEqual([{ mediaType: "image/jpeg", source: { kind: "base64", data: "Bg==" } }]);
    expect(got[1]!.json).toEqual({ inputs: "a boat", parameters: { width: 512, height: 256 } });
    expect((await gateway.models.get("huggingface/x/minilm").embed(["a", "b"])).vectors).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(got[2]!.path).toBe("/hf-inference/models/x/minilm/pipeline/feature-extraction");
  });

  it("makes a film in the queue behind its router, asked by the path that it was given", async () => {
    let polls = 0;
    let base = "";
    const stub = await stubVendor(({ path, method }, answer) => {
      if (method === "POST")
        return sendJson(answer, { request_id: "r-1", response_url: "https://queue.fal.run/fal-ai/wan-t2v/requests/r-1" });
      if (path.startsWith("/fal-ai/fal-ai/wan-t2v/requests/r-1/status"))
        return sendJson(answer, { status: ++polls < 2 ? "IN_PROGRESS" : "COMPLETED" });
      if (path === "/film.mp4") return sendBytes(answer, new Uint8Array([9]), "video/mp4");
      return sendJson(answer, { video: { url: `${base}/film.mp4`, content_type: "video/mp4" } });
    });
    base = stub.base;
    const gateway = gatewayTo({ huggingface: { baseUrl: `${base}/v1`, apiKey: KEY } });
    const film = await gateway.models.get("huggingface/fal-ai/wan-t2v").video({ prompt: "a boat", aspectRatio: "16:9" });
    expect(stub.got[0]!.path).toMatch(/^\/fal-ai\/fal-ai\/wan-t2v/);
    expect(stub.got[0]!.json).toEqual({ prompt: "a boat", aspect_ratio: "16:9" });
    expect(await (await film.wait()).bytes()).toEqual({ mediaType: "video/mp4", bytes: new Uint8Array([9]) });
    const asked = gateway.models.get("huggingface/x/y").video("a boat");
    await expect(asked).rejects.toMatchObject({ code: "unsupported_feature", details: { param: "model" } });
  });

  it("does not follow a queue to another place", async () => {
    const { gateway } = await vendor((_got, answer) => sendJson(answer, { response_url: "https://queue.fal.run/a/../../secrets" }));
    await expect(gateway.models.get("huggingface/fal-ai/wan-t2v").video("x")).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("refuses what it has no word for, by name", async () => {
    const { gateway, got } = await vendor((_got, answer) => sendJson(answer, {}));
    const refusals: [Promise<unknown>, string][] = [
      [gateway.models.get("huggingface/x/y").speech({ input: "x", voice: "v" }), "voice"],
      [gateway.models.get("huggingface/x/y").transcribe({ audio: sound, language: "en" }), "language"],
      [gateway.models.get("huggingface/x/y").image({ prompt: "x", n: 2 }), "n"],
      [gateway.models.get("huggingface/x/y").embed({ inputs: [[1, 2]] }), "inputs[0]"],
    ];
    for (const [asked, param] of refusals) await expect(asked).rejects.toMatchObject({ code: "unsupported_feature", details: { param } });
    expect(got).toEqual([]);
  });
});
