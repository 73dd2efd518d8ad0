import { afterEach, describe, expect, it } from "vitest";
import { withClient } from "../../src/providers/media/openai/client.js";
import type { OperationContext } from "../../src/providers/operations.js";
import { needsData, readDataText } from "../wire/test-data.js";
import { closeAll, gatewayTo, KEY, sendBytes, sendJson, stubVendor, type Answer } from "./stub-vendor.js";

afterEach(closeAll);

async function vendor(answer: Answer) {
  const { base, got } = await stubVendor(answer);
  return { got, gateway: gatewayTo({ lab: { vendor: "openai-compatible", baseUrl: `${base}/v1`, apiKey: KEY } }) };
}
const sound = { mediaType: "audio/wav", bytes: new Uint8Array([1, 2, 3]), filename: "said.wav" };

describe("OpenAI's media dialect, by its SDK through our client (answers synthetic unless said otherwise)", () => {
  it("asks for pictures with the provider's key, and nothing of the SDK's about this machine", async () => {
    const { gateway, got } = await vendor((_got, answer) =>
      sendJson(answer, {
        created: 1_700_000_000,
        data: [{ b64_json: "aGk=", revised_prompt: "a better red" }],
        output_format: "webp",
        usage: { input_tokens: 20, output_tokens: 100, total_tokens: 120, input_tokens_details: { text_tokens: 5, image_tokens: 15 } },
      }),
    );
    const { images, usage, createdAtMs } = await gateway.models
      .get("lab/painter")
      .image({ prompt: "red", n: 1, size: "1024x1024", format: "webp" });
    expect(images).toEqual([{ mediaType: "image/webp", source: { kind: "base64", data: "aGk=" }, revisedPrompt: "a better red" }]);
    expect(usage).toEqual({ inputTokens: 5, imageInputTokens: 15, outputTokens: 100, images: 1 });
    expect(createdAtMs).toBe(1_700_000_000_000);
    expect(got[0]).toMatchObject({
      path: "/v1/images/generations",
      json: { model: "painter", prompt: "red", n: 1, size: "1024x1024", output_format: "webp" },
    });
    const { headers } = got[0]!;
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(headers["user-agent"]).toMatch(/^sallyport\//);
    expect(Object.keys(headers).filter((name) => name.startsWith("x-stainless"))).toEqual([]);
    expect(Object.keys(got[0]!.json).sort()).toEqual(["model", "n", "output_format", "prompt", "size"]);
  });

  it("sends pictures to be edited as a form", async () => {
    const { gateway, got } = await vendor((_got, answer) => sendJson(answer, { created: 1, data: [{ url: "https://cdn.example/x.png" }] }));
    const picture = { mediaType: "image/png", bytes: new Uint8Array([137, 80]), filename: "a.png" };
    const { images } = await gateway.models.get("lab/painter").image({ prompt: "blue", images: [picture, picture], mask: picture });
    expect(images).toMatchObject([{ source: { kind: "url", url: "https://cdn.example/x.png" } }]);
    expect(got[0]!.path).toBe("/v1/images/edits");
    const type = got[0]!.headers["content-type"]!;
    expect(type).toMatch(/^multipart\/form-data; boundary=/);
    const form = await new Response(new Uint8Array(got[0]!.bytes), { headers: { "content-type": type } }).formData();
    expect(form.getAll("image[]")).toHaveLength(2);
    expect(form.get("prompt")).toBe("blue");
    expect((form.get("mask") as File).name).toBe("a.png");
  });

  it("speaks", async () => {
    const { gateway, got } = await vendor((_got, answer) => sendBytes(answer, new Uint8Array([9, 8]), "audio/mpeg"));
    const { audio, usage } = await gateway.models.get("lab/speaker").speech({ input: "héllo", voice: "nova", format: "mp3", speed: 2 });
    expect(audio).toEqual({ mediaType: "audio/mpeg", bytes: new Uint8Array([9, 8]) });
    expect(usage).toEqual({ characters: 5 });
    expect(got[0]!.json).toEqual({ model: "speaker", input: "héllo", voice: "nova", response_format: "mp3", speed: 2 });
  });

  it("reads OpenAI's recorded transcript, with its words and seconds", async (context) => {
    needsData(context);
    const recording = readDataText("recorded/openai/transcription/openai-transcription.json");
    const { gateway, got } = await vendor((_got, answer) => sendJson(answer, JSON.parse(recording)));
    const answer = await gateway.models.get("lab/whisper").transcribe({ audio: sound, timestamps: ["word"], language: "en" });
    expect(answer).toMatchObject({
      language: "english",
      seconds: expect.closeTo(36.71, 2) as number,
      text: expect.stringContaining("Galileo") as string,
    });
    expect(answer.words!.slice(0, 2)).toMatchObject([{ word: "Galileo", start: 0 }, { word: "was" }]);
    expect(answer.words!.length).toBe((JSON.parse(recording) as { words: unknown[] }).words.length);
    const form = await new Response(new Uint8Array(got[0]!.bytes), {
      headers: { "content-type": got[0]!.headers["content-type"]! },
    }).formData();
    expect(form.get("response_format")).toBe("verbose_json");
    expect(form.getAll("timestamp_granularities[]")).toEqual(["word"]);
    expect(form.get("language")).toBe("en");
    expect((form.get("file") as File).name).toBe("said.wav");
  });

  it("reads Mistral's recorded transcript, with speakers and its own words for usage", async (context) => {
    needsData(context);
    const recording = readDataText("recorded/mistral/mistral-transcription.json");
    const { gateway } = await vendor((_got, answer) => sendJson(answer, JSON.parse(recording)));
    const answer = await gateway.models.get("lab/voxtral").transcribe(sound);
    expect(answer.text).toContain("Galileo");
    expect(answer.language).toBeUndefined();
    expect(answer.segments!.at(-1)).toMatchObject({ start: 30.2, end: 35.9, speaker: "speaker_1" });
    expect(answer.usage).toEqual({ inputTokens: 13, outputTokens: 151, seconds: 36 });
  });

  it.each([
    ["openai/embedding/openai-embedding.json", 12],
    ["cohere/cohere-embedding.json", 10],
  ])("reads the recorded vectors of %s", async (file, tokens) => {
    const recording = ((): string | null => {
      try {
        return readDataText(`recorded/${file}`);
      } catch {
        return null;
      }
    })();
    if (recording === null) return;
    const { gateway } = await vendor((_got, answer) => sendJson(answer, JSON.parse(recording)));
    const { vectors, usage } = await gateway.models.get("lab/vectors").embed(["a", "b"]);
    expect(vectors).toHaveLength(2);
    expect(vectors[0]).toHaveLength(5);
    expect(usage).toEqual({ inputTokens: tokens, outputTokens: 0 });
  });

  it("116: splits more texts than the vendor takes, and keeps their order", async () => {
    const { gateway, got } = await vendor(({ json }, answer) => {
      const input = [json["input"]].flat() as unknown as string[];
      // In any order: places are said by `index`.
      const data = input.map((text, index) => ({ index, embedding: [Number(text)] })).reverse();
      sendJson(answer, { data, model: "vectors", usage: { prompt_tokens: input.length } });
    });
    const inputs = Array.from({ length: 4097 }, (_each, at) => String(at));
    const { vectors, usage } = await gateway.models.get("lab/vectors").embed(inputs);
    expect(got.map(({ json }) => [json["input"]].flat().length)).toEqual([2048, 2048, 1]);
    expect(vectors.map(([value]) => value)).toEqual(inputs.map(Number));
    expect(usage.inputTokens).toBe(4097);
  });

  it("refuses vectors that are too few", async () => {
    const { gateway } = await vendor((_got, answer) => sendJson(answer, { data: [{ index: 0, embedding: [1] }] }));
    await expect(gateway.models.get("lab/vectors").embed(["a", "b"])).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("judges texts and pictures", async () => {
    const result = { flagged: true, categories: { hate: true }, category_scores: { hate: 0.9 } };
    const { gateway, got } = await vendor((_got, answer) => sendJson(answer, { id: "m", model: "judge", results: [result] }));
    const { results } = await gateway.models.get("lab/judge").moderate(["x", { imageUrl: "https://example.com/x.png" }]);
    expect(results).toMatchObject([{ flagged: true, scores: { hate: 0.9 }, raw: result }]);
    expect(got[0]!.json["input"]).toEqual([
      { type: "text", text: "x" },
      { type: "image_url", image_url: { url: "https://example.com/x.png" } },
    ]);
  });

  it.each([
    [401, { error: { message: `Incorrect API key provided: ${KEY}` } }, "upstream_credential"],
    [429, { error: { message: "slow down", code: "rate_limit_exceeded" } }, "upstream_rate_limited"],
    [400, { error: { message: "bad size", param: "size" } }, "upstream_rejected"],
    [500, { error: { message: "oops" } }, "upstream_unavailable"],
    [302, {}, "upstream_protocol"],
  ])("says what a refusal of %d means, tells no key, and does not let the SDK try again", async (status, body, code) => {
    const { gateway, got } = await vendor((_got, answer) => sendJson(answer, body, status));
    const error = await gateway.models
      .get("lab/painter")
      .image("x")
      .catch((caught: unknown) => caught as Error & { readonly code: string });
    expect(error).toMatchObject({ code });
    expect(JSON.stringify(error)).not.toContain(KEY);
    // What may be tried again is tried by the gateway, within its own bounds.
    expect(got.length).toBeLessThanOrEqual(3);
  });

  it("says what the package is called when it is not there", async () => {
    const context = { baseUrl: "http://127.0.0.1:1", headers: [], deadlineMs: Date.now() + 1000 } as unknown as OperationContext;
    const asked = withClient(
      context,
      () => Promise.resolve(1),
      () => Promise.reject(new Error("Cannot find package 'openai'")),
    );
    await expect(asked).rejects.toMatchObject({ code: "missing_dependency", hint: "npm install openai" });
  });

  it("ends with the caller's signal", async () => {
    const { gateway } = await vendor(() => undefined);
    const controller = new AbortController();
    const asked = gateway.models.get("lab/painter").image("x", { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(asked).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("a vendor's own batches (synthetic)", () => {
  it("110: are used when all models are one vendor's, with its ids, and their results come home", async () => {
    let input = "";
    const { base, got } = await stubVendor(({ method, path, bytes, headers }, answer) => {
      if (path === "/v1/files" && method === "POST") {
        void new Response(new Uint8Array(bytes), { headers: { "content-type": headers["content-type"]! } })
          .formData()
          .then((form) => (form.get("file") as File).text())
          .then((text) => {
            input = text;
            sendJson(answer, { id: "file-theirs", object: "file" });
          });
      } else if (path === "/v1/batches") sendJson(answer, { id: "batch-theirs", status: "validating" });
      else if (path === "/v1/files/out/content")
        answer.end(
          `${JSON.stringify({ custom_id: "b", response: { status_code: 200, request_id: "r2", body: { usage: { prompt_tokens: 2, completion_tokens: 3 } } } })}\n` +
            `${JSON.stringify({ custom_id: "a", response: { status_code: 200, request_id: "r1", body: { usage: { prompt_tokens: 5, completion_tokens: 7 } } } })}\n`,
        );
      else
        sendJson(answer, {
          id: "batch-theirs",
          status: "completed",
          output_file_id: "out",
          request_counts: { total: 2, completed: 2, failed: 0 },
        });
    });
    const gateway = gatewayTo({ lab: { vendor: "openai", baseUrl: `${base}/v1`, apiKey: KEY } });
    const asked = async (path: string, init: RequestInit = {}) =>
      gateway.fetch(
        new Request(`http://localhost${path}`, {
          ...init,
          headers: { ...init.headers, authorization: "Bearer media-owner-key-4c1d8f0b7a2e9635-xyz" },
        }),
      );
    const form = new FormData();
    const line = (id: string) =>
      JSON.stringify({ custom_id: id, method: "POST", url: "/v1/chat/completions", body: { model: "lab/m", messages: [] } });
    form.set("purpose", "batch");
    form.set("file", new File([`${line("a")}\n${line("b")}\n`], "in.jsonl"));
    const file = (await (await asked("/v1/files", { method: "POST", body: form })).json()) as { id: string };
    const body = JSON.stringify({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    const created = await asked("/v1/batches", { method: "POST", body, headers: { "content-type": "application/json" } });
    const batch = (await created.json()) as { id: string; status: string };
    expect(batch.status).toBe("validating");
    expect(batch.id).not.toContain("theirs");
    expect(
      input
        .split("\n")
        .filter((each) => each !== "")
        .map((each) => (JSON.parse(each) as { body: { model: string } }).body.model),
    ).toEqual(["m", "m"]);
    expect(got.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}`]);
    let done: { status: string; output_file_id?: string; request_counts?: object } = batch;
    while (done.status !== "completed") {
      await new Promise((resolve) => setTimeout(resolve, 100));
      done = (await (await asked(`/v1/batches/${batch.id}`)).json()) as typeof done;
    }
    expect(done.request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
    const output = await (await asked(`/v1/files/${done.output_file_id}/content`)).text();
    expect(
      output
        .trim()
        .split("\n")
        .map((each) => JSON.parse(each) as object),
    ).toMatchObject([
      { custom_id: "b", response: { request_id: "r2" } },
      { custom_id: "a", response: { request_id: "r1", body: { usage: { prompt_tokens: 5 } } } },
    ]);
  });

  it.each([
    ["a server that only imitates the dialect", "vllm", "/v1/chat/completions"],
    ["an endpoint that the vendor's batches do not have", "openai", "/v1/messages"],
  ] as const)("are not asked of %s: the gateway makes them", async (_what, vendor, endpoint) => {
    const { base, got } = await stubVendor((_request, answer) =>
      sendJson(answer, {
        ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
        choices: [{ index: 0, message: { role: "assistant", content: "done" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
    const gateway = gatewayTo({ lab: { vendor, protocols: ["openai-chat"], baseUrl: `${base}/v1`, apiKey: KEY } });
    const asked = (path: string, init: RequestInit = {}) =>
      gateway.fetch(
        new Request(`http://localhost${path}`, {
          ...init,
          headers: { ...init.headers, authorization: "Bearer media-owner-key-4c1d8f0b7a2e9635-xyz" },
        }),
      );
    const params = { model: "lab/m", max_tokens: 10, messages: [{ role: "user", content: "hello" }] };
    const json = { "content-type": "application/json" };
    let id: string;
    if (endpoint === "/v1/messages") {
      const body = JSON.stringify({ requests: [{ custom_id: "a", params }] });
      id = ((await (await asked("/v1/messages/batches", { method: "POST", body, headers: json })).json()) as { id: string }).id;
      await expect
        .poll(async () => ((await (await asked(`/v1/messages/batches/${id}`)).json()) as { processing_status: string }).processing_status)
        .toBe("ended");
    } else {
      const form = new FormData();
      form.set("purpose", "batch");
      form.set("file", new File([`${JSON.stringify({ custom_id: "a", method: "POST", url: endpoint, body: params })}\n`], "in.jsonl"));
      const file = (await (await asked("/v1/files", { method: "POST", body: form })).json()) as { id: string };
      const body = JSON.stringify({ input_file_id: file.id, endpoint, completion_window: "24h" });
      id = ((await (await asked("/v1/batches", { method: "POST", body, headers: json })).json()) as { id: string }).id;
      await expect.poll(async () => ((await (await asked(`/v1/batches/${id}`)).json()) as { status: string }).status).toBe("completed");
    }
    expect(got.map(({ path }) => path)).toEqual(["/v1/chat/completions"]);
  });
});
