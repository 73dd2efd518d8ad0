import type { Usage } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The numbers of Chat's `usage` that count, as they stand there; whatever is no number is undefined. */
export interface ChatCounts {
  prompt?: number | undefined;
  completion?: number | undefined;
  total?: number | undefined;
  cached?: number | undefined;
  /** The same by the name that one dialect gives it. */
  cacheHit?: number | undefined;
  written?: number | undefined;
  reasoning?: number | undefined;
  soundIn?: number | undefined;
  soundOut?: number | undefined;
  pictureIn?: number | undefined;
  pictureOut?: number | undefined;
  /** US dollars, as OpenRouter says what a call cost. */
  dollars?: number | undefined;
  /** The same in units of 10⁻¹⁰ dollars, as xAI says it. */
  ticks?: number | undefined;
}

/** Chat's `usage`, and the tier that stands beside it in the answer, as ours; see `usageOf`. */
export function decodeUsage(value: unknown, tier: unknown): Usage {
  const served = typeof tier === "string" && tier !== "" ? tier : undefined;
  if (!isObject(value)) return served === undefined ? {} : { serviceTier: served };
  const prompt = isObject(value["prompt_tokens_details"]) ? value["prompt_tokens_details"] : {};
  const completion = isObject(value["completion_tokens_details"]) ? value["completion_tokens_details"] : {};
  const usage = usageOf({
    prompt: number(value["prompt_tokens"]),
    completion: number(value["completion_tokens"]),
    total: number(value["total_tokens"]),
    cacheHit: number(value["prompt_cache_hit_tokens"]),
    cached: number(prompt["cached_tokens"]),
    written: number(prompt["cache_write_tokens"]),
    soundIn: number(prompt["audio_tokens"]),
    pictureIn: number(prompt["image_tokens"]),
    reasoning: number(completion["reasoning_tokens"]),
    soundOut: number(completion["audio_tokens"]),
    pictureOut: number(completion["image_tokens"]),
    dollars: number(value["cost"]),
    ticks: number(value["cost_in_usd_ticks"]),
  });
  if (served !== undefined) usage.serviceTier = served;
  return usage;
}

/**
 * Chat's counts as ours. `prompt_tokens` includes what was read from and written to the cache, and sound and pictures. `completion_tokens` includes reasoning by the
 * protocol; some vendors leave it out, which their own `total_tokens` shows, and some leave it unnamed, which the total shows too. Counts that are no counts
 * (negative, broken) are unknown; a part larger than its whole is cut to it.
 */
export function usageOf(counts: ChatCounts): Mutable<Usage> {
  const usage: Mutable<Usage> = {};
  const prompt = new Whole(count(counts.prompt));
  const read = prompt.take(count(counts.cached) ?? count(counts.cacheHit));
  if (read !== undefined) usage.cacheReadTokens = read;
  const written = prompt.take(count(counts.written));
  if (written !== undefined) usage.cacheWriteTokens = written;
  const soundIn = prompt.take(count(counts.soundIn));
  if (soundIn !== undefined) usage.audioInputTokens = soundIn;
  const pictureIn = prompt.take(count(counts.pictureIn));
  if (pictureIn !== undefined) usage.imageInputTokens = pictureIn;
  if (prompt.left !== undefined) usage.inputTokens = prompt.left;
  const total = count(counts.total);
  const completion = count(counts.completion);
  const all = count(counts.prompt);
  const beside = total === undefined || all === undefined || completion === undefined ? 0 : total - all - completion;
  addOutput(usage, counts, beside);
  const cost = costOf(counts);
  if (cost !== undefined) usage.reportedCostNanoUsd = cost;
  return usage;
}

