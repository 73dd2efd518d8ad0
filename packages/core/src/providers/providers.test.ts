import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { configSchema, quirksSchema } from "../config/schema.js";
import type { Quirks } from "../wire/shared/codec.js";
import { Secret } from "../util/secret.js";
import { rows } from "./catalogue/rows.js";
import { Model, Provider, Providers, vendorRows } from "./index.js";

const clock = { now: () => 1_700_000_000_000 };
const made = (providers: Record<string, object> = {}) => new Providers({ clock, providers: configSchema.parse({ providers }).providers });

/** Every quirk that a codec knows can be said in the configuration: does not compile otherwise. */
type Unsaid = Exclude<keyof Quirks, keyof z.output<typeof quirksSchema>>;
const unsaid: [Unsaid] extends [never] ? true : Unsaid = true;

describe("a provider", () => {
  it("can be given every quirk by configuration", () => {
    expect(unsaid).toBe(true);
    for (const row of Object.values(vendorRows)) expect(quirksSchema.parse(row.quirks)).toEqual(row.quirks);
  });

  it("is of the vendor that it is named after, with the vendor's address and models", () => {
    const openai = new Provider({ name: "openai", apiKey: "k" });
    expect(openai.vendor).toBe("openai");
    expect(openai.reach).toMatchObject({
      kind: "http",
      protocols: ["openai-responses", "openai-chat"],
      baseUrl: "https://api.openai.com/v1",
    });
    expect(openai.model("gpt-5.5")).toMatchObject({
      id: "openai/gpt-5.5",
      contextTokens: expect.any(Number),
      source: expect.stringContaining("2026"),
    });
  });

  it("can have any name, several to one vendor, each with its own address", () => {
    const mine = new Provider({ name: "mine", vendor: "openai", baseUrl: "http://127.0.0.1:1234/v1///" });
    expect(mine.reach).toMatchObject({ baseUrl: "http://127.0.0.1:1234/v1" });
    expect(mine.model("gpt-5.5")?.id).toBe("mine/gpt-5.5");
  });

  it("takes the configuration's shape as it is", () => {
    const providers = made({
      lab: {
        vendor: "openai-compatible",
        baseUrl: "http://lab.local:8000/v1",
        apiKeys: [{ value: "a", weight: 2 }, { value: "b" }],
        models: ["plain", { id: "org/priced", features: ["chat"], prices: { input: 0.5, output: "1.5" } }],
      },
    });
    expect(providers.get("lab")!.keys.size).toBe(2);
    expect(providers.models.get("lab/plain")).toMatchObject({ code: "plain", prices: null });
    const priced = providers.models.get("lab/org/priced")!;
    expect(priced).toMatchObject({ provider: "lab", code: "org/priced", features: ["chat"] });
    expect(priced.costNanoUsd({ inputTokens: 2, outputTokens: 2 })).toBe(4_000);
  });

  it("speaks, departs and identifies itself as its configuration says, beside its vendor's row", () => {
    const house = made({
      house: {
        vendor: "deepseek",
        baseUrl: "http://house.local/v1",
        apiKey: "k",
        protocols: ["anthropic-messages"],
        quirks: { jsonObjectOnly: false },
        auth: { header: "X-House-Key", prefix: "Token " },
        headers: { "X-Team": "kitchen" },
      },
    }).get("house")!;
    const { quirks } = vendorRows.deepseek;
    expect(house.reach).toMatchObject({ protocols: ["anthropic-messages"], quirks: { ...quirks, jsonObjectOnly: false } });
    const headers = house.headersFor(house.keys.pick(new Set(), 0));
    expect(headers).toContainEqual(["x-house-key", "Token k"]);
    expect(headers).toContainEqual(["x-team", "kitchen"]);
    expect(headers.map(([name]) => name)).not.toContain("authorization");
  });

  it("106: is refused with a header that HTTP cannot carry", () => {
    const make = (headers: Record<string, string>) => new Provider({ name: "openai", headers });
    expect(() => make({ "x-a": "b\r\nx-evil: 1" })).toThrow(expect.objectContaining({ code: "invalid_config" }));
    expect(() => make({ "x a": "b" })).toThrow(expect.objectContaining({ code: "invalid_config" }));
  });

  it("departs from its protocol as is known of the model, beside itself", () => {
    const anthropic = new Provider({ name: "anthropic" });
    const quirks = (code: string) => anthropic.quirksFor(anthropic.model(code));
    expect(quirks("claude-opus-5")).toMatchObject({
      dropped: ["temperature", "topP", "topK"],
      efforts: expect.arrayContaining(["low", "max"]),
    });
    expect(quirks("claude-opus-4-5")).toEqual({ reasoningBy: "budget" });
    expect(anthropic.quirksFor(null)).toEqual({});
    const fixed = new Provider({ name: "x", vendor: "openai", models: [{ code: "still", fixedSampling: true }] });
    expect(fixed.quirksFor(fixed.model("still"))).toEqual({ ...vendorRows.openai.quirks, dropped: ["temperature", "topP"] });
    const plain = new Provider({ name: "x", vendor: "openai", models: [{ code: "plain", features: ["chat"] }] });
    expect(plain.quirksFor(plain.model("plain"))).toMatchObject({ sealedReasoning: false });
  });

  it("knows what an hour in the cache costs where the vendor's price list has a rule for it", () => {
    const long = { inputTokens: 0, outputTokens: 0, cacheWriteLongTokens: 1_000 };
    const claude = new Provider({ name: "anthropic" });
    const priced = [...claude.models].find((model) => model.prices?.input !== undefined)!;
    expect(priced.costNanoUsd(long)).toBe(Number(priced.prices!.input) * 2 * 1_000_000);
    const house = new Provider({ name: "openai", models: [{ id: "gpt-5.5", prices: { input: "1", output: "1" } }] });
    expect(house.model("gpt-5.5")!.costNanoUsd(long)).toBeNull();
  });

  it("lets a configured row change what the catalogue says, and keeps the rest", () => {
    const openai = new Provider({ name: "openai", models: [{ id: "gpt-5.5", prices: { input: "1", output: "1" } }] });
    const model = openai.model("gpt-5.5")!;
    expect(model.costNanoUsd({ inputTokens: 1, outputTokens: 0 })).toBe(1000);
    expect(model.contextTokens).toBeGreaterThan(0);
    expect(model.features).toContain("vision");
  });

  it.each([
    ["a vendor that nobody knows", { name: "opnai" }, "openai"],
    ["an unknown vendor under another name", { name: "x", vendor: "antropic" as "anthropic" }, "anthropic"],
    ["no address where the vendor has none", { name: "x", vendor: "openai-compatible" }, "providers.x.baseUrl"],
    ["an address that is none", { name: "openai", baseUrl: "api.openai.com" }, "http://"],
    ["an address of another scheme", { name: "openai", baseUrl: "ftp://api.openai.com" }, "http://"],
    ["a name with a slash", { name: "a/b", vendor: "openai" }, "a-z"],
    ["a name with two underscores", { name: "a__b", vendor: "openai" }, "a-z"],
    ["a name that means something else", { name: "route", vendor: "openai" }, "another name"],
  ] as const)("is refused with %s", (_case, options, hint) => {
    expect(() => new Provider(options)).toThrow(expect.objectContaining({ code: "invalid_config", hint: expect.stringContaining(hint) }));
  });

  it("75: prices what each model did at that model's own price, and knows no price of a model that it does not know", () => {
    const prices = (input: string, output: string) => ({ input, output, cacheRead: "0.5" });
    const models = [{ code: "a", prices: prices("1", "10") }, { code: "b-1", aliases: ["b"], prices: prices("3", "30") }, { code: "free" }];
    const provider = new Provider({ name: "lab", vendor: "openai-compatible", baseUrl: "http://lab/v1", models });
    const cost = (...byModel: readonly { model: string; usage: object }[]) => {
      const whole = { inputTokens: 100, cacheReadTokens: 10, outputTokens: 20, reasoningTokens: 30 };
      return provider.costNanoUsd(provider.model("a"), { ...whole, byModel });
    };
    const a = { model: "a", usage: { inputTokens: 40, outputTokens: 20 } };
    const b = { model: "b", usage: { inputTokens: 60, outputTokens: 20, cacheReadTokens: 10 } };
    // All in micro-dollars: 40 × 1 + 30 × 10 by a, 60 × 3 + 10 × 0.5 + 20 × 30 by b.
    expect(cost(a, b)).toBe((340 + 785) * 1_000);
    expect(cost(a, b)).toBe(cost(b));
    expect(cost()).toBe(605 * 1_000);
    expect([cost({ ...b, model: "free" }), cost({ ...b, model: "nobody" })]).toEqual([null, null]);
    expect(provider.costNanoUsd(provider.model("a"), { byModel: [b], reportedCostNanoUsd: 7 })).toBe(7);
    expect(provider.costNanoUsd(null, { inputTokens: 1, outputTokens: 1, byModel: [b] })).toBeNull();
  });

  it("sends its own headers and its key, in the way its vendor wants it", () => {
    const openai = new Provider({ name: "openai", apiKey: new Secret("sk-1") });
    const key = openai.keys.pick(new Set(), 0);
    expect(openai.headersFor(key)).toEqual([
      ["user-agent", expect.stringMatching(/^sallyport\/\d/)],
      ["accept-encoding", "identity"],
      ["authorization", "Bearer sk-1"],
    ]);
    expect(openai.headersFor(key)).toBe(openai.headersFor(key));
    const anthropic = new Provider({ name: "anthropic", apiKey: "sk-2" });
    expect(anthropic.headersFor(anthropic.keys.pick(new Set(), 0))).toContainEqual(["x-api-key", "sk-2"]);
  });

  it("says which variable is missing when its vendor wants a key", () => {
    expect(() => new Provider({ name: "openai" }).headersFor(null)).toThrow(
      expect.objectContaining({ code: "misconfigured", hint: expect.stringContaining("OPENAI_API_KEY") }),
    );
    const local = new Provider({ name: "local", vendor: "openai-compatible", baseUrl: "http://127.0.0.1:1/v1" });
    expect(local.headersFor(null).map(([name]) => name)).toEqual(["user-agent", "accept-encoding"]);
  });

  it("shows its key nowhere, not even when it is printed whole", () => {
    const provider = new Provider({ name: "openai", apiKey: "sk-canary" });
    provider.headersFor(provider.keys.pick(new Set(), 0));
    expect(inspect(provider, { depth: 10, showHidden: true })).not.toContain("canary");
    expect(JSON.stringify(provider)).not.toContain("canary");
  });
});

