import { GatewayError } from "../../errors/index.js";

const NANO_PLACES = 9;

/** Nano-dollars as decimal dollars, exactly: no exponent, no trailing zeros. */
export function decimalUsd(nano: number | bigint): string {
  const negative = nano < 0;
  const digits = String(negative ? -nano : nano).padStart(NANO_PLACES + 1, "0");
  const fraction = digits.slice(-NANO_PLACES).replace(/0+$/, "");
  return `${negative ? "-" : ""}${digits.slice(0, -NANO_PLACES)}${fraction === "" ? "" : `.${fraction}`}`;
}

/**
 * Decimal dollars, as text or as a number, as whole nano-dollars, exactly. A number counts by its shortest decimal text, which is what its writer wrote.
 * Errors: `validation_failed` for what is no decimal amount of at most 9 places, or leaves the safe integers.
 */
export function nanoUsd(amount: string | number): number {
  const text = typeof amount === "number" && String(amount).includes("e") ? amount.toFixed(NANO_PLACES) : String(amount);
  const match = /^(\d{1,16})(?:\.(\d{1,9}))?$/.exec(text);
  const nano = match === null ? null : BigInt(match[1]! + (match[2] ?? "").padEnd(NANO_PLACES, "0"));
  if (nano === null || nano > BigInt(Number.MAX_SAFE_INTEGER) || (typeof amount === "number" && Number(text) !== amount))
    throw new GatewayError("validation_failed", `"${text.slice(0, 40)}" is not an amount of dollars.`, {
      hint: "Write dollars as a decimal with at most 9 places, such as 12.50.",
    });
  return Number(nano);
}
