/**
 * What one call consumed. Counts are disjoint (cache reads are not part of `inputTokens`, reasoning is not part of `outputTokens`), so that
 * they can be priced and added without knowing the vendor. `undefined` means that nobody said; it is never read as zero.
 */
export interface Usage {
  /** Tokens read at full price: without cache reads and cache writes. */
  readonly inputTokens?: number | undefined;
  readonly cacheReadTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  /** Visible output: without reasoning. */
  readonly outputTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  /** True when a count is our estimate because the vendor sent none. */
  readonly estimated?: boolean | undefined;
}

const counts = ["inputTokens", "cacheReadTokens", "cacheWriteTokens", "outputTokens", "reasoningTokens"] as const;

/** Adds two usages field by field; unknown plus a number is that number, unknown plus unknown stays unknown. */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum: { -readonly [K in keyof Usage]: Usage[K] } = {};
  for (const key of counts) {
    const left = a[key];
    const right = b[key];
    if (left !== undefined || right !== undefined) sum[key] = (left ?? 0) + (right ?? 0);
  }
  if (a.estimated === true || b.estimated === true) sum.estimated = true;
  return sum;
}
