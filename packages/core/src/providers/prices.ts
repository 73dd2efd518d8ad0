import type { Usage } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";

/** Dollars per million tokens, as a decimal number or decimal text, taken exactly. What is left out is unknown, never zero. */
export interface Amounts {
  readonly input?: string | number | undefined;
  readonly output?: string | number | undefined;
  readonly cacheRead?: string | number | undefined;
  readonly cacheWrite?: string | number | undefined;
}
export interface Prices extends Amounts {
  /** Other prices for the whole call once its input, cached or not, is larger; the largest that applies. */
  readonly tiers?: readonly (Amounts & { readonly aboveInputTokens: number })[] | undefined;
}

/** Prices are kept as integers of 10^-12 dollars per million tokens; a token at one such unit costs 10^-9 of a nano-dollar. */
const DECIMALS = 12;
const UNITS_PER_NANO = 1_000_000_000n;

type Rates = Readonly<Record<keyof Amounts, bigint | null>>;

/**
 * The prices of one model, read once. A call's cost is multiplied exactly and rounded once, half up.
 * Errors: `validation_failed` for what is not a decimal amount.
 */
export class PriceList {
  readonly #base: Rates;
  /** Highest threshold first. */
  readonly #tiers: readonly { readonly above: number; readonly rates: Rates }[];

  constructor(prices: Prices) {
    this.#base = ratesOf(prices);
    this.#tiers = (prices.tiers ?? [])
      .map((tier) => ({ above: tier.aboveInputTokens, rates: ratesOf(tier) }))
      .sort((a, b) => b.above - a.above);
  }

  /**
   * Nano-US-dollars; null when the cost is not known: a count that nobody said, a price that nobody knows for tokens that were used, or counts that are no
   * counts. Reasoning is priced as output.
   */
  costNanoUsd(usage: Usage): number | null {
    const { inputTokens, outputTokens } = usage;
    if (inputTokens === undefined || outputTokens === undefined) return null;
    const read = usage.cacheReadTokens ?? 0;
    const written = usage.cacheWriteTokens ?? 0;
    const produced = outputTokens + (usage.reasoningTokens ?? 0);
    if (![inputTokens, read, written, produced].every(isCount)) return null;
    const rates = this.#ratesFor(inputTokens + read + written);
    const parts = [
      product(inputTokens, rates.input),
      product(read, rates.cacheRead),
      product(written, rates.cacheWrite),
      product(produced, rates.output),
    ];
    let sum = 0n;
    for (const part of parts) {
      if (part === null) return null;
      sum += part;
    }
    const nano = Number((sum + UNITS_PER_NANO / 2n) / UNITS_PER_NANO);
    return Number.isSafeInteger(nano) ? nano : null;
  }

  #ratesFor(totalInput: number): Rates {
    for (const tier of this.#tiers) if (totalInput > tier.above) return tier.rates;
    return this.#base;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** null: tokens were used whose price is not known. */
function product(tokens: number, rate: bigint | null): bigint | null {
  if (tokens === 0) return 0n;
  return rate === null ? null : BigInt(tokens) * rate;
}

function ratesOf(amounts: Amounts): Rates {
  return {
    input: rateOf(amounts.input),
    output: rateOf(amounts.output),
    cacheRead: rateOf(amounts.cacheRead),
    cacheWrite: rateOf(amounts.cacheWrite),
  };
}

function rateOf(amount: string | number | undefined): bigint | null {
  if (amount === undefined) return null;
  const text = typeof amount === "number" && String(amount).includes("e") ? amount.toFixed(DECIMALS) : String(amount);
  const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(text);
  // A number too small for twelve places must not become zero.
  if (match === null || (typeof amount === "number" && Number(text) !== amount))
    throw new GatewayError("validation_failed", `"${text.slice(0, 40)}" is not a price.`, {
      hint: "Write dollars per million tokens as a decimal with at most 12 places, such as 0.25.",
    });
  return BigInt(match[1]! + (match[2] ?? "").padEnd(DECIMALS, "0"));
}
