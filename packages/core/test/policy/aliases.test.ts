import { describe, expect, it, onTestFinished } from "vitest";
import type { ModelEvent } from "../../src/calls/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

/** A provider `v` whose model `m` is `mm` and `m-2026`, too; what its vendor was asked for is noted. */
async function aliased(options: Parameters<typeof createTestGateway>[0] = {}) {
  const gateway = await createTestGateway(options);
  onTestFinished(() => gateway.close());
  const asked: string[] = [];
  async function* answer(model: string): AsyncGenerator<ModelEvent> {
    asked.push(model);
    yield { type: "start", id: "a", model, createdAtMs: 0 };
    yield { type: "text-start", index: 0, block: 0 };
    yield { type: "text-delta", index: 0, block: 0, text: "fine" };
    yield { type: "text-end", index: 0, block: 0 };
    yield { type: "finish", index: 0, reason: "stop" };
    yield { type: "usage", usage: { inputTokens: 1, outputTokens: 1 } };
  }
  gateway.providers.add({
    name: "v",
    models: [{ id: "m", aliases: ["mm", "m-2026"] }, "other"],
    answer: (_call, { model }) => answer(model),
  });
  const send = async (path: string, body?: unknown, key = TEST_OWNER_KEY) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const response = await gateway.fetch(new Request(`http://localhost${path}`, init));
    return { status: response.status, text: await response.text() };
  };
  const chat = (model: string, key?: string, content = "hi") =>
    send("/v1/chat/completions", { model, messages: [{ role: "user", content }] }, key);
  const statuses = async (models: readonly string[], key?: string, content?: string): Promise<number[]> => {
    const all: number[] = [];
    for (const model of models) all.push((await chat(model, key, content)).status);
    return all;
  };
  const keyWith = async (...scopes: string[]) => (await gateway.keys.create({ name: "k", scopes: [...scopes, "operations:*"] })).key;
  return { gateway, asked, send, chat, statuses, keyWith };
}

const ALL = ["v/m", "v/mm", "v/m-2026", "m", "mm"];
const none = ALL.map(() => 403);
const every = ALL.map(() => 200);

describe("a model with aliases", () => {
  it("is denied by all its names where one of them is, and so is not listed (T05)", async () => {
    const { statuses, keyWith, send, asked } = await aliased();
    for (const denial of ["!models:v/m", "!models:v/mm", "!models:*-2026"]) {
      const key = await keyWith("models:*", denial);
      expect(await statuses(ALL, key)).toEqual(none);
      expect(await statuses(["v/other"], key)).toEqual([200]);
      expect((await send("/v1/models", undefined, key)).text).not.toContain('"v/m');
      expect((await send("/v1/models/v/mm", undefined, key)).status).toBe(404);
    }
    expect(asked).not.toContain("m");
  });

  it("is allowed by any of its names, and goes out under the name that was called", async () => {
    const { statuses, keyWith, chat, asked } = await aliased();
    expect(await statuses(ALL, await keyWith("models:v/m"))).toEqual(every);
    expect(asked).toEqual(["m", "mm", "m-2026", "m", "mm"]);
    expect(await statuses(ALL, await keyWith("models:v/mm"))).toEqual(every);
    const other = await keyWith("models:v/other");
    expect(await statuses(ALL, other)).toEqual(none);
    expect((await chat("v/mm", other)).text).toContain("models:v/m,");
  });

  it("is looked at by the guardrails of any of its names, also behind a route", async () => {
    for (const models of [["v/m"], ["v/mm"], ["*/m-20*"]]) {
      const words = { kind: "words", settings: { words: ["forbiddenword"] }, action: "block", applies: { models } };
      const { gateway, statuses, asked } = await aliased({ guardrails: { w: words } } as never);
      await gateway.routes.add("full", { targets: [{ model: "v/m-2026" }] });
      await gateway.routes.add("bare", { targets: [{ model: "mm" }] });
      const names = [...ALL, "route/full", "route/bare"];
      expect(await statuses(names, undefined, "forbiddenword")).toEqual(names.map(() => 403));
      expect(asked).toEqual([]);
      expect(await statuses(["v/other"], undefined, "forbiddenword")).toEqual([200]);
    }
  });

  it("has one count for all its names, by a limit of any of them", async () => {
    for (const subject_id of ["v/m", "v/mm", "v/m*"]) {
      const { statuses, send } = await aliased();
      expect((await send("/api/v1/rate-limits", { subject: "model", subject_id, requests_per_minute: 2 })).status).toBe(201);
      expect(await statuses(["v/mm", "m", "v/m", "v/m-2026", "mm"])).toEqual([200, 200, 429, 429, 429]);
    }
  });
});
