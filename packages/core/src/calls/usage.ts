/**
 * What one call consumed. Counts are disjoint (cache reads are not part of `inputTokens`, reasoning is not part of `outputTokens`), so that
 * they can be priced and added without knowing the vendor. `undefined` means that nobody said; it is never read as zero.
 */
export interface Usage {
  /** Tokens read at full price: without cache reads and cache writes. */
  readonly inputTokens?: number | undefined;
  readonly cacheReadTokens?: number | undefined;
  /** Written to the vendor's cache for its shortest time. */
  readonly cacheWriteTokens?: number | undefined;
  /** Written to be kept longer (an hour and more), where that has another price. */
  readonly cacheWriteLongTokens?: number | undefined;
  /** Visible output: without reasoning. */
  readonly outputTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  /** Sound and pictures counted in tokens, where the vendor counts them apart; then they are not part of the counts above. */
  readonly audioInputTokens?: number | undefined;
  readonly audioOutputTokens?: number | undefined;
  readonly imageInputTokens?: number | undefined;
  readonly imageOutputTokens?: number | undefined;
  /** What is sold by other units: pictures made, seconds of sound or film, characters spoken. */
  readonly images?: number | undefined;
  readonly seconds?: number | undefined;
  readonly characters?: number | undefined;
  /** Uses of tools that the vendor runs and charges by the call. */
  readonly searches?: number | undefined;
  /** The tier that served the call, in the vendor's word: it may not be the one asked for. */
  readonly serviceTier?: string | undefined;
  /** What the vendor itself says that the call cost, nano-US-dollars. */
  readonly reportedCostNanoUsd?: number | undefined;
  /**
   * What of the counts above models did that the vendor names, when it was not one alone: one that took over from the model asked, an advisor. By the vendor's ids; the model asked may be among them.
   */
  readonly byModel?: readonly { readonly model: string; readonly usage: Usage }[] | undefined;
  /** Answered by the response cache: nothing was used. */
  readonly cached?: boolean | undefined;
  /** What the answer had cost when it was made, nano-US-dollars. */
  readonly savedNanoUsd?: number | undefined;
  /** True when a count is our estimate because the vendor sent none. */
  readonly estimated?: boolean | undefined;
}

/** The counts of tokens. */
export const tokenCounts = [
  "inputTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
  "cacheWriteLongTokens",
  "outputTokens",
  "reasoningTokens",
  "audioInputTokens",
  "audioOutputTokens",
  "imageInputTokens",
  "imageOutputTokens",
] as const satisfies readonly (keyof Usage)[];

const counts = [...tokenCounts, "images", "seconds", "characters", "searches", "reportedCostNanoUsd"] as const;

/** Adds two usages field by field; unknown plus a number is that number, unknown plus unknown stays unknown. */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum: { -readonly [K in keyof Usage]: Usage[K] } = {};
  for (const key of counts) {
    const left = a[key];
    const right = b[key];
    if (left !== undefined || right !== undefined) sum[key] = (left ?? 0) + (right ?? 0);
  }
  const tier = b.serviceTier ?? a.serviceTier;
  if (tier !== undefined) sum.serviceTier = tier;
  if (a.byModel !== undefined || b.byModel !== undefined) sum.byModel = [...(a.byModel ?? []), ...(b.byModel ?? [])];
  if (a.estimated === true || b.estimated === true) sum.estimated = true;
  return sum;
}
