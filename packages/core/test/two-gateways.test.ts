import { afterEach, describe, expect, it, vi } from "vitest";
import type { Gateway, GatewayOptions } from "../src/index.js";
import { usageEntry } from "../src/entities/index.js";
import { memoryStore } from "../src/memory/index.js";
import { clock as systemClock, httpClient } from "../src/platform/node.js";
import { FakeClock } from "../src/testing/index.js";
import { closeAll, gatewayTo, sendJson, stubVendor, type Answer, type Got } from "./media/stub-vendor.js";

afterEach(async () => {
  vi.unstubAllEnvs();
  await closeAll();
});

// 118: two gateways in one process share nothing; what is outside of them is given to them.

const ownerKeys = ["owner-of-the-first-4c1d8f0b7a2e9635", "owner-of-the-second-4c1d8f0b7a2e963"] as const;
const keyOf = ({ headers }: Got) => String(headers.authorization ?? headers["x-goog-api-key"]).replace("Bearer ", "");
const done: Answer = (_got, answer) =>
  sendJson(answer, {
    ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
    choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  });

type Pair = readonly [Gateway, Gateway];
const pairOf = (options: GatewayOptions, more: readonly [GatewayOptions, GatewayOptions] = [{}, {}]): Pair =>
  [0, 1].map((i) =>
    gatewayTo(options.providers, { network: { allowPrivate: true }, ...options, ownerKey: ownerKeys[i as 0 | 1], ...more[i as 0 | 1] }),
  ) as unknown as Pair;
const ask = async (gateway: Gateway, path: string, body?: unknown, key: string = ownerKeys[0]) => {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const response = await gateway.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
};
const chat = { messages: [{ role: "user", content: "hi" }] };
const CHAT = "/v1/chat/completions";

describe("118: two gateways in one process", () => {
  it("have pools of keys of their own: what one vendor refused one of them the other still uses", async () => {
    let refusals = 1;
    const vendor = await stubVendor((got, answer) =>
      keyOf(got) === "key-1" && refusals-- > 0 ? sendJson(answer, { error: { message: "No." } }, 401) : done(got, answer, ""),
    );
    const apiKeys = ["key-1", "key-2"].map((value, i) => ({ value, weight: i === 0 ? 1_000_000 : 1 }));
    const [one, two] = pairOf({ providers: { lab: { vendor: "openai-compatible", baseUrl: `${vendor.base}/v1`, apiKeys } } });
    for (let i = 0; i < 3; i++) await ask(one, CHAT, { ...chat, model: "lab/m" });
    await ask(two, CHAT, { ...chat, model: "lab/m" }, ownerKeys[1]);
    expect(vendor.got.map(keyOf)).toEqual(["key-1", "key-2", "key-2", "key-2", "key-1"]);
  });

  it("have breakers, routes, models and events of their own", async () => {
    let isDown = true;
    const vendor = await stubVendor((got, answer) => (isDown ? sendJson(answer, {}, 503) : done(got, answer, "")));
    const lab = { vendor: "openai-compatible" as const, baseUrl: `${vendor.base}/v1` };
    const [one, two] = pairOf({ providers: { lab }, routes: { r: { targets: [{ model: "lab/m" }], retries: { max: 0 } } } });
    const heard: string[][] = [[], []];
    for (const [i, gateway] of [one, two].entries()) gateway.on("call.finished", ({ callId }) => void heard[i]!.push(callId));
    for (let i = 0; i < 6; i++) await ask(one, CHAT, { ...chat, model: "route/r" });
    isDown = false;
    expect([one, two].map((gateway) => gateway.routes.explain("r").targets[0]!.breaker)).toEqual(["open", "closed"]);
    expect((await ask(two, CHAT, { ...chat, model: "route/r" }, ownerKeys[1])).status).toBe(200);
    expect((await ask(one, CHAT, { ...chat, model: "route/r" })).status).toBeGreaterThanOrEqual(500);
    await one.routes.add("mine", { targets: [{ model: "lab/m" }] });
    one.models.add({ provider: "lab", code: "mine" });
    expect((await ask(two, CHAT, { ...chat, model: "route/mine" }, ownerKeys[1])).status).toBe(404);
    expect([one.models.find("lab/mine")?.id, two.models.find("lab/mine")]).toEqual(["lab/mine", null]);
    expect(heard.map((ids) => ids.length)).toEqual([7, 2]);
    expect(new Set(heard.flat()).size).toBe(9);
  });

  it("have ledgers, responses, files and owners of their own", async () => {
    const vendor = await stubVendor(done);
    const stores = [memoryStore({ clock: systemClock }), memoryStore({ clock: systemClock })];
    const storages = stores.map((store) => ({ storage: { name: "memory", open: () => Promise.resolve(store) } }));
    const [one, two] = pairOf(
      { providers: { lab: { vendor: "openai-compatible", baseUrl: `${vendor.base}/v1` } } },
      storages as unknown as [GatewayOptions, GatewayOptions],
    );
    const made = await ask(one, "/v1/responses", { model: "lab/m", input: "hi" });
    const path = `/v1/responses/${String(made.body["id"])}`;
    expect([(await ask(one, path)).status, (await ask(two, path, undefined, ownerKeys[1])).status]).toEqual([200, 404]);
    expect((await ask(two, path)).status).toBe(401);
    const form = new FormData();
    form.set("purpose", "user_data");
    form.set("file", new File(["secret"], "a.txt"));
    const headers = { authorization: `Bearer ${ownerKeys[0]}` };
    const uploaded = await one.fetch(new Request("http://localhost/v1/files", { method: "POST", body: form, headers }));
    const file = `/v1/files/${((await uploaded.json()) as { id: string }).id}`;
    expect([(await ask(one, file)).status, (await ask(two, file, undefined, ownerKeys[1])).status]).toEqual([200, 404]);
    const rows = async (store: (typeof stores)[number]) =>
      (await store.find(usageEntry, { orderBy: "atMs", limit: 9 }, { system: "a test" }, { deadlineMs: Date.now() + 5_000 })).rows.length;
    await expect.poll(() => rows(stores[0]!)).toBe(1);
    expect(await rows(stores[1]!)).toBe(0);
  });

  it("do not know each other's stash of vendors' tokens", async () => {
    const signature = Buffer.from("a signature").toString("base64");
    const call = { functionCall: { name: "weather", args: {} }, thoughtSignature: signature };
    const vendor = await stubVendor((_got, answer) =>
      sendJson(answer, { candidates: [{ content: { role: "model", parts: [call] }, finishReason: "STOP", index: 0 }] }),
    );
    const [one, two] = pairOf({ providers: { lab: { vendor: "google", baseUrl: vendor.base, apiKey: "key-1" } } });
    const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } }];
    const first = await ask(one, CHAT, { ...chat, model: "lab/m", tools });
    const { message } = (first.body["choices"] as { message: { tool_calls: { id: string }[] } }[])[0]!;
    const messages = [...chat.messages, message, { role: "tool", tool_call_id: message.tool_calls[0]!.id, content: "sunny" }];
    await ask(one, CHAT, { model: "lab/m", tools, messages });
    await ask(two, CHAT, { model: "lab/m", tools, messages }, ownerKeys[1]);
    expect(vendor.got.slice(1).map(({ bytes }) => bytes.includes(signature))).toEqual([true, false]);
  });
});

