import { GatewayError } from "../errors/index.js";

/** Amounts are kept as integers of 10^-12 dollars. */
const DECIMALS = 12;
/** How many of these make a nano-dollar, of an amount for a million and of an amount for one. */
export const UNITS_PER_NANO_OF_MILLION = 1_000_000_000n;
export const UNITS_PER_NANO_OF_ONE = 1_000n;

/** A decimal amount as a whole number of 10^-12; null when there is none. Errors: `validation_failed` for what is not a decimal amount. */
export function rateOf(amount: string | number | undefined): bigint | null {
  if (amount === undefined) return null;
  const text = typeof amount === "number" && String(amount).includes("e") ? amount.toFixed(DECIMALS) : String(amount);
  const match = /^(\d+)(?:\.(\d{1,12}))?$/.exec(text);
  // A number too small for twelve places must not become zero.
  if (match === null || (typeof amount === "number" && Number(text) !== amount))
    throw new GatewayError("validation_failed", `"${text.slice(0, 40)}" is not a price.`, {
      hint: "Write dollars as a decimal with at most 12 places, such as 0.25.",
    });
  return BigInt(match[1]! + (match[2] ?? "").padEnd(DECIMALS, "0"));
}

/** A sum times a decimal factor, rounded down to the sum's own unit, which is far below a nano-dollar. */
export function timesDecimal(sum: bigint, factor: string | number): bigint {
  return (sum * rateOf(factor)!) / 10n ** BigInt(DECIMALS);
}

/** The product of two decimal amounts, as decimal text. */
export function decimalProduct(amount: string | number, factor: string | number): string {
  const digits = String(timesDecimal(rateOf(amount)!, factor)).padStart(DECIMALS + 1, "0");
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`.replace(/\.?0+$/, "");
}
