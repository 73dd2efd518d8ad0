import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { usageEntry, type RouteInput } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";
import { createTestGateway } from "../../src/testing/index.js";

const within = { deadlineMs: Number.MAX_SAFE_INTEGER };

/** Texts that mean the same point the same way, to a degree. */
const meanings: Readonly<Record<string, readonly number[]>> = {
  "What is the capital of France?": [1, 0, 0],
  "France's capital?": [0.99, 0.14, 0],
  "What is the capital of Spain?": [0.8, 0.6, 0],
};

/** A vendor that answers with a number, and embeds. */
async function vendor(o: { readonly embeds: () => boolean }) {
  const seen = { chat: 0, embed: 0 };
  const server = createServer((incoming, answer) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    incoming.on("end", () => {
      const isEmbedding = incoming.url?.endsWith("/embeddings") === true;
      const n = isEmbedding ? ++seen.embed : ++seen.chat;
      if (isEmbedding && !o.embeds()) return void answer.writeHead(500).end("{}");
      const { input } = JSON.parse(body) as { input?: string | string[] };
      const embedding = meanings[[input].flat()[0] ?? ""] ?? [0, 0, 1];
      const json = isEmbedding
        ? { object: "list", model: "e", data: [{ object: "embedding", index: 0, embedding }], usage: { prompt_tokens: 5, total_tokens: 5 } }
        : {
            ...{ id: `c${n}`, object: "chat.completion", created: 1, model: "theirs" },
            choices: [{ index: 0, message: { role: "assistant", content: `answer ${n}` }, finish_reason: "stop" }],
            usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
          };
      answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

async function served(semantic: Partial<NonNullable<NonNullable<RouteInput["cache"]>["semantic"]>> = {}) {
  let embeds = true;
  const upstream = await vendor({ embeds: () => embeds });
  const store = memoryStore();
  const gateway = await createTestGateway({
    storage: { name: "memory", open: () => Promise.resolve(store) },
    auth: (request): Caller => {
      const project = request.header("x-who") ?? "one";
      return { kind: "key", id: project, keyId: project, name: project, projects: [project], grants: ["*"] };
    },
    providers: { v: { vendor: "openai-compatible", baseUrl: upstream.baseUrl, models: ["m", { id: "e", kind: "embedding" }] } },
    routes: { kept: { targets: [{ model: "v/m" }], cache: { ttlMs: 60_000, semantic: { model: "v/e", ...semantic } } } },
  });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  let asked = 0;
  const ask = async (content: unknown, over: Record<string, unknown> = {}, who = "one") => {
    const body = { model: "route/kept", messages: [{ role: "user", content }], ...over };
    const headers = { "content-type": "application/json", "x-who": who };
    const response = await fetch(`${serving.url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
    const json = (await response.json()) as { choices: { message: { content: string } }[] };
    asked++;
    // What an answer leaves behind is there once its row is.
    const rows = async () => (await store.find(usageEntry, { where: {}, orderBy: "atMs", limit: 500 }, { system: "test" }, within)).rows;
    await expect.poll(async () => (await rows()).filter(({ operation }) => operation === "generate").length).toBe(asked);
    return {
      cache: response.headers.get("x-sallyport-cache"),
      similarity: response.headers.get("x-sallyport-cache-similarity"),
      text: json.choices[0]?.message.content,
      rows,
    };
  };
  return { ask, seen: upstream.seen, break: () => (embeds = false) };
}

const [capital, alike, other] = Object.keys(meanings) as [string, string, string];

describe("the semantic cache", () => {
  it("answers a question that means the same, and says how near it is", async () => {
    const { ask, seen } = await served();
    expect(await ask(capital)).toMatchObject({ cache: "miss", similarity: null });
    const second = await ask(alike);
    expect(second).toMatchObject({ cache: "hit", text: "answer 1", similarity: expect.stringMatching(/^0\.9[89]/) as string });
    expect(await ask(other)).toMatchObject({ cache: "miss", text: "answer 2" });
    expect(seen).toEqual({ chat: 2, embed: 3 });
    // The same question is no look-alike: nothing is embedded for it.
    expect(await ask(capital)).toMatchObject({ cache: "hit", similarity: null });
    expect(seen.embed).toBe(3);
    const rows = (await second.rows()).filter(({ operation }) => operation === "embed");
    expect(rows.map(({ purpose, callerId }) => [purpose, callerId])).toEqual(Array(3).fill(["semantic-cache", "one"]));
  });

  it("takes the threshold of the route", async () => {
    const { ask } = await served({ threshold: 0.995 });
    await ask(capital);
    expect((await ask(alike)).cache).toBe("miss");
  });

  it("never answers another tenant (T09), nor the same words in another frame (T08)", async () => {
    const { ask } = await served();
    await ask(capital);
    expect((await ask(alike, {}, "two")).cache).toBe("miss");
    for (const over of [
      { temperature: 0.5 },
      { max_tokens: 10 },
      { seed: 1 },
      {
        messages: [
          { role: "system", content: "Answer in French." },
          { role: "user", content: alike },
        ],
      },
      {
        messages: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: "Hello" },
          { role: "user", content: alike },
        ],
      },
    ])
      expect((await ask(alike, over)).cache, JSON.stringify(over)).toBe("miss");
    expect((await ask(alike)).cache).toBe("hit");
  });

  it("is not asked for calls with tools or pictures", async () => {
    const { ask, seen } = await served();
    await ask(capital);
    const tool = { type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } };
    const picture = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
    for (const [content, over] of [
      [alike, { tools: [tool] }],
      [[{ type: "text", text: alike }, picture], {}],
      [
        alike,
        {
          messages: [
            { role: "user", content: [picture] },
            { role: "assistant", content: "A dot." },
            { role: "user", content: alike },
          ],
        },
      ],
    ] as const)
      expect((await ask(content, over)).cache).toBe("miss");
    expect(seen.embed).toBe(1);
  });

  it("forgets the oldest questions past its number", async () => {
    const { ask } = await served({ maxEntries: 1 });
    await ask(capital);
    await ask("Something else");
    expect((await ask(alike)).cache).toBe("miss");
  });

  it("costs no call its answer when the vectors cannot be made", async () => {
    const { ask, break: broken } = await served();
    await ask(capital);
    broken();
    expect(await ask(alike)).toMatchObject({ cache: "miss", text: "answer 2" });
    expect((await ask(capital)).cache).toBe("hit");
  });
});
