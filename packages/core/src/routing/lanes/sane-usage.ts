import { tokenCounts, type Usage } from "../../calls/index.js";

/** No model reads or writes as much in one call. */
const MOST_TOKENS = 100_000_000;

/**
 * A vendor's usage without what cannot be true. A count that is negative or no whole number is unknown; one above any bound is cut to what the model can do, or unknown when
 * nobody said what that is. What was mended is flagged `estimated`. Zero is zero: a vendor that says it means it.
 */
export function saneUsage(usage: Usage, bounds: { readonly contextTokens: number | null; readonly maxOutputTokens: number | null }): Usage {
  if (isSane(usage)) return usage;
  let mended: { -readonly [K in keyof Usage]: Usage[K] } | null = null;
  for (const key of tokenCounts) {
    const count = usage[key];
    if (count === undefined || canBe(count)) continue;
    mended ??= { ...usage, estimated: true };
    const isHuge = count > MOST_TOKENS;
    const bound =
      key === "outputTokens" || key === "reasoningTokens" ? (bounds.maxOutputTokens ?? bounds.contextTokens) : bounds.contextTokens;
    mended[key] = isHuge ? (bound ?? undefined) : undefined;
  }
  return mended ?? usage;
}

/** The same by name: a loop over names costs nearly every call 2 µs for nothing. */
function isSane(usage: Usage): boolean {
  return (
    canBe(usage.inputTokens) &&
    canBe(usage.cacheReadTokens) &&
    canBe(usage.cacheWriteTokens) &&
    canBe(usage.cacheWriteLongTokens) &&
    canBe(usage.outputTokens) &&
    canBe(usage.reasoningTokens) &&
    canBe(usage.audioInputTokens) &&
    canBe(usage.audioOutputTokens) &&
    canBe(usage.imageInputTokens) &&
    canBe(usage.imageOutputTokens)
  );
}

function canBe(count: number | undefined): boolean {
  return count === undefined || (Number.isSafeInteger(count) && count >= 0 && count <= MOST_TOKENS);
}