describe("the providers of a gateway", () => {
  it("always have the demo, plainly labelled and free", () => {
    const providers = made();
    expect(providers.list().map((provider) => provider.name)).toEqual(["demo"]);
    expect(providers.get("demo")).toMatchObject({ vendor: null, ownedBy: "sallyport-demo" });
    expect(providers.models.list().map((model) => [model.id, model.costNanoUsd({ inputTokens: 5, outputTokens: 5 })])).toEqual(
      ["echo", "embed", "image", "moderate", "scripted", "speech", "transcribe", "video"].map((code) => [`demo/${code}`, 0]),
    );
  });

  it("refuse a second one of a name, the demo's too", () => {
    const providers = made({ openai: { apiKey: "k" } });
    expect(() => providers.add({ name: "openai" })).toThrow(expect.objectContaining({ code: "invalid_config" }));
    expect(() => made({ demo: { vendor: "openai" } })).toThrow(expect.objectContaining({ message: expect.stringContaining("built-in") }));
  });

  it("list models by id, and find them by it or by their code", () => {
    const lab = { vendor: "openai-compatible", baseUrl: "http://lab/v1" };
    const providers = made({ b: { ...lab, models: ["shared", "org/only-b"] }, a: { ...lab, models: ["shared"] } });
    const ids = providers.models.list().map((model) => model.id);
    expect(ids.filter((id) => !id.startsWith("demo/"))).toEqual(["a/shared", "b/org/only-b", "b/shared"]);
    expect(ids).toEqual([...ids].sort());
    expect(providers.models.withCode("shared").map((model) => model.id)).toEqual(["b/shared", "a/shared"]);
    expect(providers.models.get("b/org/only-b")).not.toBeNull();
    for (const name of ["b/nothing", "nobody/shared", "shared", "", "/", "b/"]) expect(providers.models.find(name)).toBeNull();
    expect(providers.models.get("b/nothing")).toMatchObject({ id: "b/nothing", prices: null });
    for (const name of ["nobody/shared", "shared", "", "/", "b/"])
      expect(() => providers.models.get(name)).toThrow(expect.objectContaining({ code: "model_not_found" }));
  });

  it("take models by hand, under a provider that is there", () => {
    const providers = made();
    const added = providers.models.add({ provider: "demo", code: "extra", features: ["chat"] });
    expect(added).toBeInstanceOf(Model);
    expect(providers.models.get("demo/extra")).toBe(added);
    expect(() => providers.models.add({ provider: "nobody", code: "x" })).toThrow(expect.objectContaining({ code: "not_found" }));
  });

  it("118: share nothing with another gateway's", () => {
    const [one, other] = [made({ openai: { apiKey: "k" } }), made({ openai: { apiKey: "k" } })];
    one.models.add({ provider: "openai", code: "gpt-5.5", prices: { input: "9", output: "9" } });
    expect(other.models.get("openai/gpt-5.5")!.prices).not.toEqual(one.models.get("openai/gpt-5.5")!.prices);
  });
});

