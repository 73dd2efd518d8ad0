import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PriceList } from "./prices.js";

const cost = (prices: ConstructorParameters<typeof PriceList>[0], usage: Parameters<PriceList["costNanoUsd"]>[0]) =>
  new PriceList(prices).costNanoUsd(usage);

describe("the cost of a call", () => {
  it("is its tokens times the price per million, in nano-dollars", () => {
    // 1,000 × $2.50/M + 100 × $10/M = $0.0035
    expect(cost({ input: "2.5", output: "10" }, { inputTokens: 1000, outputTokens: 100 })).toBe(3_500_000);
  });

  it("prices cache reads and writes apart, and reasoning as output", () => {
    const prices = { input: "1", output: "2", cacheRead: "0.1", cacheWrite: "1.25" };
    const usage = { inputTokens: 10, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 40, reasoningTokens: 50 };
    expect(cost(prices, usage)).toBe(10_000 + 70 * 2_000 + 30 * 100 + 40 * 1_250);
  });

  it("is rounded once, half up, after everything was added", () => {
    // One token at $0.0005/M is half a nano-dollar; two parts of it are one, not two and not none.
    expect(cost({ input: "0.0005", output: "0" }, { inputTokens: 1, outputTokens: 0 })).toBe(1);
    expect(cost({ input: "0.0005", output: "0.0005" }, { inputTokens: 1, outputTokens: 1 })).toBe(1);
    expect(cost({ input: "0.0004", output: "0" }, { inputTokens: 1, outputTokens: 0 })).toBe(0);
  });

  it("is exact where binary fractions are not", () => {
    expect(cost({ input: 0.1, output: 0.2 }, { inputTokens: 3, outputTokens: 0 })).toBe(300);
    expect(cost({ input: "0.000000000001", output: "0" }, { inputTokens: 9_007_199_254_740_991, outputTokens: 0 })).toBe(9_007_199);
    expect(cost({ input: 1e-7, output: 0 }, { inputTokens: 10_000_000, outputTokens: 0 })).toBe(1000);
  });

  it("equals what whole numbers say, whatever the amounts", () => {
    const decimals = fc.tuple(fc.nat(999), fc.nat(999_999)).map(([whole, part]) => `${whole}.${String(part).padStart(6, "0")}`);
    const cases = fc.record({ input: decimals, output: decimals, inputTokens: fc.nat(10_000_000), outputTokens: fc.nat(10_000_000) });
    fc.assert(
      fc.property(cases, ({ input, output, inputTokens, outputTokens }) => {
        const micro = (amount: string) => BigInt(amount.replace(".", ""));
        const exact = (micro(input) * BigInt(inputTokens) + micro(output) * BigInt(outputTokens)) * 2n + 1000n;
        expect(cost({ input, output }, { inputTokens, outputTokens })).toBe(Number(exact / 2000n));
      }),
    );
  });

  it.each([
    ["the input was not counted", { input: "1", output: "1" }, { outputTokens: 1 }],
    ["the output was not counted", { input: "1", output: "1" }, { inputTokens: 1 }],
    ["the price of what was used is not known", { input: "1" }, { inputTokens: 1, outputTokens: 1 }],
    ["cache reads have no price", { input: "1", output: "1" }, { inputTokens: 1, outputTokens: 1, cacheReadTokens: 1 }],
    ["a count is negative", { input: "1", output: "1" }, { inputTokens: -1, outputTokens: 1 }],
    ["a count is no whole number", { input: "1", output: "1" }, { inputTokens: 0.5, outputTokens: 1 }],
    ["a count is absurd", { input: "1", output: "1" }, { inputTokens: 1e308, outputTokens: 1 }],
    ["the sum is absurd", { input: "1000000", output: "1" }, { inputTokens: 9e15, outputTokens: 1 }],
  ])("is unknown, never zero, when %s", (_why, prices, usage) => {
    expect(cost(prices, usage)).toBeNull();
  });

  it("is what the vendor itself says, when it says it (76)", () => {
    expect(cost({ input: "1", output: "1" }, { inputTokens: 5, outputTokens: 5, reportedCostNanoUsd: 7 })).toBe(7);
    expect(cost({ input: "1", output: "1" }, { inputTokens: 5, outputTokens: 5, reportedCostNanoUsd: -7 })).toBeNull();
  });

  it("prices what is cached for long by its own price, and no other (73)", () => {
    const usage = { inputTokens: 0, outputTokens: 0, cacheWriteTokens: 10, cacheWriteLongTokens: 20 };
    expect(cost({ input: "1", output: "1", cacheWrite: "1.25", cacheWriteLong: "2" }, usage)).toBe(10 * 1_250 + 20 * 2_000);
    expect(cost({ input: "1", output: "1", cacheWrite: "1.25" }, usage)).toBeNull();
  });

  it("is of the tier that served, not of a tier that nobody priced (74)", () => {
    const prices = { input: "1", output: "1", serviceTiers: { priority: "2", flex: 0.5 } };
    const at = (serviceTier: string) => cost(prices, { inputTokens: 10, outputTokens: 10, serviceTier });
    expect([at("priority"), at("flex"), at("default"), at("standard")]).toEqual([40_000, 10_000, 20_000, 20_000]);
    expect(at("ultrafast")).toBeNull();
  });

  it("counts pictures, seconds, characters, searches and calls by the piece (82)", () => {
    expect(cost({ perImage: "0.04" }, { images: 2 })).toBe(80_000_000);
    expect(cost({ perSecond: "0.0001" }, { seconds: 10.2 })).toBe(1_100_000);
    expect(cost({ perCharacter: "0.000015" }, { characters: 1000 })).toBe(15_000_000);
    expect(cost({ perCall: "0.01" }, {})).toBe(10_000_000);
    const searched = { inputTokens: 1000, outputTokens: 0, searches: 2 };
    expect(cost({ input: "1", output: "1", perSearch: "0.01" }, searched)).toBe(1_000_000 + 20_000_000);
    expect(cost({ input: "1", output: "1" }, searched)).toBeNull();
  });

  it("adds sound and pictures that are counted in tokens of their own", () => {
    const usage = { inputTokens: 1, outputTokens: 1, audioInputTokens: 2, imageOutputTokens: 3 };
    expect(cost({ input: "1", output: "1", audioInput: "10", imageOutput: "30" }, usage)).toBe(2_000 + 20_000 + 90_000);
    expect(cost({ input: "1", output: "1" }, usage)).toBeNull();
  });

  it("does not need the price of what was not used", () => {
    expect(cost({ input: "1" }, { inputTokens: 5, outputTokens: 0, cacheReadTokens: 0 })).toBe(5_000);
  });

  it("follows the tier of the whole input, from the first token", () => {
    const prices = {
      input: "1",
      output: "10",
      cacheRead: "0.1",
      tiers: [{ aboveInputTokens: 100, input: "2", output: "20", cacheRead: "0.2" }],
    };
    expect(cost(prices, { inputTokens: 100, outputTokens: 1 })).toBe(100_000 + 10_000);
    expect(cost(prices, { inputTokens: 101, outputTokens: 1 })).toBe(202_000 + 20_000);
    expect(cost(prices, { inputTokens: 60, cacheReadTokens: 41, outputTokens: 1 })).toBe(120_000 + 8_200 + 20_000);
  });

  it.each(["", "-1", "1.", ".5", "1e3", "NaN", "1,5", "0.1234567890123", " 1", -1, Number.NaN, Infinity, 1e-13])(
    "does not take %j for a price",
    (input) => {
      expect(() => new PriceList({ input })).toThrow(expect.objectContaining({ code: "validation_failed" }));
    },
  );
});
