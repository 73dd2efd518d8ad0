import { describe, expect, it, onTestFinished } from "vitest";
import { gatewayUnderTest, KEY, MAX_BODY_BYTES, type GatewayUnderTest } from "./gateway-under-test.js";

/** A gateway behind a host, as a client sees it. */
export interface Hosted {
  /** Where the gateway's root is, without a slash at the end: `http://127.0.0.1:1234/ai`. */
  readonly base: string;
  /** Sends as a browser's `fetch` does; aborting the request's signal is a disconnect. */
  readonly send: (request: Request) => Promise<Response>;
  readonly close: () => Promise<void>;
}
/** Puts a gateway behind the host. */
export type Host = (gateway: GatewayUnderTest["gateway"]) => Promise<Hosted>;

const decoder = new TextDecoder();
const auth = { authorization: `Bearer ${KEY}` };
const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** What every host promises, whatever it is made of. `name` says which host, in the titles. */
export function hostContract(name: string, host: Host): void {
  describe(name, () => {
    const setUp: SetUp = () => behind(host);
    wholeAnswers(setUp);
    streamedAnswers(setUp);
    leavingReaders(setUp);
    refusals(setUp);
  });
}

type SetUp = () => ReturnType<typeof behind>;

async function behind(host: Host) {
  const under = await gatewayUnderTest();
  const hosted = await host(under.gateway);
  onTestFinished(async () => {
    await hosted.close();
    await under.close();
  });
  const request = (path: string, init: RequestInit = {}) =>
    hosted.send(new Request(hosted.base + path, { ...init, headers: { ...auth, ...init.headers } }));
  const chat = (body: string | ReadableStream<Uint8Array>, init: RequestInit = {}) =>
    request("/v1/chat/completions", { method: "POST", body, ...init, headers: { "content-type": "application/json", ...init.headers } });
  const stream = (init: RequestInit = {}) =>
    chat(JSON.stringify({ model: under.model, stream: true, messages: [{ role: "user", content: "hi" }] }), init);
  return { ...under, ...hosted, request, chat, stream };
}

function wholeAnswers(setUp: SetUp): void {
  it("answers a JSON POST, text of every script intact", async () => {
    const { chat, model } = await setUp();
    const words = "grüße 你好 👋🏽 \u0000 \\u2028 ".repeat(50);
    const response = await chat(JSON.stringify({ model, messages: [{ role: "user", content: words }] }));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const answer = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(answer.choices[0]?.message.content).toBe(words);
  });

  it("keeps fifty requests at once apart", async () => {
    const { chat, model } = await setUp();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const response = await chat(JSON.stringify({ model, messages: [{ role: "user", content: `number ${i}` }] }));
        const answer = (await response.json()) as { choices: { message: { content: string } }[] };
        return [answer.choices[0]?.message.content, response.headers.get("x-request-id")] as const;
      }),
    );
    expect(answers.map(([content]) => content)).toEqual(Array.from({ length: 50 }, (_, i) => `number ${i}`));
    expect(new Set(answers.map(([, id]) => id)).size).toBe(50);
  });

  it("reads a body that comes in pieces and says no length", async () => {
    const { chat, model } = await setUp();
    const body = chunked(JSON.stringify({ model, messages: [{ role: "user", content: "in pieces" }] }));
    const response = await chat(body, { duplex: "half" } as RequestInit);
    expect(await response.text()).toContain("in pieces");
  });

  it("keeps the request id that a caller gives, and makes one otherwise", async () => {
    const { request } = await setUp();
    expect((await request("/health", { headers: { "x-request-id": "my-trace.7" } })).headers.get("x-request-id")).toBe("my-trace.7");
    expect((await request("/health")).headers.get("x-request-id")).toMatch(/^req_/);
  });
}