describe("the catalogue", () => {
  it("117: knows a model's other ids, and until when its vendor serves it", () => {
    const providers = made({ anthropic: { apiKey: "k" }, deepseek: { apiKey: "k" } });
    const dated = providers.models.find("anthropic/claude-haiku-4-5-20251001")!;
    expect(dated).toMatchObject({ aliases: ["claude-haiku-4-5"], title: "Claude Haiku 4.5" });
    expect(providers.models.find("anthropic/claude-haiku-4-5")).toBe(dated);
    expect(providers.models.list().filter((model) => model.id.includes("haiku-4-5"))).toEqual([dated]);
    const gone = providers.models.find("deepseek/deepseek-chat")!;
    expect([gone.retiresAtMs, gone.deprecated, gone.source]).toEqual([Date.UTC(2026, 6, 24), true, expect.stringContaining("retirements")]);
  });

  it("117: leaves it to a server of one's own what it still serves", () => {
    const providers = made({ house: { vendor: "deepseek", baseUrl: "http://house/v1" } });
    expect(providers.models.find("house/deepseek-chat")!.retiresAtMs).toBeNull();
  });

  it("117: is set right by configuration, also under an alias", () => {
    const rows = [
      { id: "deepseek-chat", retiresAt: null },
      { id: "deepseek-v4-pro", aliases: ["pro"], retiresAt: "2027-01-31", successor: "deepseek-flash" },
    ];
    const { models } = made({ deepseek: { apiKey: "k", models: [...rows, { id: "pro", features: ["chat"] }] } });
    expect(models.find("deepseek/deepseek-chat")!.retiresAtMs).toBeNull();
    const pro = models.find("deepseek/pro")!;
    expect(pro).toBe(models.find("deepseek/deepseek-v4-pro"));
    expect(pro).toMatchObject({ retiresAtMs: Date.UTC(2027, 0, 31), successor: "deepseek-flash", features: ["chat"] });
  });

  it("has only vendors that have a row, and every row of it reads as a model with its source", () => {
    for (const vendor of Object.keys(rows)) {
      expect(Object.keys(vendorRows)).toContain(vendor);
      const models = [...new Provider({ name: vendor, apiKey: "k" }).models];
      expect(models.length).toBe(rows[vendor]!.trim().split("\n").length);
      for (const model of models) {
        expect(model.source).toMatch(/, 2026-\d\d-\d\d$/);
        expect(model.title.length).toBeGreaterThan(0);
        for (const amount of Object.values(model.prices ?? {})) if (!Array.isArray(amount)) expect(Number(amount)).toBeGreaterThan(0);
      }
    }
  });

  it("knows what a long context costs", () => {
    const model = new Provider({ name: "openai", apiKey: "k" }).model("gpt-5.5")!;
    expect(model.costNanoUsd({ inputTokens: 272_000, outputTokens: 0 })).toBe(272_000 * 5_000);
    expect(model.costNanoUsd({ inputTokens: 272_001, outputTokens: 0 })).toBe(272_001 * 10_000);
  });

  it("does not know the price of writing to a cache where the vendor names none", () => {
    const model = new Provider({ name: "openai", apiKey: "k" }).model("gpt-5.5")!;
    expect(model.costNanoUsd({ inputTokens: 1, outputTokens: 1, cacheWriteTokens: 1 })).toBeNull();
  });
});
