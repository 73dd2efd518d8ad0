import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import type { RouteInput, UsageRow } from "../../src/entities/index.js";
import { usageEntry } from "../../src/entities/index.js";
import { memoryCache, memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";
import type { Cache } from "../../src/ports/index.js";
import { createTestGateway } from "../../src/testing/index.js";

type Options = NonNullable<Parameters<typeof createTestGateway>[0]>;
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
type Reply = (n: number, json: Record<string, unknown>, answer: ServerResponse, incoming: IncomingMessage) => void;

const whole = (n: number, over: object = {}): string =>
  JSON.stringify({
    ...{ id: `chatcmpl-${n}`, object: "chat.completion", created: 1_700_000_000, model: "theirs" },
    choices: [{ index: 0, message: { role: "assistant", content: `answer ${n}` }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
    ...over,
  });
const frame = (delta: object, rest: object = {}): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-s", object: "chat.completion.chunk", created: 1, model: "theirs", choices: [{ index: 0, delta, finish_reason: null }], ...rest })}\n\n`;
const streamOf = (n: number): string[] => [
  frame({ role: "assistant", content: "" }),
  frame({ content: "answer " }),
  frame({ content: String(n) }),
  frame({}, { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
  frame({}, { choices: [], usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 } }),
  "data: [DONE]\n\n",
];
/** Whole or streamed as asked, each answer with its number. */
const plain: Reply = (n, json, answer) => {
  if (json["stream"] !== true) return void answer.writeHead(200, { "content-type": "application/json" }).end(whole(n));
  answer.writeHead(200, { "content-type": "text/event-stream" });
  for (const one of streamOf(n)) answer.write(one);
  answer.end();
};

async function vendor(reply: Reply) {
  let hits = 0;
  const server = createServer((incoming, answer) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    incoming.on("end", () => reply(++hits, JSON.parse(body) as Record<string, unknown>, answer, incoming));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { hits: () => hits, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

interface Setting {
  readonly reply?: Reply;
  readonly cache?: RouteInput["cache"];
  readonly route?: Partial<RouteInput>;
  readonly options?: Options;
}

/** A gateway over HTTP with the route `kept`, whose one target is a vendor on loopback. Who calls is `x-who`, and their project what stands before its slash. */
async function served({ reply = plain, cache = { ttlMs: 60_000 }, route = {}, options = {} }: Setting = {}) {
  const upstream = await vendor(reply);
  const store = memoryStore();
  const gateway = await createTestGateway({
    storage: { name: "memory", open: () => Promise.resolve(store) },
    auth: (request): Caller => {
      const [project = "default", id = "a"] = (request.header("x-who") ?? "default/a").split("/");
      return { kind: "key", id, keyId: id, name: id, projects: [project], grants: ["*"] };
    },
    providers: {
      v: {
        ...{ vendor: "openai-compatible", baseUrl: upstream.baseUrl },
        models: [{ id: "m", prices: { input: 1, output: 10 } }, "other"],
      },
    },
    routes: { kept: { targets: [{ model: "v/m" }], retries: { max: 0 }, cache, ...route } },
    ...options,
  });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const post = (path: string, body: unknown, o: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {}) =>
    fetch(serving.url + path, {
      ...{ method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...o.headers } },
      ...(o.signal === undefined ? {} : { signal: o.signal }),
    });
  const chat = async (over: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
    const body = { model: "route/kept", messages: [{ role: "user", content: "hello" }], ...over };
    const response = await post("/v1/chat/completions", body, { headers });
    const raw = await response.text();
    return { status: response.status, cache: response.headers.get("x-sallyport-cache"), headers: response.headers, raw, text: textOf(raw) };
  };
  const usage = async (count: number): Promise<readonly UsageRow[]> => {
    const find = async () => (await store.find(usageEntry, { orderBy: "atMs", limit: 100 }, { system: "test" }, within)).rows;
    await expect.poll(async () => (await find()).length).toBe(count);
    return find();
  };
  return { gateway, serving, upstream, post, chat, usage, store };
}

/** What the model said, whole or streamed. */
function textOf(raw: string): string {
  const read = (json: string): string => {
    const { choices = [] } = JSON.parse(json) as { choices?: { message?: { content: string | null }; delta?: { content?: string } }[] };
    return choices[0]?.message?.content ?? choices[0]?.delta?.content ?? "";
  };
  if (raw.startsWith("{")) return read(raw);
  const frames = raw.split("\n\n").filter((one) => one.startsWith("data: {"));
  return frames.map((one) => read(one.replace(/^data: /, ""))).join("");
}

describe("the response cache", () => {
  it("answers the same question once more, byte for byte, without asking the vendor, and says so", async () => {
    const { chat, upstream } = await served();
    const first = await chat();
    const second = await chat();
    expect([first.cache, second.cache]).toEqual(["miss", "hit"]);
    expect(second.raw).toBe(first.raw);
    expect(upstream.hits()).toBe(1);
    expect(second.headers.get("age")).toBe("0");
    expect(second.headers.get("x-sallyport-model")).toBe("v/m");
    expect(second.headers.get("x-sallyport-attempts")).toBe("0");
  });

  it("a hit costs 0 and says so, and what it saved stands in its usage row (case 81)", async () => {
    const { chat, usage } = await served();
    const first = await chat();
    const second = await chat();
    expect([first.headers.get("x-sallyport-cost-usd"), second.headers.get("x-sallyport-cost-usd")]).toEqual(["0.002", "0"]);
    const rows = await usage(2);
    expect(
      rows.map(({ costNanoUsd, savedNanoUsd, detail, inputTokens, outputTokens, estimated, provider, model, attempts }) => ({
        costNanoUsd,
        savedNanoUsd,
        detail,
        inputTokens,
        outputTokens,
        estimated,
        provider,
        model,
        attempts,
      })),
    ).toEqual([
      {
        costNanoUsd: 2_000_000,
        detail: null,
        savedNanoUsd: null,
        inputTokens: 1_000,
        outputTokens: 100,
        estimated: false,
        provider: "v",
        model: "m",
        attempts: 1,
      },
      {
        costNanoUsd: 0,
        detail: { cached: true },
        savedNanoUsd: 2_000_000,
        inputTokens: null,
        outputTokens: null,
        estimated: false,
        provider: "v",
        model: "m",
        attempts: 0,
      },
    ]);
  });

  it("asks nobody anything for routes that did not opt in, and for models", async () => {
    const { chat, upstream } = await served({ route: { cache: undefined } });
    expect([(await chat()).cache, (await chat()).cache, (await chat({ model: "v/m" })).cache]).toEqual([null, null, null]);
    expect(upstream.hits()).toBe(3);
  });

  it("replays a whole answer as a stream and a streamed one whole, with usage where it is asked for", async () => {
    for (const [first, then] of [
      [{}, { stream: true }],
      [{ stream: true }, {}],
      [{ stream: true }, { stream: true, stream_options: { include_usage: true } }],
    ]) {
      const { chat, upstream, usage } = await served();
      const made = await chat(first);
      await usage(1);
      const again = await chat(then);
      expect([made.cache, again.cache, again.text, upstream.hits()]).toEqual(["miss", "hit", "answer 1", 1]);
      if (then?.["stream"] === true) expect(again.raw.endsWith("data: [DONE]\n\n")).toBe(true);
      expect(again.raw.includes('"prompt_tokens":1000')).toBe(!("stream" in then!) || "stream_options" in then);
    }
  });

  it("keeps each dialect's answers apart, and serves each", async () => {
    const { post, upstream } = await served();
    const google = { contents: [{ role: "user", parts: [{ text: "hello" }] }] };
    const messages = { model: "route/kept", max_tokens: 50, messages: [{ role: "user", content: "hello" }] };
    const responses = { model: "route/kept", input: "hello" };
    const ids = new Set<unknown>();
    for (const [path, body] of [
      ["/v1beta/models/route/kept:generateContent", google],
      ["/v1/messages", messages],
      ["/v1/responses", responses],
    ] as const) {
      const seen = [];
      for (let i = 0; i < 2; i++) {
        const response = await post(path, body);
        seen.push([response.status, response.headers.get("x-sallyport-cache")]);
        const json = (await response.json()) as Record<string, unknown>;
        if (path === "/v1/responses") ids.add(json["id"]);
      }
      expect(seen, path).toEqual([
        [200, "miss"],
        [200, "hit"],
      ]);
    }
    expect(upstream.hits()).toBe(3);
    expect(ids.size).toBe(2); // each stored response is one of its own
    const stream = await post("/v1beta/models/route/kept:streamGenerateContent?alt=sse", google);
    expect([stream.headers.get("x-sallyport-cache"), (await stream.text()).includes("answer 1")]).toEqual(["hit", true]);
  });

  it("serves runs as well", async () => {
    const { gateway, upstream } = await served();
    const run = async () => (await gateway.run({ model: "route/kept", input: "hello" })).text;
    expect([await run(), await run()]).toEqual(["answer 1", "answer 1"]);
    expect(upstream.hits()).toBe(1);
  });

  it("is passed by who asks for that: no-store neither reads nor keeps, no-cache makes it anew", async () => {
    const { chat, upstream } = await served();
    expect((await chat({}, { "cache-control": "no-store" })).cache).toBe("bypass");
    expect((await chat()).text).toBe("answer 2");
    expect([(await chat({}, { "cache-control": "no-cache" })).text, (await chat()).text]).toEqual(["answer 3", "answer 3"]);
    expect(upstream.hits()).toBe(3);
  });

  it("two tenants never share an answer (T09): projects by default, keys where the route says so", async () => {
    for (const scope of ["project", "key"] as const) {
      const { chat, upstream } = await served({ cache: { ttlMs: 60_000, scope } });
      const ask = async (who: string) => (await chat({}, { "x-who": who })).text;
      expect(await ask("one/a")).toBe("answer 1");
      expect(await ask("two/a")).toBe("answer 2");
      expect(await ask("one/b")).toBe(scope === "project" ? "answer 1" : "answer 3");
      expect([await ask("one/a"), await ask("two/a")]).toEqual(["answer 1", "answer 2"]);
      expect(upstream.hits()).toBe(scope === "project" ? 2 : 3);
    }
  });

  it.each<[string, object, boolean, boolean]>([
    [
      "calls of tools",
      {
        message: {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        finish_reason: "tool_calls",
      },
      false,
      true,
    ],
    ["a refusal", { message: { role: "assistant", content: null, refusal: "no" }, finish_reason: "stop" }, false, false],
    ["what a filter cut", { message: { role: "assistant", content: "par" }, finish_reason: "content_filter" }, false, false],
    ["what the caller's own limit cut", { message: { role: "assistant", content: "par" }, finish_reason: "length" }, true, true],
  ])("keeps %s only where it should", async (_name, choice, isKept, isKeptWithTools) => {
    const reply: Reply = (n, _json, answer) =>
      void answer.writeHead(200, { "content-type": "application/json" }).end(whole(n, { choices: [{ index: 0, ...choice }] }));
    for (const toolCalls of [false, true]) {
      const { chat, usage } = await served({ reply, cache: { ttlMs: 60_000, toolCalls } });
      await chat();
      await usage(1);
      expect((await chat()).cache).toBe((toolCalls ? isKeptWithTools : isKept) ? "hit" : "miss");
    }
  });

  it("keeps nothing of a failure, or of a stream that broke off", async () => {
    const replies: Reply[] = [
      (_n, _json, answer) => void answer.writeHead(500).end("{}"),
      (_n, _json, answer) => {
        answer.writeHead(200, { "content-type": "text/event-stream" });
        for (const one of streamOf(2).slice(0, 3)) answer.write(one);
        setTimeout(() => answer.destroy(), 20);
      },
    ];
    const { chat, usage } = await served({ reply: (n, ...rest) => (replies[n - 1] ?? plain)(n, ...rest) });
    expect((await chat()).status).toBe(502);
    await chat({ stream: true });
    await usage(2);
    expect((await chat()).text).toBe("answer 3");
    expect((await chat()).cache).toBe("hit");
  });

  it("gives an answer no longer than the route says, give or take a tenth", async () => {
    const expiries: number[] = [];
    const right = memoryCache();
    const cache: Cache = {
      get: (...args) => right.get(...args),
      add: (...args) => right.add(...args),
      remove: (...args) => right.remove(...args),
      set: (key, value, o, w) => (expiries.push(o.expiresAtMs - Date.now()), right.set(key, value, o, w)),
    };
    const { chat } = await served({ cache: { ttlMs: 100_000 }, options: { cache } });
    await Promise.all(Array.from({ length: 20 }, (_, i) => chat({ seed: i })));
    expect(expiries.length).toBe(20);
    for (const ms of expiries) expect(Math.abs(ms - 100_000)).toBeLessThanOrEqual(10_100);
    expect(Math.max(...expiries) - Math.min(...expiries)).toBeGreaterThan(2_000);
  });
});

describe("single flight", () => {
  it("a thousand equal calls at once ask the vendor once (F42)", async () => {
    const { chat, upstream } = await served({
      reply: (n, json, answer, incoming) => void setTimeout(() => plain(n, json, answer, incoming), 100),
    });
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => chat(i % 2 === 0 ? {} : { stream: true })));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["answer 1"]));
    expect(upstream.hits()).toBe(1);
  });

  it("when the first goes, another takes its place and all the others get its answer (F43)", async () => {
    const waiting: (() => void)[] = [];
    const { post, chat, upstream } = await served({
      reply: (n, json, answer, incoming) =>
        n === 1 ? void waiting.push(() => undefined) : void setTimeout(() => plain(n, json, answer, incoming), 50),
    });
    const gone = new AbortController();
    const body = { model: "route/kept", messages: [{ role: "user", content: "hello" }] };
    const first = post("/v1/chat/completions", body, { signal: gone.signal }).catch(() => null);
    await expect.poll(() => upstream.hits()).toBe(1);
    const others = Promise.all(Array.from({ length: 20 }, () => chat()));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(upstream.hits()).toBe(1);
    gone.abort();
    expect(await first).toBeNull();
    expect(new Set((await others).map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(["200 answer 2"]));
    expect(upstream.hits()).toBe(2);
  });

  it("when the first fails, each of the others is answered for itself (F43)", async () => {
    const reply: Reply = (n, json, answer, incoming) =>
      void setTimeout(
        () => (n === 1 ? answer.writeHead(400, { "content-type": "application/json" }).end("{}") : plain(n, json, answer, incoming)),
        50,
      );
    const { chat, upstream } = await served({ reply });
    const answers = await Promise.all(Array.from({ length: 10 }, () => chat()));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 200, 400]);
    expect(upstream.hits()).toBe(10);
    expect((await chat()).cache).toBe("hit");
  });

  it("two nodes with one cache ask the vendor once", async () => {
    const cache = memoryCache();
    const secret = new Uint8Array(32).map((_, i) => (i * 37 + (i % 3) * 101 + 11) & 0xff);
    const slow: Reply = (n, json, answer, incoming) => void setTimeout(() => plain(n, json, answer, incoming), 100);
    const one = await served({ reply: slow, options: { cache, secret } });
    const baseUrl = one.upstream.baseUrl;
    const options = {
      cache,
      secret,
      providers: { v: { vendor: "openai-compatible" as const, baseUrl, models: [{ id: "m", prices: { input: 1, output: 10 } }, "other"] } },
    };
    const two = await served({ options });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : two).chat()));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["answer 1"]));
    expect([one.upstream.hits(), two.upstream.hits()]).toEqual([1, 0]);
  });
});

