import { describe, expect, it } from "vitest";
import type { Caller } from "../calls/index.js";
import { mergeRoutes } from "../config/merge-routes.js";
import { configSchema } from "../config/schema.js";
import { Providers } from "../providers/index.js";
import { findModel, listModels } from "./list-models.js";
import { resolve, type Names } from "./resolve.js";

const lab = { vendor: "openai-compatible" as const, baseUrl: "http://lab/v1" };
const config = configSchema.parse({
  providers: {
    openai: { apiKey: "k" },
    lab: { ...lab, models: ["llama-70b", "meta/llama-8b", "shared"] },
    other: { ...lab, models: ["shared"] },
    anthropic: { apiKey: "k" },
  },
  routes: {
    fast: { targets: [{ model: "lab/llama-70b" }, { model: "openai/gpt-5.5" }] },
    spread: { strategy: "weighted", targets: [{ model: "lab/llama-70b", weight: 3 }, { model: "meta/llama-8b" }] },
    broken: { targets: [{ model: "nobody/nothing" }] },
  },
});
const providers = new Providers({ clock: { now: () => 1_700_000_000_000 }, providers: config.providers });
const names = (...grants: string[]): Names => ({
  providers,
  routes: mergeRoutes(config, []),
  caller: { kind: "key", id: "k", name: "k", projects: ["default"], grants } satisfies Caller,
});
const all = names("*");
const only = (name: string, of = all) => {
  const { name: full, targets } = resolve(name, of);
  expect(targets.length).toBe(1);
  return { full, provider: targets[0]!.provider.name, code: targets[0]!.code, listed: targets[0]!.model !== null };
};
const thrown = (name: string, of = all) => {
  try {
    resolve(name, of);
  } catch (error) {
    return error as { code: string; message: string; hint: string; details: { candidates: string[] } };
  }
  throw new Error("It was resolved.");
};

describe("a model's name", () => {
  it("has the provider in its first segment and the vendor's id in all that follows", () => {
    expect(only("lab/llama-70b")).toEqual({ full: "lab/llama-70b", provider: "lab", code: "llama-70b", listed: true });
    expect(only("lab/meta/llama-8b")).toEqual({ full: "lab/meta/llama-8b", provider: "lab", code: "meta/llama-8b", listed: true });
  });

  it("is forwarded when the provider is known and nobody listed the model", () => {
    expect(only("lab/brand:new@2026")).toEqual({ full: "lab/brand:new@2026", provider: "lab", code: "brand:new@2026", listed: false });
  });

  it("may be the bare id that one provider owns, slashes or not, and is then known by its full name", () => {
    expect(only("llama-70b")).toMatchObject({ full: "lab/llama-70b" });
    expect(only("meta/llama-8b")).toMatchObject({ full: "lab/meta/llama-8b", provider: "lab", code: "meta/llama-8b" });
  });

  it("that several providers own is refused with all that it could mean", () => {
    expect(thrown("shared")).toMatchObject({
      code: "model_not_found",
      hint: "Name the provider: lab/shared or other/shared.",
      details: { candidates: ["lab/shared", "other/shared"] },
    });
  });

  it.each([
    ["lab/llama-70", null],
    ["opnai/gpt-5.5", "openai/gpt-5.5"],
    ["llama-70", "lab/llama-70b"],
    ["LLAMA_70B", "lab/llama-70b"],
    ["gpt5.5", "openai/gpt-5.5"],
    ["route/fsat", "route/fast"],
    ["demo-echo", "demo/echo"],
  ])("%s: the nearest name is in the hint, unless it goes to a provider that may know it", (name, meant) => {
    if (meant === null) expect(only(name)).toMatchObject({ listed: false });
    else expect(thrown(name)).toMatchObject({ code: "model_not_found", hint: expect.stringContaining(meant) });
  });

  it.each([
    "",
    "/",
    "lab/",
    "/x",
    "route/",
    "route/nothing/at/all",
    "x".repeat(100_000),
    `lab/${"x".repeat(201)}`,
    "constructor",
    "__proto__/x",
    "route/__proto__",
  ])("%j means nothing", (name) => {
    const error = thrown(name);
    expect(error.code).toBe("model_not_found");
    expect(error.message.length).toBeLessThan(300);
  });

  it("hints at nothing that the caller may not call", () => {
    const limited = names("models:lab/*");
    expect(thrown("opnai/gpt-5.5", limited).hint).not.toContain("openai");
    expect(thrown("route/fsat", limited).hint).not.toContain("fast");
    expect(thrown("shared", limited).hint).not.toContain("other/");
    expect(thrown("llama-70", limited).hint).toContain("lab/llama-70b");
  });
});

