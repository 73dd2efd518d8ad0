import type { Usage } from "../calls/index.js";
import type { Model } from "./model.js";

const shared = ["inputTokens", "cacheReadTokens", "cacheWriteTokens", "cacheWriteLongTokens"] as const;

/**
 * What a call costs that several models had a part in: what each other model did at that model's own prices, the rest at those of the model asked. Nano-US-dollars; null when any part of it is not known.
 * What the vendor itself says that the whole cost is taken first.
 */
export function sharedCost(asked: Model, usage: Usage, find: (code: string) => Model | null): number | null {
  if (usage.reportedCostNanoUsd !== undefined) return asked.costNanoUsd(usage);
  const others = (usage.byModel ?? []).map((part) => ({ ...part, by: find(part.model) })).filter(({ by }) => by !== asked);
  let cost = asked.costNanoUsd(
    restOf(
      usage,
      others.map((part) => part.usage),
    ),
  );
  for (const { by, usage: part } of others) {
    const theirs = by === null ? null : by.costNanoUsd({ ...part, serviceTier: usage.serviceTier });
    cost = cost === null || theirs === null ? null : cost + theirs;
  }
  return cost;
}

/** What is left of a whole without its parts. Which part reasoned is not told: that is priced as output. */
function restOf(whole: Usage, parts: readonly Usage[]): Usage {
  const rest: { -readonly [K in keyof Usage]: Usage[K] } = { ...whole, reasoningTokens: undefined, byModel: undefined };
  for (const key of shared) rest[key] = without(whole[key], parts, (part) => part[key]);
  const produced = whole.outputTokens === undefined ? undefined : whole.outputTokens + (whole.reasoningTokens ?? 0);
  rest.outputTokens = without(produced, parts, (part) => part.outputTokens);
  return rest;
}

function without(whole: number | undefined, parts: readonly Usage[], of: (part: Usage) => number | undefined): number | undefined {
  return whole === undefined
    ? undefined
    : Math.max(
        0,
        parts.reduce((left, part) => left - (of(part) ?? 0), whole),
      );
}
