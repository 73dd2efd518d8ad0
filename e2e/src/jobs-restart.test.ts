import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import libsql from "libsql";
import OpenAI, { toFile } from "openai";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway } from "@sallyport/core";
import { OWNER_KEY } from "./served.js";

const SECRET = crypto.getRandomValues(new Uint8Array(32));
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sallyport-jobs-"))));

const servers: (() => void)[] = [];
afterEach(() => {
  for (const close of servers.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
});

/** A vendor of films (synthetic, after xAI's documentation) that has one under way until it is told otherwise; it knows two keys and gives each only its own films. */
async function filmVendor() {
  const state = { isDone: false, begun: 0, polls: [] as string[] };
  const server = createServer((request, answer) => {
    const key = request.headers.authorization ?? "";
    request.resume().on("end", () => {
      const json = (status: number, body: unknown) =>
        answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      if (request.url === "/v1/videos/generations") {
        state.begun++;
        return json(200, { request_id: `film-of-${key.slice(-1)}` });
      }
      if (request.url === "/film.mp4") return answer.writeHead(200, { "content-type": "video/mp4" }).end("the film");
      state.polls.push(key);
      if (request.url !== `/v1/videos/film-of-${key.slice(-1)}`) return json(404, { error: "no such film of this key" });
      const { port } = server.address() as AddressInfo;
      return state.isDone
        ? json(200, { status: "done", video: { url: `http://127.0.0.1:${port}/film.mp4`, duration: 5 } })
        : json(202, { status: "pending", progress: 10 });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { state, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

interface Process {
  readonly gateway: Gateway;
  readonly client: OpenAI;
}
/** One process's gateway after the other, over one database, and the SDK before it. */
async function running<T>(file: string, o: { readonly baseUrl: string }, use: (process: Process) => Promise<T>): Promise<T> {
  const gateway = new Gateway({
    ...{ env: {}, ownerKey: OWNER_KEY, secret: SECRET, logging: { level: "silent" }, mcpServers: {} },
    storage: sqlite(join(folder, file)),
    providers: {
      films: {
        ...{ vendor: "xai", baseUrl: o.baseUrl, apiKeys: [{ value: "key-a" }, { value: "key-b" }] },
        models: [{ id: "camera", prices: { perSecond: "0.05" } } as never],
      },
    },
  });
  const call = (input: string | URL | Request, init?: RequestInit) => gateway.fetch(new Request(input as string, init));
  try {
    return await use({ gateway, client: new OpenAI({ baseURL: "http://localhost/v1", apiKey: OWNER_KEY, maxRetries: 0, fetch: call }) });
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}
const until = async (look: () => Promise<boolean>) => {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 100));
};
function rows(file: string, sql: string): Record<string, unknown>[] {
  const database = new libsql(join(folder, file), { readonly: true });
  try {
    return database.prepare(sql).all() as Record<string, unknown>[];
  } finally {
    database.close();
  }
}

it("112: a film is begun in one process and followed in the next, with the key that it was begun with, and paid for once", async () => {
  const { state, baseUrl } = await filmVendor();
  const file = "films.db";
  const begun = await running(file, { baseUrl }, async ({ client }) => {
    const film = await client.videos.create({ model: "films/camera", prompt: "a boat" }, { headers: { "idempotency-key": "one" } });
    expect(film.status).toBe("queued");
    return film;
  });
  state.isDone = true;
  await running(file, { baseUrl }, async ({ client }) => {
    const again = await client.videos.create({ model: "films/camera", prompt: "a boat" }, { headers: { "idempotency-key": "one" } });
    expect(again.id).toBe(begun.id);
    expect(state.begun).toBe(1);
    // Several who ask at once, beside whoever follows it.
    await until(async () =>
      (await Promise.all([1, 2, 3].map(() => client.videos.retrieve(begun.id)))).every(({ status }) => status === "completed"),
    );
    expect(await (await client.videos.downloadContent(begun.id)).text()).toBe("the film");
    expect(JSON.stringify(await client.videos.retrieve(begun.id))).not.toContain("127.0.0.1");
  });
  expect(new Set(state.polls).size).toBe(1);
  const usage = rows(file, "select id, operation, cost_nano_usd, provider from usage_entries where operation = 'video' order by at_ms");
  const paid = usage.filter(({ cost_nano_usd: cost }) => cost !== null);
  expect(paid).toEqual([{ id: begun.id, operation: "video", cost_nano_usd: 250_000_000, provider: "films" }]);
  expect(JSON.stringify(rows(file, "select * from vendor_objects"))).not.toMatch(/key-[ab]/);
});

it("112: nobody has to ask: whoever runs follows the film to its end", async () => {
  const { state, baseUrl } = await filmVendor();
  const file = "followed.db";
  await running(file, { baseUrl }, ({ client }) => client.videos.create({ model: "films/camera", prompt: "a boat" }));
  state.isDone = true;
  await running(file, { baseUrl }, async ({ gateway }) => {
    await gateway.start();
    await until(() => Promise.resolve(rows(file, "select status from vendor_objects")[0]!["status"] === "succeeded"));
  });
  expect(rows(file, "select status from vendor_objects")).toEqual([{ status: "succeeded" }]);
});

it("110: a batch that its process left is finished by the next one, and nothing that was answered is asked again", async () => {
  const file = "batch.db";
  const asked: string[] = [];
  const slow = (isStuck: boolean) => ({
    name: "slow",
    async *answer(
      call: { readonly messages: readonly { readonly content: readonly object[] }[] },
      { signal }: { readonly signal: AbortSignal },
    ) {
      const { text } = call.messages[0]!.content[0] as { readonly text: string };
      asked.push(text);
      if (isStuck && text !== "0")
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
      yield { type: "start" as const, id: "a", model: "one", createdAtMs: 0 };
      yield { type: "text-start" as const, index: 0, block: 0 };
      yield { type: "text-delta" as const, index: 0, block: 0, text };
      yield { type: "text-end" as const, index: 0, block: 0 };
      yield { type: "finish" as const, index: 0, reason: "stop" as const };
      yield { type: "usage" as const, usage: { inputTokens: 1, outputTokens: 1 } };
    },
  });
  const line = (id: string) => ({
    ...{ custom_id: id, method: "POST", url: "/v1/chat/completions" },
    body: { model: "slow/one", messages: [{ role: "user", content: id }] },
  });
  const o = { baseUrl: "http://127.0.0.1:9/v1" };
  const id = await running(file, o, async ({ gateway, client }) => {
    gateway.providers.add(slow(true));
    const lines = ["0", "1", "2"].map((each) => JSON.stringify(line(each))).join("\n");
    const input = await client.files.create({ purpose: "batch", file: await toFile(new TextEncoder().encode(lines), "in.jsonl") });
    const batch = await client.batches.create({ input_file_id: input.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    await until(async () => (await client.batches.retrieve(batch.id)).request_counts?.completed === 1);
    return batch.id;
  });
  await running(file, o, async ({ gateway, client }) => {
    gateway.providers.add(slow(false));
    await gateway.start();
    await until(async () => (await client.batches.retrieve(id)).status === "completed");
    const done = await client.batches.retrieve(id);
    expect(done.request_counts).toEqual({ total: 3, completed: 3, failed: 0 });
    const text = await (await client.files.content(done.output_file_id!)).text();
    const ids = text
      .trim()
      .split("\n")
      .map((each) => (JSON.parse(each) as { custom_id: string }).custom_id);
    expect(ids.sort()).toEqual(["0", "1", "2"]);
  });
  expect(asked.filter((text) => text === "0")).toHaveLength(1);
});

it("110: a batch is cancelled, and what was not made is said to be so", async () => {
  await running("cancelled.db", { baseUrl: "http://127.0.0.1:9/v1" }, async ({ gateway, client }) => {
    gateway.providers.add({
      name: "stuck",
      // eslint-disable-next-line require-yield -- it never comes to that
      async *answer(_call, { signal }) {
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
      },
    });
    const lines = JSON.stringify({
      custom_id: "a",
      method: "POST",
      url: "/v1/chat/completions",
      body: { model: "stuck/one", messages: [{ role: "user", content: "x" }] },
    });
    const input = await client.files.create({ purpose: "batch", file: await toFile(new TextEncoder().encode(lines), "in.jsonl") });
    const { id } = await client.batches.create({ input_file_id: input.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    expect((await client.batches.cancel(id)).status).toMatch(/cancel/);
    await until(async () => (await client.batches.retrieve(id)).status === "cancelled");
    const done = await client.batches.retrieve(id);
    const text = await (await client.files.content(done.error_file_id!)).text();
    expect(JSON.parse(text)).toMatchObject({ custom_id: "a", response: null, error: { code: "batch_cancelled" } });
  });
});