describe("a route", () => {
  it("has its targets in the order they are written", () => {
    const { name, targets } = resolve("route/fast", all);
    expect(name).toBe("route/fast");
    expect(targets.map((target) => target.id)).toEqual(["lab/llama-70b", "openai/gpt-5.5"]);
  });

  it("with a target that does not exist is the operator's mistake", () => {
    expect(thrown("route/broken")).toMatchObject({ code: "misconfigured", hint: expect.stringContaining("routes.broken.targets") });
  });
});

describe("the list of models", () => {
  const ids = (of: Names, speaks: (protocol: string) => boolean = (protocol) => protocol === "openai-chat") =>
    listModels(of, speaks).map((model) => model.id);
  const find = (name: string, of = all) => findModel(name, of, (protocol) => protocol === "openai-chat");

  it("has what the caller may call, by id, with the demo and the routes", () => {
    expect(ids(names("models:lab/*", "models:route/fast", "models:demo/*"))).toEqual([
      ...["demo/echo", "demo/embed", "demo/image", "demo/moderate", "demo/scripted", "demo/speech", "demo/transcribe", "demo/video"],
      ...["lab/llama-70b", "lab/meta/llama-8b", "lab/shared", "route/fast"],
    ]);
    expect(ids(names("mcp:*"))).toEqual([]);
  });

  it("117: shows a model once, with all its names, to who may use it by any; a denial of any name hides it", () => {
    const listed = (...grants: string[]) => listModels(names(...grants), () => true).map(({ id, aliases }) => [id, aliases]);
    const [dated, alias] = ["anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"];
    expect(listed(`models:${dated}`)).toEqual([[dated, [alias]]]);
    expect(listed(`models:${alias}`)).toEqual([[dated, [alias]]]);
    expect(listed(`models:${dated}`, `!models:${alias}`)).toEqual([]);
    expect(listed(`models:${alias}*`)).toEqual([[dated, [alias]]]);
  });

  it("leaves out what this version cannot call", () => {
    expect(ids(all).filter((id) => id.startsWith("anthropic/"))).toEqual([]);
    expect(ids(all)).toContain("openai/text-embedding-3-small");
    expect(ids(all, () => false)).not.toContain("openai/text-embedding-3-small");
    expect(ids(all, () => false)).toContain("openai/gpt-image-2");
    expect(ids(all, () => true)).toContain("anthropic/claude-sonnet-5");
  });

  it("names the owner, and when the model came out or became known", () => {
    expect(find("demo/echo")).toMatchObject({
      id: "demo/echo",
      provider: "demo",
      createdAtMs: 1_700_000_000_000,
      ownedBy: "sallyport-demo",
    });
    expect(find("lab/llama-70b")).toMatchObject({ ownedBy: "openai-compatible" });
    expect(find("xai/grok-4.3")).toBeNull();
  });

  it("finds one by its full name, by a bare id and by a route, and nothing that the caller may not see", () => {
    expect(find("llama-70b")?.id).toBe("lab/llama-70b");
    expect(find("lab/meta/llama-8b")?.id).toBe("lab/meta/llama-8b");
    expect(find("route/fast")).toMatchObject({ id: "route/fast", provider: "route" });
    for (const name of ["shared", "lab/unlisted", "nothing", "route/none", "route/broken", "anthropic/claude-sonnet-5"])
      expect(find(name)).toBeNull();
    expect(find("llama-70b", names("models:openai/*"))).toBeNull();
    expect(find("route/fast", names("models:lab/*"))).toBeNull();
  });
});
