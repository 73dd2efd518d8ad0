import type { Usage } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";

type Json = Record<string, unknown>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Counts of one model within an answer. */
interface Counts {
  input?: number | undefined;
  read?: number | undefined;
  /** All that was written to the cache, and what of it for an hour. */
  written?: number | undefined;
  long?: number | undefined;
  output?: number | undefined;
}
const summed = ["input", "read", "written", "long", "output"] as const;

/**
 * The vendor's `usage` as ours. `input_tokens` are without what was read from and written to the cache; `output_tokens` are with reasoning. With `iterations` (a model
 * that took over, an advisor, a compaction) the sum of all of them counts, since the fields beside it leave some out, and what other models than the one asked did is told apart.
 * Source: https://platform.claude.com/docs/en/api/messages, `usage`
 */
export function decodeUsage(value: unknown): Usage {
  if (!isObject(value)) return {};
  const iterations = Array.isArray(value["iterations"]) ? value["iterations"].filter(isObject) : [];
  const usage = usageOf(totals(countsOf(value), iterations), member(value["output_tokens_details"], "thinking_tokens"));
  const byModel = iterations.length === 0 ? undefined : modelsOf(iterations);
  if (byModel !== undefined) usage.byModel = byModel;
  const searches = member(value["server_tool_use"], "web_search_requests");
  if (searches !== undefined) usage.searches = searches;
  // The fast mode has a price of its own, like a tier.
  const tier = value["speed"] === "fast" ? "fast" : value["service_tier"];
  if (typeof tier === "string") usage.serviceTier = tier;
  return usage;
}

/** What a later event of the stream says takes the place of what an earlier one said: its counts are cumulative. Null says nothing. */
export function mergedUsage(before: Json, later: unknown): Json {
  if (!isObject(later)) return before;
  return { ...before, ...Object.fromEntries(Object.entries(later).filter(([, value]) => value !== null)) };
}

/**
 * Our counts as the vendor's, over `own`, which a vendor of this protocol said beside them. Input and output are 0 while nobody said them: the protocol cannot leave
 * them out, and clients add them up.
 */
export function encodeUsage(usage: Usage, own: unknown): Json {
  const given = isObject(own) ? own : {};
  const { iterations, ...rest } = given;
  const { cacheReadTokens: read, cacheWriteTokens: short, cacheWriteLongTokens: long, reasoningTokens: reasoning } = usage;
  const written = short === undefined && long === undefined ? undefined : (short ?? 0) + (long ?? 0);
  const tier = usage.serviceTier;
  return {
    ...rest,
    // Sound and pictures have no count of their own here, and are part of the whole.
    input_tokens: sum(usage.inputTokens, usage.audioInputTokens, usage.imageInputTokens) ?? count(rest["input_tokens"]) ?? 0,
    cache_creation_input_tokens: written ?? count(rest["cache_creation_input_tokens"]) ?? null,
    cache_read_input_tokens: read ?? count(rest["cache_read_input_tokens"]) ?? null,
    ...(long === undefined
      ? {}
      : { cache_creation: { ...part(rest, "cache_creation"), ephemeral_5m_input_tokens: short ?? 0, ephemeral_1h_input_tokens: long } }),
    output_tokens: sum(usage.outputTokens, reasoning, usage.audioOutputTokens, usage.imageOutputTokens) ?? 0,
    ...(reasoning === undefined ? {} : { output_tokens_details: { ...part(rest, "output_tokens_details"), thinking_tokens: reasoning } }),
    ...(usage.searches === undefined ? {} : { server_tool_use: { ...part(rest, "server_tool_use"), web_search_requests: usage.searches } }),
    ...(tier === undefined ? {} : tier === "fast" ? { speed: tier } : { service_tier: tier }),
    // The counts above are those of all iterations already.
    ...(iterations === undefined ? {} : { iterations }),
  };
}

/** Unknown when nothing of it is known. */
function sum(...parts: (number | undefined)[]): number | undefined {
  const known = parts.filter((given) => given !== undefined);
  return known.length === 0 ? undefined : known.reduce((all, given) => all + given, 0);
}

function part(own: Json, name: string): Json {
  const given = own[name];
  return isObject(given) ? given : {};
}

function usageOf({ input, read, written, long, output }: Counts, thinking: number | undefined): Mutable<Usage> {
  const usage: Mutable<Usage> = {};
  if (input !== undefined) usage.inputTokens = input;
  if (read !== undefined) usage.cacheReadTokens = read;
  if (written !== undefined) usage.cacheWriteTokens = written - Math.min(long ?? 0, written);
  if (long !== undefined) usage.cacheWriteLongTokens = written === undefined ? long : Math.min(long, written);
  const reasoning = thinking === undefined || output === undefined ? thinking : Math.min(thinking, output);
  if (output !== undefined) usage.outputTokens = output - (reasoning ?? 0);
  if (reasoning !== undefined) usage.reasoningTokens = reasoning;
  return usage;
}

/** The entries by the model that they name; what names none is the asked model's. Undefined: there is nothing to tell apart. */
function modelsOf(iterations: readonly Json[]): Usage["byModel"] {
  const byModel = new Map<string, Json[]>();
  for (const entry of iterations) {
    const { model } = entry;
    if (typeof model === "string" && model !== "") byModel.set(model, [...(byModel.get(model) ?? []), entry]);
  }
  const isOne = byModel.size < 2 && iterations.every(({ type }) => type === "message" || type === "compaction");
  if (byModel.size === 0 || isOne) return undefined;
  return [...byModel].map(([model, entries]) => ({ model, usage: usageOf(totals({}, entries), undefined) }));
}

function totals(top: Counts, entries: readonly Json[]): Counts {
  if (entries.length === 0) return top;
  const iterations = entries.map(countsOf);
  const total: Counts = {};
  for (const key of summed) {
    const known = iterations.map((counts) => counts[key]).filter((count) => count !== undefined);
    const sum = known.reduce((all, count) => all + count, 0);
    total[key] = known.length === 0 ? top[key] : Math.max(sum, top[key] ?? 0);
  }
  return total;
}

function countsOf(usage: Json): Counts {
  const creation = usage["cache_creation"];
  const long = member(creation, "ephemeral_1h_input_tokens");
  const short = member(creation, "ephemeral_5m_input_tokens");
  const both = short === undefined && long === undefined ? undefined : (short ?? 0) + (long ?? 0);
  const written = count(usage["cache_creation_input_tokens"]);
  return {
    input: count(usage["input_tokens"]),
    read: count(usage["cache_read_input_tokens"]),
    written: written === undefined || both === undefined ? (written ?? both) : Math.max(written, both),
    long,
    output: count(usage["output_tokens"]),
  };
}

function member(value: unknown, name: string): number | undefined {
  return isObject(value) ? count(value[name]) : undefined;
}
function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
