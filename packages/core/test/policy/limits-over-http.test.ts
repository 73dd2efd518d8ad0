import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { rateLimit, type RateLimitRow } from "../../src/entities/index.js";
import { memoryCounters, memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";
import { insert, type Counters } from "../../src/ports/index.js";
import { createTestGateway, script, TEST_OWNER_KEY } from "../../src/testing/index.js";

type Options = NonNullable<Parameters<typeof createTestGateway>[0]>;
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };

/** Who calls is what the `x-who` header says: each a key of its own. */
function callerNamed(name: string): Caller {
  return { kind: "key", id: name, keyId: name, name, projects: ["default"], grants: ["*"] };
}

async function served(options: Options = {}, rows: readonly Partial<RateLimitRow>[] = []) {
  const store = memoryStore();
  const writes = rows.map((row, i) =>
    insert(rateLimit, {
      ...{ id: `limit_${i}`, subject: "key", subjectId: "*", requestsPerMinute: null, tokensPerMinute: null, concurrency: null },
      ...{ enabled: true },
      ...row,
    } as Parameters<typeof insert<RateLimitRow>>[1]),
  );
  if (writes.length > 0) await store.commit([{ scope: { system: "test" }, writes }], within);
  const gateway = await createTestGateway({
    storage: { name: "memory", open: () => Promise.resolve(store) },
    auth: (request) => callerNamed(request.header("x-who") ?? "a"),
    model: script("pong", "pong", "pong", "pong"),
    ...options,
  });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(serving.url + path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  return { gateway, serving, post };
}

const chat = { model: "demo/echo", messages: [{ role: "user", content: "hello" }] };
const messages = { model: "demo/echo", max_tokens: 50, messages: [{ role: "user", content: "hello" }] };
const limitsOf = (response: Response): Record<string, string> =>
  Object.fromEntries([...response.headers].filter(([name]) => /ratelimit|retry-after/.test(name)));
const limits = { perKey: { requestsPerMinute: 2, tokensPerMinute: 100_000 } };

describe("limits on the faces", () => {
  it("OpenAI's: its own header names on success and on 429, and its SDK's own error", async () => {
    const { post, serving } = await served({ limits });
    const first = await post("/v1/chat/completions", chat);
    expect(first.status).toBe(200);
    expect(limitsOf(first)).toEqual({
      "x-ratelimit-limit-requests": "2",
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-reset-requests": expect.stringMatching(/^(1m0s|59\.\d+s)$/) as string,
      "x-ratelimit-limit-tokens": "100000",
      "x-ratelimit-remaining-tokens": expect.stringMatching(/^98\d\d\d$/) as string,
      "x-ratelimit-reset-tokens": expect.any(String) as string,
      "ratelimit-policy": '"requests";q=2;w=60, "tokens";q=100000;qu="tokens";w=60',
      ratelimit: expect.stringMatching(/^"requests";r=1;t=60, "tokens";r=98\d\d\d;t=60$/) as string,
      "ratelimit-limit": "2",
      "ratelimit-remaining": "1",
      "ratelimit-reset": "60",
    });
    // Streamed, counted, and by another operation: all the same limit.
    expect(limitsOf(await post("/v1/chat/completions", { ...chat, stream: true }))).toMatchObject({
      "x-ratelimit-remaining-requests": "0",
    });
    const refused = await post("/v1/embeddings", { model: "demo/embed", input: "x" });
    expect(refused.status).toBe(429);
    expect(limitsOf(refused)).toMatchObject({ "x-ratelimit-remaining-requests": "0", "retry-after": "60", "ratelimit-remaining": "0" });
    const openai = new OpenAI({ baseURL: `${serving.url}/v1`, apiKey: "x", maxRetries: 0 });
    const error: unknown = await openai.chat.completions.create({ ...chat, messages: [] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({
      status: 429,
      code: "rate_limit_exceeded",
      message: expect.stringContaining("2 requests a minute") as string,
    });
    expect((await post("/v1/chat/completions", chat, { "x-who": "b" })).status).toBe(200);
  });

  it("Anthropic's: its own header names, instants in RFC 3339, and its SDK's own error", async () => {
    const { post, serving } = await served({ limits });
    const first = await post("/v1/messages", messages);
    expect(limitsOf(first)).toMatchObject({
      "anthropic-ratelimit-requests-limit": "2",
      "anthropic-ratelimit-requests-remaining": "1",
      "anthropic-ratelimit-requests-reset": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      "anthropic-ratelimit-tokens-limit": "100000",
    });
    expect(first.headers.get("x-ratelimit-limit-requests")).toBeNull();
    await post("/v1/messages/count_tokens", { ...messages, max_tokens: undefined });
    const anthropic = new Anthropic({ baseURL: serving.url, apiKey: "x", maxRetries: 0 });
    const error: unknown = await anthropic.messages.create({ ...messages, messages: [] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect((error as InstanceType<typeof Anthropic.RateLimitError>).headers?.get("anthropic-ratelimit-requests-remaining")).toBe("0");
    expect((error as InstanceType<typeof Anthropic.RateLimitError>).headers?.get("retry-after")).toBe("60");
  });

  it("Google's: no names of its own, and RetryInfo in the error", async () => {
    const { post } = await served({ limits });
    const body = { contents: [{ role: "user", parts: [{ text: "hello" }] }] };
    const first = await post("/v1beta/models/demo/echo:generateContent", body);
    expect([first.status, first.headers.get("ratelimit-remaining"), first.headers.get("x-ratelimit-limit-requests")]).toEqual([
      200,
      "1",
      null,
    ]);
    await post("/v1beta/models/demo/echo:generateContent", body);
    const refused = await post("/v1beta/models/demo/echo:generateContent", body);
    expect(refused.status).toBe(429);
    const { error } = (await refused.json()) as { error: { status: string; details: Record<string, unknown>[] } };
    expect(error.status).toBe("RESOURCE_EXHAUSTED");
    expect(error.details).toContainEqual({
      "@type": "type.googleapis.com/google.rpc.RetryInfo",
      retryDelay: expect.stringMatching(/^(60|59\.\d+)s$/) as string,
    });
  });

  it("say nothing where nothing is limited", async () => {
    const { post } = await served();
    expect(limitsOf(await post("/v1/chat/completions", chat))).toEqual({});
  });

  it("take RATE_LIMIT_DEFAULT_RPM for every key", async () => {
    const { post } = await served({ env: { RATE_LIMIT_DEFAULT_RPM: "1" } });
    expect((await post("/v1/chat/completions", chat)).status).toBe(200);
    expect((await post("/v1/chat/completions", chat)).status).toBe(429);
  });
});

describe("limits of targets, tools and slots", () => {
  it("send a route on to its next target when a model or a provider is at its limit, and refuse when all are", async () => {
    const { post } = await served(
      { routes: { fast: { targets: [{ model: "demo/echo" }, { model: "demo/scripted" }], retries: { max: 0 } } } },
      [
        { subject: "model", subjectId: "demo/echo", requestsPerMinute: 1 },
        { subject: "provider", subjectId: "demo", requestsPerMinute: 3 },
      ],
    );
    const models: (string | null)[] = [];
    for (let i = 0; i < 3; i++)
      models.push((await post("/v1/chat/completions", { ...chat, model: "route/fast" })).headers.get("x-sallyport-model"));
    expect(models).toEqual(["demo/echo", "demo/scripted", "demo/scripted"]);
    const refused = await post("/v1/chat/completions", { ...chat, model: "route/fast" });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
  });

  it("count tool calls by tool and by server, whoever calls", async () => {
    const { gateway } = await served({}, [
      { subject: "tool", subjectId: "demo__echo", requestsPerMinute: 1 },
      { subject: "server", subjectId: "demo", requestsPerMinute: 2 },
    ]);
    const call = (tool: string) => gateway.mcp.call(tool, tool === "demo__echo" ? { text: "x" } : { expression: "1+1" });
    await call("demo__echo");
    await expect(call("demo__echo")).rejects.toMatchObject({
      code: "rate_limited",
      details: { subject: "tool", subject_id: "demo__echo" },
    });
    await call("demo__calculator");
    await expect(call("demo__calculator")).rejects.toMatchObject({ code: "rate_limited", details: { subject: "server" } });
  });

  it("free a caller's slot when it goes before the answer, and keep it from nobody else meanwhile (F53, T41)", async () => {
    const upstream = createServer(() => undefined).listen(0, "127.0.0.1"); // never answers
    await once(upstream, "listening");
    onTestFinished(() => {
      upstream.closeAllConnections();
      upstream.close();
    });
    const baseUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
    const { post, serving } = await served({
      limits: { perKey: { concurrency: 1 } },
      providers: { silent: { vendor: "openai-compatible", baseUrl, models: ["m"] } },
    });
    const gone = new AbortController();
    const waiting = fetch(`${serving.url}/v1/chat/completions`, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, signal: gone.signal },
      body: JSON.stringify({ ...chat, model: "silent/m" }),
    }).catch(() => null);
    await once(upstream, "request");
    const refused = await post("/v1/chat/completions", chat);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect((await post("/v1/chat/completions", chat, { "x-who": "b" })).status).toBe(200);
    gone.abort();
    await waiting;
    await expect.poll(async () => (await post("/v1/chat/completions", chat)).status).toBe(200);
  });

  it("say in /ready that the counters are away, and count here meanwhile (F36)", async () => {
    const away = () => Promise.reject(new Error("ECONNREFUSED"));
    const counters: Counters = { spend: away, adjust: away, hold: away, release: away };
    const { post, serving } = await served({ counters, limits: { perKey: { requestsPerMinute: 2 } } });
    const ready = async (): Promise<unknown> => (await fetch(`${serving.url}/ready`)).json();
    expect(await ready()).toEqual({ status: "ready" });
    const statuses = [
      await post("/v1/chat/completions", chat),
      await post("/v1/chat/completions", chat),
      await post("/v1/chat/completions", chat),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(await ready()).toEqual({ status: "ready", counters: "away" });
  });

  it("hold over HTTP for a hundred at once, whether the counters wait or not (G18)", async () => {
    const shared = memoryCounters();
    const waiting: Counters = {
      spend: async (...args) => (await Promise.resolve(), shared.spend(...args)),
      adjust: (...args) => shared.adjust(...args),
      hold: (...args) => shared.hold(...args),
      release: (...args) => shared.release(...args),
    };
    for (const counters of [shared, waiting]) {
      const { post } = await served({ counters, limits: { perKey: { requestsPerMinute: 30 } } });
      const who = counters === shared ? "now" : "later";
      const answers = await Promise.all(Array.from({ length: 100 }, () => post("/v1/chat/completions", chat, { "x-who": who })));
      expect(answers.filter(({ status }) => status === 200).length).toBe(30);
      expect(answers.filter(({ status }) => status === 429).length).toBe(70);
    }
  });
});

describe("limits by the resource API", () => {
  it("hold for the next call, and a key's own count before them", async () => {
    const gateway = await createTestGateway();
    const serving = await serve(gateway, { port: 0 });
    onTestFinished(async () => {
      await serving.close();
      await gateway.close();
    });
    const send = async (path: string, body: unknown, key = TEST_OWNER_KEY, method = "POST") => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const response = await fetch(serving.url + path, { method, headers, body: JSON.stringify(body) });
      return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
    };
    const made = await send("/api/v1/rate-limits", { subject: "key", requests_per_minute: 1 });
    expect(made).toMatchObject({
      status: 201,
      body: { subject: "key", subject_id: "*", requests_per_minute: 1, tokens_per_minute: null, enabled: true },
    });
    expect((await send("/api/v1/add/rate-limit", { subject: "key", subject_id: "k", requests_per_minute: 0 })).status).toBe(400);
    expect((await send("/api/v1/rate-limits", { subject: "key", requests_per_minute: 5 })).status).toBe(409);
    const plain = await send("/api/v1/add/gateway-api-key", { name: "plain", scopes: ["models:*"] });
    const own = await send("/api/v1/add/gateway-api-key", { name: "own", scopes: ["models:*"], rate_limit: { requests_per_minute: 3 } });
    expect([plain.status, own.status]).toEqual([201, 201]);
    const ask = async (key: unknown) => (await send("/v1/chat/completions", chat, String(key))).status;
    const asked: number[] = [];
    for (let i = 0; i < 4; i++) asked.push(await ask(own.body["key"]));
    expect(asked).toEqual([200, 200, 200, 429]);
    expect([await ask(plain.body["key"]), await ask(plain.body["key"])]).toEqual([200, 429]);
    expect(
      (await send(`/api/v1/rate-limits/${String(made.body["id"])}`, { requests_per_minute: 100 }, TEST_OWNER_KEY, "PATCH")).status,
    ).toBe(200);
    await expect.poll(() => ask(plain.body["key"]), { timeout: 30_000 }).toBe(200);
  });
});