/** `beside` is what the total has over prompt and completion. */
function addOutput(usage: Mutable<Usage>, counts: ChatCounts, beside: number): void {
  const completion = new Whole(count(counts.completion));
  const reasoning = count(counts.reasoning);
  const isBeside = completion.left !== undefined && reasoning !== undefined && reasoning > 0 && beside === reasoning;
  const thought = isBeside ? reasoning : completion.take(reasoning);
  const named = thought ?? (completion.left !== undefined && beside > 0 ? beside : undefined);
  if (named !== undefined) usage.reasoningTokens = named;
  const soundOut = completion.take(count(counts.soundOut));
  if (soundOut !== undefined) usage.audioOutputTokens = soundOut;
  const pictureOut = completion.take(count(counts.pictureOut));
  if (pictureOut !== undefined) usage.imageOutputTokens = pictureOut;
  if (completion.left !== undefined) usage.outputTokens = completion.left;
}

/** A count whose parts are taken out of it, none of them more than is left. */
class Whole {
  left: number | undefined;
  constructor(whole: number | undefined) {
    this.left = whole;
  }
  take(part: number | undefined): number | undefined {
    if (part === undefined || this.left === undefined) return part;
    const taken = Math.min(part, this.left);
    this.left -= taken;
    return taken;
  }
}

function costOf({ dollars, ticks }: ChatCounts): number | undefined {
  const nano = dollars !== undefined ? dollars * 1e9 : ticks === undefined ? undefined : ticks / 10;
  return nano === undefined ? undefined : count(Math.round(nano));
}

/**
 * Our counts as Chat's inclusive ones, over `own`, which a vendor of this protocol said beside them (predictions, seconds). Null while the input or the output is
 * unknown: the protocol has no way to leave a count out.
 */
export function encodeUsage(usage: Usage, own: unknown): Record<string, unknown> | null {
  if (usage.inputTokens === undefined || usage.outputTokens === undefined) return null;
  const given = isObject(own) ? own : {};
  const written = sum(usage.cacheWriteTokens, usage.cacheWriteLongTokens);
  const media = { in: [usage.audioInputTokens, usage.imageInputTokens], out: [usage.audioOutputTokens, usage.imageOutputTokens] };
  const prompt = sum(usage.inputTokens, usage.cacheReadTokens, written, ...media.in);
  const completion = sum(usage.outputTokens, usage.reasoningTokens, ...media.out);
  const out: Record<string, unknown> = {
    ...given,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: (prompt ?? 0) + (completion ?? 0),
  };
  addDetail(out, "prompt_tokens_details", {
    cached_tokens: usage.cacheReadTokens,
    cache_write_tokens: written,
    audio_tokens: usage.audioInputTokens,
    image_tokens: usage.imageInputTokens,
  });
  addDetail(out, "completion_tokens_details", {
    reasoning_tokens: usage.reasoningTokens,
    audio_tokens: usage.audioOutputTokens,
    image_tokens: usage.imageOutputTokens,
  });
  // Of another vendor's say; in the form that clients of this protocol know.
  if (usage.reportedCostNanoUsd !== undefined && !("cost" in given) && !("cost_in_usd_ticks" in given))
    out["cost"] = usage.reportedCostNanoUsd / 1e9;
  return out;
}

/** The tiers of the protocol's own vendor. */
const tiers = new Set(["auto", "default", "flex", "scale", "priority"]);

/** The tier that served a call in the protocol's words; undefined when it has none for it. */
export function tierWord(tier: string | undefined): string | undefined {
  if (tier === "standard") return "default";
  return tier !== undefined && tiers.has(tier) ? tier : undefined;
}

/** Puts the counts that are known into a part of the usage, over what stands there. */
function addDetail(out: Record<string, unknown>, name: string, counts: Readonly<Record<string, number | undefined>>): void {
  const given = out[name];
  const detail: Record<string, unknown> = isObject(given) ? { ...given } : {};
  let any = isObject(given);
  for (const [key, value] of Object.entries(counts)) {
    if (value === undefined) continue;
    detail[key] = value;
    any = true;
  }
  if (any) out[name] = detail;
  // Some vendors say null for what the protocol leaves out.
  else delete out[name];
}

/** Unknown when nothing of it is known. */
function sum(...parts: (number | undefined)[]): number | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, part) => total + part, 0);
}
function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
function count(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
