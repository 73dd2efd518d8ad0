import type { MediaBytes, Usage } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";
import { dataUrl } from "../../../wire/shared/data-url.js";
import { unsupported } from "../../../wire/shared/fields.js";

/** Sizes that are a ratio are asked for as one; xAI chooses the pixels itself. */
export function aspectOf(size: string | undefined): string | undefined {
  if (size === undefined || size === "auto") return undefined;
  const [width, height] = size.split("x").map(Number);
  if (width === undefined || height === undefined || !(width > 0) || !(height > 0)) throw unsupported("size", "must be WIDTHxHEIGHT");
  const divisor = greatestCommonDivisor(width, height);
  return `${width / divisor}:${height / divisor}`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export function asUrl({ mediaType, bytes }: MediaBytes): { readonly type: "image_url"; readonly url: string } {
  return { type: "image_url", url: dataUrl(mediaType, encodeBase64(bytes)) };
}

/** One tick is 10^-10 dollars, as the vendor's own SDK has it. */
export function usageOf(usage: unknown): Usage {
  const ticks = isObject(usage) ? usage["cost_in_usd_ticks"] : undefined;
  return typeof ticks === "number" && Number.isSafeInteger(ticks) && ticks >= 0 ? { reportedCostNanoUsd: Math.round(ticks / 10) } : {};
}
