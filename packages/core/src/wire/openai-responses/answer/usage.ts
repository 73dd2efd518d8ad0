import type { Usage } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { usageOf } from "../../openai-chat/answer/usage.js";
import { textOf, type Json } from "../extras.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Where a response says what it consumed. */
export interface UsageFields {
  readonly usage?: unknown;
  readonly service_tier?: unknown;
  readonly tool_usage?: unknown;
}

/** One US dollar of xAI's `cost_in_usd_ticks` has 10^10 of them. */
const ticksPerNanoUsd = 10;

/**
 * A response's usage as ours. `input_tokens` includes what was read from and written to the cache, `output_tokens` includes reasoning. `service_tier` is the one that
 * served the call. What vendors of this protocol add (their cost, their tools' uses) is read where it is unmistakable.
 */
export function decodeUsage({ usage: given, service_tier: tier, tool_usage: tools }: UsageFields): Usage {
  const usage: Mutable<Usage> = isObject(given) ? decodeCounts(given) : {};
  const searches = count(at(tools, "web_search", "num_requests")) ?? searchesOf(given);
  if (searches !== undefined) usage.searches = searches;
  const served = textOf(tier);
  if (served !== undefined) usage.serviceTier = served;
  return usage;
}

function decodeCounts(given: Json): Mutable<Usage> {
  const usage: Mutable<Usage> = usageOf({
    prompt: number(given["input_tokens"]),
    completion: number(given["output_tokens"]),
    total: number(given["total_tokens"]),
    cached: number(at(given, "input_tokens_details", "cached_tokens")),
    written: number(at(given, "input_tokens_details", "cache_write_tokens")),
    reasoning: number(at(given, "output_tokens_details", "reasoning_tokens")),
  });
  const long = count(at(given, "input_tokens_details", "cache_write_tokens_details", "ttl_12h_tokens"));
  if (long !== undefined && usage.cacheWriteTokens !== undefined) {
    usage.cacheWriteLongTokens = Math.min(long, usage.cacheWriteTokens);
    usage.cacheWriteTokens -= usage.cacheWriteLongTokens;
  }
  const cost = costOf(given);
  if (cost !== undefined) usage.reportedCostNanoUsd = cost;
  return usage;
}

function costOf(given: Json): number | undefined {
  const { cost, cost_in_usd_ticks: ticks } = given;
  const nano = typeof ticks === "number" ? ticks / ticksPerNanoUsd : typeof cost === "number" ? cost * 1e9 : undefined;
  return count(nano === undefined ? undefined : Math.round(nano));
}

function searchesOf(usage: unknown): number | undefined {
  const [web, x] = ["web_search_calls", "x_search_calls"].map((name) => count(at(usage, "server_side_tool_usage_details", name)));
  return web === undefined && x === undefined ? undefined : (web ?? 0) + (x ?? 0);
}

/**
 * Our counts as a response's inclusive ones, over `own`, which a vendor of this protocol said. Null while the input or the output is unknown. The protocol demands
 * its details: a count that nobody said is 0 there, because there is no way to leave it out, unless the vendor left it out itself.
 */
export function encodeUsage(usage: Usage, own: unknown): Json | null {
  const { inputTokens, outputTokens, cacheReadTokens, reasoningTokens } = usage;
  if (inputTokens === undefined || outputTokens === undefined) return null;
  const written = sumOf(usage.cacheWriteTokens, usage.cacheWriteLongTokens);
  // Sound and pictures have no count of their own here, and are part of the whole.
  const input = inputTokens + (cacheReadTokens ?? 0) + (written ?? 0) + (usage.audioInputTokens ?? 0) + (usage.imageInputTokens ?? 0);
  const output = outputTokens + (reasoningTokens ?? 0) + (usage.audioOutputTokens ?? 0) + (usage.imageOutputTokens ?? 0);
  const given = isObject(own) ? own : undefined;
  const unsaid = given === undefined ? 0 : undefined;
  const { cacheWriteLongTokens: long, cacheWriteTokens: short = 0 } = usage;
  return {
    ...given,
    input_tokens: input,
    input_tokens_details: details(given?.["input_tokens_details"], {
      cached_tokens: cacheReadTokens ?? unsaid,
      cache_write_tokens: written ?? unsaid,
      cache_write_tokens_details: long === undefined ? undefined : { ttl_30m_tokens: short, ttl_12h_tokens: long },
    }),
    output_tokens: output,
    output_tokens_details: details(given?.["output_tokens_details"], { reasoning_tokens: reasoningTokens ?? unsaid }),
    total_tokens: input + output,
  };
}

function details(given: unknown, known: Json): Json {
  return { ...(isObject(given) ? given : {}), ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) };
}

function sumOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, key) => (isObject(found) ? found[key] : undefined), value);
}
function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
