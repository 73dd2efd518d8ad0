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
}

/** Chat's `usage` as ours; see `usageOf`. */
export function decodeUsage(value: unknown): Usage {
  if (!isObject(value)) return {};
  const prompt = value["prompt_tokens_details"];
  const completion = value["completion_tokens_details"];
  return usageOf({
    prompt: number(value["prompt_tokens"]),
    completion: number(value["completion_tokens"]),
    total: number(value["total_tokens"]),
    cacheHit: number(value["prompt_cache_hit_tokens"]),
    cached: isObject(prompt) ? number(prompt["cached_tokens"]) : undefined,
    written: isObject(prompt) ? number(prompt["cache_write_tokens"]) : undefined,
    reasoning: isObject(completion) ? number(completion["reasoning_tokens"]) : undefined,
  });
}

/**
 * Chat's counts as ours. `prompt_tokens` includes what was read from and written to the cache. `completion_tokens` includes reasoning by the protocol; some
 * vendors leave it out, which their own `total_tokens` shows, and some leave it unnamed, which the total shows too. Counts that are no counts (negative, broken)
 * are unknown; a part larger than its whole is cut to it.
 */
export function usageOf(counts: ChatCounts): Usage {
  const usage: Mutable<Usage> = {};
  const prompt = count(counts.prompt);
  const read = atMost(count(counts.cached) ?? count(counts.cacheHit), prompt);
  const written = atMost(count(counts.written), prompt === undefined ? undefined : prompt - (read ?? 0));
  if (prompt !== undefined) usage.inputTokens = prompt - (read ?? 0) - (written ?? 0);
  if (read !== undefined) usage.cacheReadTokens = read;
  if (written !== undefined) usage.cacheWriteTokens = written;
  const completion = count(counts.completion);
  const total = count(counts.total);
  const beside = total === undefined || prompt === undefined || completion === undefined ? 0 : total - prompt - completion;
  addOutput(usage, { completion, reasoning: count(counts.reasoning), beside });
  return usage;
}

/** `beside` is what the total has over prompt and completion. */
function addOutput(
  usage: Mutable<Usage>,
  { completion, reasoning, beside }: { completion: number | undefined; reasoning: number | undefined; beside: number },
): void {
  if (completion === undefined) {
    if (reasoning !== undefined) usage.reasoningTokens = reasoning;
    return;
  }
  if (reasoning === undefined) {
    usage.outputTokens = completion;
    if (beside > 0) usage.reasoningTokens = beside;
    return;
  }
  const inside = reasoning > 0 && beside === reasoning ? 0 : Math.min(reasoning, completion);
  usage.outputTokens = completion - inside;
  usage.reasoningTokens = inside === 0 && beside === reasoning ? reasoning : inside;
}

/**
 * Our counts as Chat's inclusive ones, over `own`, which a vendor of this protocol said beside them (sound, predictions, cost). Null while the input or the
 * output is unknown: the protocol has no way to leave a count out.
 */
export function encodeUsage(usage: Usage, own: unknown): Record<string, unknown> | null {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage;
  if (inputTokens === undefined || outputTokens === undefined) return null;
  const given = isObject(own) ? own : {};
  const prompt = inputTokens + (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0);
  const completion = outputTokens + (reasoningTokens ?? 0);
  const out: Record<string, unknown> = {
    ...given,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
  addDetail(out, "prompt_tokens_details", { cached_tokens: cacheReadTokens, cache_write_tokens: cacheWriteTokens });
  addDetail(out, "completion_tokens_details", { reasoning_tokens: reasoningTokens });
  return out;
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
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
function count(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
function atMost(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined ? part : Math.min(part, whole);
}