describe("118: a gateway", () => {
  it("looks nothing up in the process's environment when it was given another", async () => {
    for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"]) vi.stubEnv(name, "key-of-the-process");
    vi.stubEnv("SALLYPORT_OWNER_KEY", ownerKeys[1]);
    const vendor = await stubVendor(done);
    const [one, two] = pairOf({}, [{ env: {} }, { env: { OPENAI_API_KEY: "key-given" } }]);
    expect([one.providers.get("openai"), two.providers.get("anthropic")]).toEqual([null, null]);
    expect(two.providers.get("openai")).not.toBeNull();
    const baseUrl = `${vendor.base}/v1`;
    const given = gatewayTo(
      { openai: { baseUrl } },
      { network: { allowPrivate: true }, ownerKey: ownerKeys[0], env: { OPENAI_API_KEY: "key-given" } },
    );
    await ask(given, CHAT, { ...chat, model: "openai/m" });
    expect(vendor.got.map(keyOf)).toEqual(["key-given"]);
    expect((await ask(given, "/v1/models", undefined, ownerKeys[1])).status).toBe(401);
  });

  it("goes by the clock and the HTTP client that it was given", async () => {
    const vendor = await stubVendor(done);
    const real = httpClient({ clock: systemClock, allowPrivate: true });
    const urls: string[] = [];
    const http = {
      exchange: (request: Parameters<typeof real.exchange>[0], within: Parameters<typeof real.exchange>[1]) => {
        urls.push(request.url);
        return real.exchange({ ...request, url: request.url.replace("http://elsewhere.example", vendor.base) }, within);
      },
      close: () => real.close(),
    };
    const clock = new FakeClock(Date.UTC(2031, 0, 1));
    const store = memoryStore({ clock });
    const gateway = gatewayTo(
      { lab: { vendor: "openai-compatible", baseUrl: "http://elsewhere.example/v1" } },
      { ownerKey: ownerKeys[0], clock, http, storage: { name: "memory", open: () => Promise.resolve(store) } },
    );
    expect((await ask(gateway, CHAT, { ...chat, model: "lab/m" })).status).toBe(200);
    expect(urls).toEqual(["http://elsewhere.example/v1/chat/completions"]);
    const within = { deadlineMs: clock.now() + 5_000 };
    const rows = async () => (await store.find(usageEntry, { orderBy: "atMs", limit: 9 }, { system: "a test" }, within)).rows;
    await expect.poll(async () => (await rows()).map(({ atMs }) => atMs)).toEqual([clock.now()]);
  });
});
