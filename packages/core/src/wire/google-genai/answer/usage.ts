import type { Usage } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { camelKeys } from "../proto-json.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * `usageMetadata` as ours. Its prompt holds what was read from the cache; what tools that Google runs have brought in is beside it, and input too; thoughts are beside
 * the candidates. Sound is counted apart, as it has prices of its own, and so are pictures that were made; pictures that were read cost what text costs. Zeros are not
 * sent, so that candidates that are not there are what the total has over the rest. Counts that are no counts are unknown; a part larger than its whole is cut to it.
 * Source: https://ai.google.dev/api/generate-content#UsageMetadata.
 */
export function decodeUsage(value: unknown): Usage {
  const given = camelKeys(value);
  if (!isObject(given)) return {};
  const usage: Mutable<Usage> = {};
  const prompt = count(given["promptTokenCount"]);
  const tools = count(given["toolUsePromptTokenCount"]);
  const thoughts = count(given["thoughtsTokenCount"]);
  const input = prompt === undefined ? undefined : prompt + (tools ?? 0);
  if (input !== undefined) addInput(usage, input, given);
  const rest = difference(count(given["totalTokenCount"]), input, thoughts);
  const output = count(given["candidatesTokenCount"]) ?? rest;
  if (output !== undefined) addOutput(usage, output, given["candidatesTokensDetails"]);
  if (thoughts !== undefined) usage.reasoningTokens = thoughts;
  const tier = given["serviceTier"] ?? given["trafficType"];
  if (typeof tier === "string" && !tier.endsWith("_UNSPECIFIED")) usage.serviceTier = tier.toLowerCase();
  return usage;
}

/** Searches that Google made for the candidates of a body, which it charges by the query. */
export function searchesIn(body: Readonly<Record<string, unknown>>): number {
  const candidates = Array.isArray(body["candidates"]) ? (body["candidates"] as unknown[]) : [];
  let searches = 0;
  for (const candidate of candidates) {
    const given = camelKeys(candidate);
    const grounding = isObject(given) ? camelKeys(given["groundingMetadata"]) : undefined;
    const queries = isObject(grounding) ? grounding["webSearchQueries"] : undefined;
    if (Array.isArray(queries)) searches += queries.length;
  }
  return searches;
}
export function withSearches(usage: Usage, searches: number): Usage {
  return searches === 0 ? usage : { ...usage, searches };
}

/** Whether anything was counted: the first chunks of some streams only name their tier. */
export function hasCounts(value: unknown): boolean {
  const { serviceTier: _tier, ...counts } = decodeUsage(value);
  return Object.keys(counts).length > 0;
}

function addInput(usage: Mutable<Usage>, input: number, given: Readonly<Record<string, unknown>>): void {
  const cached = atMost(count(given["cachedContentTokenCount"]), input);
  const uncached = input - (cached ?? 0);
  const heard = modality([given["promptTokensDetails"], given["toolUsePromptTokensDetails"]], "AUDIO");
  const audio =
    heard === undefined ? undefined : atMost(Math.max(0, heard - (modality([given["cacheTokensDetails"]], "AUDIO") ?? 0)), uncached);
  usage.inputTokens = uncached - (audio ?? 0);
  if (cached !== undefined) usage.cacheReadTokens = cached;
  if (audio !== undefined) usage.audioInputTokens = audio;
}

function addOutput(usage: Mutable<Usage>, output: number, details: unknown): void {
  const audio = atMost(modality([details], "AUDIO"), output);
  const image = atMost(modality([details], "IMAGE"), output - (audio ?? 0));
  usage.outputTokens = output - (audio ?? 0) - (image ?? 0);
  if (audio !== undefined) usage.audioOutputTokens = audio;
  if (image !== undefined) usage.imageOutputTokens = image;
}

/** Tokens of one kind in lists of `{modality, tokenCount}`. */
function modality(lists: readonly unknown[], kind: string): number | undefined {
  let sum: number | undefined;
  for (const entry of lists.flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))) {
    const given = camelKeys(entry);
    if (!isObject(given) || given["modality"] !== kind) continue;
    const tokens = count(given["tokenCount"]);
    if (tokens !== undefined) sum = (sum ?? 0) + tokens;
  }
  return sum;
}

function difference(total: number | undefined, input: number | undefined, thoughts: number | undefined): number | undefined {
  if (total === undefined || input === undefined) return undefined;
  const rest = total - input - (thoughts ?? 0);
  return rest < 0 ? undefined : rest;
}

/** Our counts as Google's, over `own`, which Google said beside them (kinds of tokens, traffic). Null when nothing was counted. */
export function encodeUsage(usage: Usage, own: unknown): Readonly<Record<string, unknown>> | null {
  const given = camelKeys(own);
  const out: Record<string, unknown> = isObject(given) ? { ...given } : {};
  const { inputTokens, cacheReadTokens, outputTokens, reasoningTokens, serviceTier } = usage;
  const written = (usage.cacheWriteTokens ?? 0) + (usage.cacheWriteLongTokens ?? 0);
  const heard = usage.audioInputTokens;
  const seen = usage.imageInputTokens;
  const tools = count(out["toolUsePromptTokenCount"]) ?? 0;
  const input = inputTokens === undefined ? undefined : inputTokens + (cacheReadTokens ?? 0) + written + (heard ?? 0) + (seen ?? 0);
  const made = (usage.audioOutputTokens ?? 0) + (usage.imageOutputTokens ?? 0);
  const output = outputTokens === undefined ? undefined : outputTokens + made;
  if (input !== undefined) out["promptTokenCount"] = Math.max(0, input - tools);
  if (cacheReadTokens !== undefined) out["cachedContentTokenCount"] = cacheReadTokens;
  // Google leaves zeros out, and so do we where it did.
  if (output !== undefined && (output > 0 || !isObject(given) || given["candidatesTokenCount"] !== undefined))
    out["candidatesTokenCount"] = output;
  if (reasoningTokens !== undefined) out["thoughtsTokenCount"] = reasoningTokens;
  if (input !== undefined && output !== undefined) out["totalTokenCount"] = input + output + (reasoningTokens ?? 0);
  addDetails(out, "promptTokensDetails", [
    ["TEXT", input === undefined ? undefined : input - (heard ?? 0) - (seen ?? 0)],
    ["AUDIO", heard],
    ["IMAGE", seen],
  ]);
  addDetails(out, "candidatesTokensDetails", [
    ["TEXT", outputTokens],
    ["AUDIO", usage.audioOutputTokens],
    ["IMAGE", usage.imageOutputTokens],
  ]);
  if (serviceTier !== undefined && out["serviceTier"] === undefined && out["trafficType"] === undefined) {
    const isTraffic = /^(?:on_demand|provisioned)/.test(serviceTier);
    out[isTraffic ? "trafficType" : "serviceTier"] = isTraffic ? serviceTier.toUpperCase() : serviceTier;
  }
  return Object.keys(out).length === 0 ? null : out;
}

/** The kinds of tokens, where there is another kind than text; as Google said them, where it did. */
function addDetails(
  out: Record<string, unknown>,
  name: string,
  kinds: readonly (readonly [kind: string, tokens: number | undefined])[],
): void {
  if (out[name] !== undefined || kinds.slice(1).every(([, tokens]) => tokens === undefined)) return;
  out[name] = kinds.flatMap(([kind, tokens]) => (tokens === undefined ? [] : [{ modality: kind, tokenCount: tokens }]));
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
function atMost(part: number | undefined, whole: number): number | undefined {
  return part === undefined ? undefined : Math.min(part, whole);
}
