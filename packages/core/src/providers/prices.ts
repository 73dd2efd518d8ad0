import type { Usage } from "../calls/index.js";
import { rateOf, timesDecimal, UNITS_PER_NANO_OF_MILLION, UNITS_PER_NANO_OF_ONE } from "./rate.js";

type Amount = string | number | undefined;

/** Dollars per million tokens, as a decimal number or decimal text, taken exactly. What is left out is unknown, never zero. */
export interface Amounts {
  readonly input?: Amount;
  readonly output?: Amount;
  readonly cacheRead?: Amount;
  readonly cacheWrite?: Amount;
  /** For what the vendor keeps an hour and more. */
  readonly cacheWriteLong?: Amount;
  readonly audioInput?: Amount;
  readonly audioOutput?: Amount;
  readonly imageInput?: Amount;
  readonly imageOutput?: Amount;
}
/** Dollars for one: a call, a picture, a second of sound or film, a character spoken, a search. */
export interface UnitAmounts {
  readonly perCall?: Amount;
  readonly perImage?: Amount;
  readonly perSecond?: Amount;
  readonly perCharacter?: Amount;
  readonly perSearch?: Amount;
}
export interface Prices extends Amounts, UnitAmounts {
  /** Other prices for the whole call once its input, cached or not, is larger; the largest that applies. */
  readonly tiers?: readonly (Amounts & { readonly aboveInputTokens: number })[] | undefined;
  /** By the tier that served the call, in the vendor's word: what all prices are multiplied by, as a decimal. */
  readonly serviceTiers?: Readonly<Record<string, string | number>> | undefined;
}

type Rates = Readonly<Record<keyof Amounts, bigint | null>>;
type UnitRates = Readonly<Record<keyof UnitAmounts, bigint | null>>;

/** Tiers that cost what the list says. */
const LIST_PRICE: ReadonlySet<string> = new Set(["default", "standard", "auto", "on_demand"]);

/**
 * The prices of one model, read once. A call's cost is multiplied exactly and rounded once, half up.
 * Errors: `validation_failed` for what is not a decimal amount.
 */
export class PriceList {
  readonly #base: Rates;
  /** Highest threshold first. */
  readonly #tiers: readonly { readonly above: number; readonly rates: Rates }[];
  readonly #units: UnitRates;
  readonly #serviceTiers: ReadonlyMap<string, string | number>;

