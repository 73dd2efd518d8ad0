import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ModelEvent } from "../../src/calls/index.js";
import type { Gateway } from "../../src/index.js";
import { createTestGateway, FakeClock, TEST_OWNER_KEY } from "../../src/testing/index.js";

const YESTERDAY = Date.UTC(2026, 10, 20);

/** A vendor that serves one model under two ids, has taken one away, and will take a third. */
async function house(): Promise<{ readonly gateway: Gateway; readonly asked: string[] }> {
  const gateway = await createTestGateway({ clock: new FakeClock(YESTERDAY + 86_400_000) });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const asked: string[] = [];
  gateway.providers.add({
    name: "house",
    models: [
      {
        ...{ code: "butler-20260101", aliases: ["butler"], title: "Butler", features: ["chat", "tools"] },
        ...{ inputFormats: ["text", "image"], outputFormats: ["text"], contextTokens: 32_000, maxOutputTokens: 4_000 },
        prices: { input: "1", output: "2" },
      },
      { code: "footman", retiresAtMs: YESTERDAY, successor: "butler" },
      { code: "page", retiresAtMs: YESTERDAY },
      { code: "maid", deprecated: true, retiresAtMs: Date.UTC(2027, 0, 14), successor: "butler" },
    ],
    answer: async function* (_call, { model }): AsyncGenerator<ModelEvent> {
      asked.push(model);
      yield { type: "start", id: "a", model, createdAtMs: 0 };
      yield { type: "finish", index: 0, reason: "stop" };
      yield { type: "usage", usage: { inputTokens: 1_000_000, outputTokens: 1_000_000 } };
    },
  });
  return { gateway, asked };
}
const fetchOf = (gateway: Gateway) => ({
  fetch: (url: string | URL | Request, init?: RequestInit) => gateway.fetch(new Request(url, init)),
});
const openaiOf = (gateway: Gateway) =>
  new OpenAI({ baseURL: "http://localhost/v1", apiKey: TEST_OWNER_KEY, maxRetries: 0, ...fetchOf(gateway) });
const messages = [{ role: "user" as const, content: "hello" }];

describe("117: the list of models", () => {
  it("has each model once with its other names, what it can do and until when, and none that is gone", async () => {
    const { gateway } = await house();
    const { data } = await openaiOf(gateway).models.list();
    expect(data.filter(({ id }) => id.startsWith("house/"))).toEqual([
      {
        ...{ id: "house/butler-20260101", object: "model", created: expect.any(Number), owned_by: "house" },
        ...{
          name: "Butler",
          kind: "chat",
          capabilities: ["chat", "tools"],
          input_modalities: ["text", "image"],
          output_modalities: ["text"],
        },
        ...{ context_length: 32_000, max_output_tokens: 4_000, aliases: ["house/butler"], lifecycle: "active" },
      },
      {
        ...{ id: "house/maid", object: "model", created: expect.any(Number), owned_by: "house", name: "maid", kind: "chat" },
        ...{ lifecycle: "deprecated", retires_at: Date.UTC(2027, 0, 14) / 1000, successor: "house/butler" },
      },
    ]);
    const anthropic = new Anthropic({ baseURL: "http://localhost", apiKey: TEST_OWNER_KEY, maxRetries: 0, ...fetchOf(gateway) });
    expect(await anthropic.models.retrieve("house/maid")).toMatchObject({
      lifecycle: "deprecated",
      retires_at: "2027-01-14T00:00:00.000Z",
    });
  });
});

describe("117: a model's other name", () => {
  it("leads to the same model, priced the same, and goes out as it was said", async () => {
    const { gateway, asked } = await house();
    for (const model of ["house/butler", "butler", "house/butler-20260101"]) {
      const { response } = await openaiOf(gateway).chat.completions.create({ model, messages }).withResponse();
      expect(response.headers.get("x-sallyport-cost-usd")).toBe("3");
    }
    expect(asked).toEqual(["butler", "butler", "butler-20260101"]);
    expect(await openaiOf(gateway).models.retrieve("house/butler")).toMatchObject({ id: "house/butler-20260101", context_length: 32_000 });
  });
});

describe("117: a model that its vendor took away", () => {
  it("is a 404 that names the successor, on every face, and its vendor is not asked", async () => {
    const { gateway, asked } = await house();
    const openai = openaiOf(gateway);
    for (const call of [
      () => openai.chat.completions.create({ model: "house/footman", messages }),
      () => openai.responses.create({ model: "footman", input: "hello" }),
      () => openai.models.retrieve("house/footman"),
    ]) {
      const error = await call().then(undefined, (reason: unknown) => reason as InstanceType<typeof OpenAI.APIError>);
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: "model_not_found", message: expect.stringMatching(/retired .* 2026-11-20.*house\/butler/s) });
    }
    await expect(openai.chat.completions.create({ model: "house/page", messages })).rejects.toThrow(/retired .*"retiresAt": null/s);
    expect(asked).toEqual([]);
  });

  it("is passed over by routes that name others, and said so", async () => {
    const { gateway, asked } = await house();
    await gateway.routes.add("r", { targets: [{ model: "house/footman" }, { model: "house/butler" }] });
    await openaiOf(gateway).chat.completions.create({ model: "route/r", messages });
    expect(asked).toEqual(["butler"]);
    expect(gateway.routes.explain("r").notes).toContain("house/footman is passed over: its vendor retired it");
  });
});
