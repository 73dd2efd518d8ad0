import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { toFile } from "openai";
import { describe, expect, it } from "vitest";
import { caller, OWNER_KEY, served } from "./served.js";

const { url } = await served();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: OWNER_KEY, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: OWNER_KEY, maxRetries: 0 });
const call = caller(url);
const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
const ended = async <T>(look: () => Promise<T>, isOver: (value: T) => boolean): Promise<T> => {
  for (;;) {
    const value = await look();
    if (isOver(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, never>);
const jsonl = (requests: readonly object[]) =>
  toFile(new TextEncoder().encode(requests.map((r) => JSON.stringify(r)).join("\n")), "in.jsonl");
const chat = (id: string, content: string, model = "demo/echo") => ({
  ...{ custom_id: id, method: "POST", url: "/v1/chat/completions" },
  body: { model, messages: [{ role: "user", content }] },
});

describe("films", () => {
  it("112: are begun, asked after, fetched, listed and forgotten", async () => {
    const begun = await client.videos.create({ model: "demo/video", prompt: "a boat", seconds: "4" });
    expect(begun).toMatchObject({ object: "video", status: "queued", model: "demo/video", prompt: "a boat", seconds: "4" });
    const done = await ended(
      () => client.videos.retrieve(begun.id),
      ({ status }) => status !== "queued" && status !== "in_progress",
    );
    expect(done).toMatchObject({ status: "completed", progress: 100, error: null });
    const film = await client.videos.downloadContent(begun.id);
    expect(film.headers.get("content-type")).toBe("video/x-msvideo");
    const bytes = new Uint8Array(await film.arrayBuffer());
    expect(ascii(bytes, 0, 4) + ascii(bytes, 8, 12)).toBe("RIFFAVI ");
    expect((await client.videos.list()).data.map(({ id }) => id)).toContain(begun.id);
    expect(await client.videos.delete(begun.id)).toMatchObject({ deleted: true });
    await expect(client.videos.retrieve(begun.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it("112: are the same one for the same idempotency key, and an error for another call", async () => {
    const once = () => client.videos.create({ model: "demo/video", prompt: "again" }, { headers: { "idempotency-key": "film-1" } });
    const [first, second] = [await once(), await once()];
    expect(second.id).toBe(first.id);
    const other = client.videos.create({ model: "demo/video", prompt: "other" }, { headers: { "idempotency-key": "film-1" } });
    await expect(other).rejects.toMatchObject({ status: 409, code: "idempotency_key_reuse" });
  });

  it("are paged in the order they were made", async () => {
    const made: string[] = [];
    for (const prompt of ["1", "2", "3"]) made.push((await client.videos.create({ model: "demo/video", prompt })).id);
    const seen: string[] = [];
    for await (const { id } of client.videos.list({ limit: 1, order: "asc" })) seen.push(id);
    expect(seen.slice(-3)).toEqual(made);
  });

  it("are no other project's, and neither are files and batches", async () => {
    const theirs = await served({
      auth: (request) => {
        const project = request.header("authorization")!.slice("Bearer ".length);
        return { kind: "host", id: project, name: project, projects: [project], grants: ["*"] };
      },
    });
    const of = (project: string) => new OpenAI({ baseURL: `${theirs.url}/v1`, apiKey: project, maxRetries: 0 });
    const { id } = await of("red").videos.create({ model: "demo/video", prompt: "mine" });
    const file = await of("red").files.create({ purpose: "batch", file: await jsonl([chat("a", "x")]) });
    expect(await of("red").videos.retrieve(id)).toMatchObject({ id });
    const blue = of("blue");
    await expect(blue.videos.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(blue.videos.downloadContent(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(blue.videos.delete(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(blue.files.content(file.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const batch = blue.batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    await expect(batch).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    expect((await blue.videos.list()).data).toEqual([]);
    expect((await blue.files.list()).data).toEqual([]);
  });

  it.each(["video_000000000000nothing", "..%2Fx", "x".repeat(300)])("are not found by %s", async (id) => {
    expect((await call(`GET /v1/videos/${id}`)).status).toBe(404);
  });

  it("are Google's long-running operations too", async () => {
    const begun = await call("POST /v1beta/models/demo/video:predictLongRunning", {
      ...{ instances: [{ prompt: "a boat" }], parameters: { durationSeconds: 4, aspectRatio: "16:9" } },
    });
    expect(begun.json).toMatchObject({ name: expect.stringMatching(/^operations\/video_/) as string });
    const operation = await ended(
      () => call(`GET /v1beta/${String(begun.json!["name"])}`),
      ({ json }) => json!["done"] === true,
    );
    const response = operation.json!["response"] as { generateVideoResponse: { generatedSamples: { video: { uri: string } }[] } };
    const { uri } = response.generateVideoResponse.generatedSamples[0]!.video;
    expect(uri).toContain(url);
    const film = await fetch(uri, { headers: { "x-goog-api-key": OWNER_KEY } });
    expect(film.status).toBe(200);
    expect(ascii(new Uint8Array(await film.arrayBuffer()), 0, 4)).toBe("RIFF");
    const picture = await call("POST /v1beta/models/demo/image:predict", { instances: [{ prompt: "x" }], parameters: { sampleCount: 2 } });
    expect(picture.json!["predictions"]).toHaveLength(2);
  });
});

describe("files", () => {
  it("111: are kept under ids of ours, byte for byte", async () => {
    const content = Uint8Array.from({ length: 1_300_000 }, (_each, at) => (at * 7) % 251);
    const file = await client.files.create({
      purpose: "user_data",
      file: await toFile(content, "data.bin", { type: "application/x-thing" }),
    });
    expect(file).toMatchObject({ object: "file", bytes: content.length, filename: "data.bin", purpose: "user_data", status: "processed" });
    expect(await client.files.retrieve(file.id)).toMatchObject({ id: file.id });
    const back = await client.files.content(file.id);
    expect(back.headers.get("content-type")).toBe("application/x-thing");
    expect(Buffer.compare(Buffer.from(await back.arrayBuffer()), content)).toBe(0);
    expect((await client.files.list({ purpose: "user_data" })).data.map(({ id }) => id)).toEqual([file.id]);
    expect((await client.files.list({ purpose: "vision" })).data).toEqual([]);
    expect(await client.files.delete(file.id)).toMatchObject({ deleted: true });
    await expect(client.files.content(file.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe("batches that the gateway makes itself", () => {
  const over = (id: string) =>
    ended(
      () => client.batches.retrieve(id),
      ({ status }) => ["completed", "failed", "cancelled", "expired"].includes(status),
    );

  it("110: answer each request of a file by its custom_id, in an output and an error file", async () => {
    const file = await client.files.create({
      purpose: "batch",
      file: await jsonl([chat("a", "first"), chat("b", "second")]),
    });
    const batch = await client.batches.create({
      input_file_id: file.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
      metadata: { x: "y" },
    });
    expect(batch).toMatchObject({ object: "batch", endpoint: "/v1/chat/completions", input_file_id: file.id, metadata: { x: "y" } });
    const done = await over(batch.id);
    expect(done).toMatchObject({ status: "completed", request_counts: { total: 2, completed: 2, failed: 0 } });
    expect(done.error_file_id ?? null).toBeNull();
    const results = lines(await (await client.files.content(done.output_file_id!)).text());
    const byId = new Map(results.map((line) => [String(line["custom_id"]), line]));
    expect(byId.get("a")).toMatchObject({
      error: null,
      response: { status_code: 200, body: { choices: [{ message: { content: "first" } }] } },
    });
    expect(byId.get("b")).toMatchObject({ response: { body: { choices: [{ message: { content: "second" } }] } } });
  });

  it("110: put what failed into the error file, over models of several providers", async () => {
    const bad = { ...chat("bad", "x", "demo/scripted"), body: { model: "demo/scripted", messages: "none" } };
    const file = await client.files.create({ purpose: "batch", file: await jsonl([chat("good", "fine"), bad]) });
    const batch = await client.batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    const done = await over(batch.id);
    expect(done).toMatchObject({ status: "completed", request_counts: { total: 2, completed: 1, failed: 1 } });
    const errors = lines(await (await client.files.content(done.error_file_id!)).text());
    expect(errors).toMatchObject([
      { custom_id: "bad", response: { status_code: 400, body: { error: { type: "invalid_request_error" } } } },
    ]);
  });

  it("110: embed texts", async () => {
    const request = { custom_id: "e", method: "POST", url: "/v1/embeddings", body: { model: "demo/embed", input: "x", dimensions: 4 } };
    const file = await client.files.create({ purpose: "batch", file: await jsonl([request]) });
    const { id } = await client.batches.create({ input_file_id: file.id, endpoint: "/v1/embeddings", completion_window: "24h" });
    const results = lines(await (await client.files.content((await over(id)).output_file_id!)).text());
    expect(results).toMatchObject([
      { response: { body: { data: [{ embedding: [expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)] }] } } },
    ]);
  });

  it.each([
    ["110: a custom_id that stands twice", [chat("a", "x"), chat("a", "y")], /Request 2 .*custom_id of line 1/],
    ["another endpoint", [{ ...chat("a", "x"), url: "/v1/embeddings" }], /Request 1 /],
    ["no model", [{ custom_id: "a", method: "POST", url: "/v1/chat/completions", body: {} }], /no model/],
    ["a stream", [{ ...chat("a", "x"), body: { model: "demo/echo", messages: [], stream: true } }], /stream/],
    ["a model that nobody has", [chat("a", "x", "demoo/echo")], /no model/],
  ])("are refused for %s", async (_case, requests, message) => {
    const file = await client.files.create({ purpose: "batch", file: await jsonl(requests) });
    const created = client.batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    await expect(created).rejects.toThrow(message);
  });

  it("110: are Anthropic's too, with the requests in the call", async () => {
    const message = (content: string, model = "demo/echo") => ({ model, max_tokens: 50, messages: [{ role: "user" as const, content }] });
    const batch = await anthropic.messages.batches.create({
      requests: [
        { custom_id: "one", params: message("eins") },
        { custom_id: "two", params: message("zwei") },
        { custom_id: "three", params: { ...message("x"), messages: "none" as unknown as [] } },
      ],
    });
    expect(batch).toMatchObject({ type: "message_batch", processing_status: "in_progress", results_url: null });
    const done = await ended(
      () => anthropic.messages.batches.retrieve(batch.id),
      ({ processing_status: status }) => status === "ended",
    );
    expect(done.request_counts).toMatchObject({ processing: 0, succeeded: 2, errored: 1, canceled: 0 });
    const results = new Map<string, unknown>();
    for await (const line of await anthropic.messages.batches.results(batch.id)) results.set(line.custom_id, line.result);
    expect(results.get("one")).toMatchObject({ type: "succeeded", message: { content: [{ type: "text", text: "eins" }] } });
    expect(results.get("three")).toMatchObject({ type: "errored", error: { type: "error", error: { type: "invalid_request_error" } } });
    expect((await anthropic.messages.batches.list()).data.map(({ id }) => id)).toEqual([batch.id]);
    // A batch of one dialect is none of the other's.
    await expect(client.batches.retrieve(batch.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    expect(await anthropic.messages.batches.delete(batch.id)).toMatchObject({ type: "message_batch_deleted" });
  });
});