describe("a cache that cannot be trusted", () => {
  it("what was written by somebody else is ignored, deleted and counted, and the answer is as without it (F41)", async () => {
    const keys: string[] = [];
    const right = memoryCache();
    const cache: Cache = {
      get: (...args) => right.get(...args),
      add: (...args) => right.add(...args),
      remove: (...args) => right.remove(...args),
      set: (key, value, o, w) => (keys.push(key), right.set(key, value, o, w)),
    };
    const { chat, gateway, upstream } = await served({ options: { cache } });
    const rejected: unknown[] = [];
    gateway.on("cache.used", (event) => event.result === "rejected" && rejected.push(event));
    await chat();
    await expect.poll(() => keys.length).toBe(1);
    await chat({}, { "x-who": "other/a" });
    await expect.poll(() => keys.length).toBe(2);
    const [mine = "", theirs = ""] = keys;
    const kept = (await right.get(mine, within))!;
    const foreign = (await right.get(theirs, within))!;
    const flipped = kept.slice();
    flipped[flipped.length - 20]! ^= 1;
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    const poison = [
      text(""),
      text("{"),
      text("null"),
      kept.slice(0, kept.length - 1),
      foreign,
      flipped,
      text(`${"x".repeat(32)}{"version":0}\n{}`),
    ];
    let n = 2;
    for (const value of poison) {
      await right.set(mine, value, { expiresAtMs: Date.now() + 60_000 }, within);
      const answer = await chat();
      expect([answer.status, answer.cache, answer.text]).toEqual([200, "miss", `answer ${++n}`]);
      await expect.poll(async () => (await chat()).cache).toBe("hit");
    }
    expect(rejected.length).toBe(poison.length);
    expect(upstream.hits()).toBe(n);
  });

  it("one that never answers is soon left alone by most calls; one that fails costs nobody an answer (F40)", async () => {
    let asked = 0;
    const never = <T>(): Promise<T> => (asked++, new Promise(() => undefined));
    const slow: Cache = { get: never, set: never, add: never, remove: never };
    const { chat, upstream } = await served({ options: { cache: slow } });
    for (let i = 1; i <= 20; i++) expect((await chat()).text).toBe(`answer ${i}`);
    expect(upstream.hits()).toBe(20);
    expect(asked).toBeGreaterThan(0);
    // Three a call were it asked each time; left alone for longer and longer it is asked again and again, but seldom.
    expect(asked).toBeLessThan(15);
    const fails = <T>(): Promise<T> => Promise.reject(new Error("ECONNRESET"));
    const broken = await served({ options: { cache: { get: fails, set: fails, add: fails, remove: fails } } });
    expect([(await broken.chat()).text, (await broken.chat()).text]).toEqual(["answer 1", "answer 2"]);
  });
});
