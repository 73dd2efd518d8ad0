import { expect, it } from "vitest";
import type { StoredModelRow } from "../../entities/index.js";
import { Providers } from "../providers.js";
import { StoredProviders } from "./stored-providers.js";

const usage = { inputTokens: 1_000, outputTokens: 100 };

function row(code: string, over: Partial<StoredModelRow>): StoredModelRow {
  const none = { title: null, kind: null, features: null, contextTokens: null, maxOutputTokens: null, prices: null };
  return {
    ...none,
    ...{ id: `model_${code}`, version: 1, createdAtMs: 0, updatedAtMs: 0 },
    provider: "v",
    code,
    ...over,
  } as StoredModelRow;
}

function standing() {
  const providers = new Providers({
    clock: { now: () => 0 },
    providers: {
      v: {
        ...{ vendor: "openai-compatible", baseUrl: "http://127.0.0.1:9/v1" },
        models: [{ id: "m", aliases: ["m-2026"], prices: { input: 1, output: 10 } }, "bare"],
      },
      openai: { apiKey: "x" },
    },
  });
  const faults: string[] = [];
  const stored = new StoredProviders({
    providers,
    open: () => {
      throw new Error("there is no secret");
    },
    onFault: (name) => faults.push(name),
  });
  const cost = (id: string): number | null => providers.models.find(id)?.costNanoUsd(usage) ?? null;
  return { providers, faults, cost, use: (...models: StoredModelRow[]) => stored.use({ providers: [], keys: [], models }) };
}

it("a stored model never changes what the configuration says of a model, by whichever of its names", () => {
  const { providers, cost, use } = standing();
  const before = cost("v/m");
  expect(before).toBe(2_000_000);
  use(row("m", { prices: { input: 0, output: 0 }, title: "Ours" }), row("m-2026", { prices: { input: 0, output: 0 } }));
  expect([cost("v/m"), cost("v/m-2026")]).toEqual([before, before]);
  // What the configuration left open may be said there.
  expect(providers.models.find("v/m")!.title).toBe("Ours");
});

it("says what the configuration does not, also in the catalogue's place, and no longer than its row is there", () => {
  const { providers, cost, use } = standing();
  const listed = [...providers.get("openai")!.models].find(({ prices }) => prices !== null)!;
  const before = listed.costNanoUsd(usage);
  const prices = { input: 3, output: 30 };
  const rows = [row("bare", { prices }), row("new", { prices }), row(listed.code, { provider: "openai", prices })];
  use(...rows);
  expect(["v/bare", "v/new", listed.id].map(cost)).toEqual([6_000_000, 6_000_000, 6_000_000]);
  use({ ...rows[0]!, version: 2, prices: { input: 4, output: 40 } }, rows[1]!);
  expect(["v/bare", "v/new", listed.id].map(cost)).toEqual([8_000_000, 6_000_000, before]);
  use();
  expect([providers.models.find("v/bare")!.prices, providers.models.find("v/new"), cost(listed.id)]).toEqual([null, null, before]);
});

it("leaves what code adds later in force, and models as they are while no row changes", () => {
  const { providers, cost, use } = standing();
  const rows = [row("bare", { prices: { input: 3, output: 30 } })];
  use(...rows);
  const known = providers.models.find("v/bare");
  use(...rows);
  expect(providers.models.find("v/bare")).toBe(known);
  providers.models.add({ provider: "v", code: "bare", prices: { input: 5, output: 50 } });
  expect(cost("v/bare")).toBe(10_000_000);
  use();
  expect(cost("v/bare")).toBe(10_000_000);
});

it("passes over a row that is no model, and keeps the others", () => {
  const { faults, cost, use } = standing();
  use(row("bad", { prices: { input: "cheap", output: 1 } as never }), row("bare", { prices: { input: 3, output: 30 } }));
  expect([faults, cost("v/bare")]).toEqual([["v/bad"], 6_000_000]);
});