function streamedAnswers(setUp: SetUp): void {
  it("lets each event of a stream arrive before the next is made", async () => {
    const { stream, streams } = await setUp();
    const sending = stream();
    const upstream = await streams.next();
    upstream.send("one");
    const response = await sending;
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const reader = response.body!.getReader();
    await readUntil(reader, "one");
    for (const word of ["two", "three", "four", "five"]) {
      upstream.send(word);
      expect(await readUntil(reader, word)).not.toContain("[DONE]");
    }
    upstream.end();
    expect(await readUntil(reader, "[DONE]")).toContain("[DONE]");
    expect((await reader.read()).done).toBe(true);
  });

  it("sends the head of a stream before its first event", async () => {
    const { request, streams, model } = await setUp();
    const headers = { "content-type": "application/json" };
    const started = await request("/api/v1/runs", { method: "POST", headers, body: JSON.stringify({ model, input: "hi" }) });
    const { id } = (await started.json()) as { id: string };
    const upstream = await streams.next();
    const first = (await request(`/api/v1/runs/${id}/events`)).body!.getReader();
    const [, seen] = /id: (\d+)\nevent: step.started/.exec(await readUntil(first, '"step.started"')) ?? [];
    // Nothing comes after this event until the vendor speaks.
    const waiting = await request(`/api/v1/runs/${id}/events?after=${seen}`);
    expect([waiting.status, waiting.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    upstream.send("late");
    upstream.end();
    const text = await readUntil(waiting.body!.getReader(), "run.succeeded");
    expect(text).toContain("late");
    // The first heartbeat, after 15 s, would bring the head along and hide that it was held back.
    expect(text).not.toContain(": keep-alive");
  });

  it("holds a stream back while its reader is slow, and loses nothing of it", async () => {
    const { stream, streams } = await setUp();
    const sending = stream();
    const upstream = await streams.next();
    const word = "x".repeat(64 * 1024);
    const offered = 1_000;
    const flood = upstream.flood(word, offered);
    const reader = (await sending).body!.getReader();
    await turns(300);
    expect(flood.taken()).toBeLessThan(offered / 2);
    let length = 0;
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) length += chunk.value.byteLength;
    expect(flood.taken()).toBe(offered);
    expect(length).toBeGreaterThan(word.length * offered);
  });
}

function leavingReaders(setUp: SetUp): void {
  it("aborts a streamed call when its reader leaves", async () => {
    const { stream, streams } = await setUp();
    const leaving = new AbortController();
    const sending = stream({ signal: leaving.signal });
    const upstream = await streams.next();
    upstream.send("one");
    const reader = (await sending).body!.getReader();
    await readUntil(reader, "one");
    const rest = expect(reader.read()).rejects.toThrow();
    leaving.abort();
    await upstream.aborted;
    await rest;
  });

  it("aborts a call that has not answered yet when its caller leaves", async () => {
    const { stream, streams } = await setUp();
    const leaving = new AbortController();
    const sending = stream({ signal: leaving.signal });
    const upstream = await streams.next();
    // Over a connection the answer goes nowhere; in the same process it says that there was nobody.
    const outcome = sending.then(
      ({ status }) => status,
      () => 499,
    );
    leaving.abort();
    await upstream.aborted;
    expect(await outcome).toBe(499);
  });
}

function refusals(setUp: SetUp): void {
  it("refuses a body that is too large, said or counted, and goes on serving", async () => {
    const { chat, request, model } = await setUp();
    const large = JSON.stringify({ model, messages: [{ role: "user", content: "x".repeat(MAX_BODY_BYTES) }] });
    for (const body of [large, chunked(large)]) {
      const response = await chat(body, typeof body === "string" ? {} : ({ duplex: "half" } as RequestInit));
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(String(MAX_BODY_BYTES)) } });
    }
    expect((await request("/v1/models")).status).toBe(200);
  });

  it("refuses what is not JSON, and a stranger, in words", async () => {
    const { chat, request } = await setUp();
    expect((await request("/v1/models", { headers: { authorization: "Bearer of-bad-news" } })).status).toBe(401);
    const form = await chat("a=b", { headers: { "content-type": "application/x-www-form-urlencoded" } });
    expect(form.status).toBe(415);
    expect(await form.json()).toMatchObject({ error: { message: expect.stringContaining("JSON") } });
  });

  it("knows its paths and methods below its mount: 404, 405, HEAD, OPTIONS", async () => {
    const { request } = await setUp();
    expect((await request("/health")).status).toBe(200);
    expect((await request("/health?x=1")).status).toBe(200);
    expect((await request("/v1/models/no%2Fsuch%2Fmodel")).status).toBe(404);
    const unknown = await request("/nothing-here");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: "not_found", request_id: unknown.headers.get("x-request-id") } });
    const wrong = await request("/health", { method: "DELETE" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    const head = await request("/v1/models", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const options = await request("/v1/models", { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow"), await options.text()]).toEqual([204, "GET, HEAD, OPTIONS", ""]);
  });
}

/** All that comes, up to and with the text. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, text: string): Promise<string> {
  let all = "";
  while (!all.includes(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended before ${JSON.stringify(text)} came`);
    all += decoder.decode(value, { stream: true });
  }
  return all;
}

function chunked(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.subarray(at, (at += 16 * 1024)));
    },
  });
}