  constructor(prices: Prices) {
    this.#base = ratesOf(prices);
    this.#tiers = (prices.tiers ?? [])
      .map((tier) => ({ above: tier.aboveInputTokens, rates: ratesOf(tier) }))
      .sort((a, b) => b.above - a.above);
    this.#units = {
      perCall: rateOf(prices.perCall),
      perImage: rateOf(prices.perImage),
      perSecond: rateOf(prices.perSecond),
      perCharacter: rateOf(prices.perCharacter),
      perSearch: rateOf(prices.perSearch),
    };
    for (const factor of Object.values(prices.serviceTiers ?? {})) rateOf(factor);
    this.#serviceTiers = new Map(Object.entries(prices.serviceTiers ?? {}));
  }

  /**
   * Nano-US-dollars: what the vendor itself says, or else what the list says. null when the cost is not known: nothing was counted that has a price, something was
   * used whose price nobody knows, a tier served whose price nobody knows, or counts that are no counts. Reasoning is priced as output.
   */
  costNanoUsd(usage: Usage): number | null {
    if (usage.reportedCostNanoUsd !== undefined) return isCount(usage.reportedCostNanoUsd) ? usage.reportedCostNanoUsd : null;
    const tokens = this.#tokens(usage);
    const units = this.#unitsOf(usage);
    if (tokens === null || units === null) return null;
    if (tokens === undefined && units === undefined) return null;
    // Both in units of 10^-18 dollars.
    const sum = (tokens ?? 0n) + (units ?? 0n);
    const factored = this.#atTier(sum, usage.serviceTier);
    if (factored === null) return null;
    const nano = Number((factored + UNITS_PER_NANO_OF_MILLION / 2n) / UNITS_PER_NANO_OF_MILLION);
    return Number.isSafeInteger(nano) ? nano : null;
  }

  /** undefined: tokens were not counted whole, and none need to have been. */
  #tokens(usage: Usage): bigint | null | undefined {
    const isSoldByTokens = this.#base.input !== null || this.#base.output !== null || !hasAny(this.#units);
    const { inputTokens, outputTokens } = usage;
    if (inputTokens === undefined || outputTokens === undefined) return isSoldByTokens ? null : undefined;
    if (!isSoldByTokens) return undefined;
    const read = usage.cacheReadTokens ?? 0;
    const written = usage.cacheWriteTokens ?? 0;
    const writtenLong = usage.cacheWriteLongTokens ?? 0;
    const produced = outputTokens + (usage.reasoningTokens ?? 0);
    const rates = this.#ratesFor(inputTokens + read + written + writtenLong);
    return total([
      [inputTokens, rates.input],
      [read, rates.cacheRead],
      [written, rates.cacheWrite],
      [writtenLong, rates.cacheWriteLong],
      [produced, rates.output],
      [usage.audioInputTokens ?? 0, rates.audioInput],
      [usage.audioOutputTokens ?? 0, rates.audioOutput],
      [usage.imageInputTokens ?? 0, rates.imageInput],
      [usage.imageOutputTokens ?? 0, rates.imageOutput],
    ]);
  }

  /** undefined: nothing was counted that is sold by the piece. */
  #unitsOf(usage: Usage): bigint | null | undefined {
    const { perCall, perImage, perSecond, perCharacter, perSearch } = this.#units;
    const counted: [number, bigint | null][] = [];
    if (perCall !== null) counted.push([1, perCall]);
    // A vendor counts what it does not charge for, too: only what has a price is sold. A search nobody knows the price of is not free.
    if (usage.images !== undefined && perImage !== null) counted.push([usage.images, perImage]);
    if (usage.seconds !== undefined && perSecond !== null) counted.push([Math.ceil(usage.seconds), perSecond]);
    if (usage.characters !== undefined && perCharacter !== null) counted.push([usage.characters, perCharacter]);
    if (usage.searches !== undefined && usage.searches > 0) counted.push([usage.searches, perSearch]);
    if (counted.length === 0) return undefined;
    const sum = total(counted);
    return sum === null ? null : sum * (UNITS_PER_NANO_OF_MILLION / UNITS_PER_NANO_OF_ONE);
  }

  #atTier(sum: bigint, tier: string | undefined): bigint | null {
    if (tier === undefined) return sum;
    const factor = this.#serviceTiers.get(tier);
    if (factor !== undefined) return timesDecimal(sum, factor);
    return LIST_PRICE.has(tier) ? sum : null;
  }

  #ratesFor(totalInput: number): Rates {
    for (const tier of this.#tiers) if (totalInput > tier.above) return tier.rates;
    return this.#base;
  }
}

function hasAny(rates: UnitRates): boolean {
  return Object.values(rates).some((rate) => rate !== null);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** null: something was used whose price is not known, or a count is none. */
function total(parts: readonly (readonly [number, bigint | null])[]): bigint | null {
  let sum = 0n;
  for (const [count, rate] of parts) {
    if (!isCount(count)) return null;
    if (count === 0) continue;
    if (rate === null) return null;
    sum += BigInt(count) * rate;
  }
  return sum;
}

function ratesOf(amounts: Amounts): Rates {
  return {
    input: rateOf(amounts.input),
    output: rateOf(amounts.output),
    cacheRead: rateOf(amounts.cacheRead),
    cacheWrite: rateOf(amounts.cacheWrite),
    cacheWriteLong: rateOf(amounts.cacheWriteLong),
    audioInput: rateOf(amounts.audioInput),
    audioOutput: rateOf(amounts.audioOutput),
    imageInput: rateOf(amounts.imageInput),
    imageOutput: rateOf(amounts.imageOutput),
  };
}
