import type { TokenLogprob } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";

const encoder = new TextEncoder();

/** `logprobsResult` as ours; the numbers of Google's vocabulary have no neutral meaning and are left out. */
export function decodeLogprobs(value: unknown): readonly TokenLogprob[] {
  if (!isObject(value) || !Array.isArray(value["chosenCandidates"])) return [];
  const tops = Array.isArray(value["topCandidates"]) ? (value["topCandidates"] as unknown[]) : [];
  return value["chosenCandidates"].flatMap((chosen: unknown, i): TokenLogprob[] => {
    const top = tops[i];
    const beside = isObject(top) && Array.isArray(top["candidates"]) ? (top["candidates"] as unknown[]).flatMap(decodeToken) : undefined;
    return decodeToken(chosen).map((token) => (beside === undefined ? token : { ...token, top: beside }));
  });
}

function decodeToken(value: unknown): TokenLogprob[] {
  if (!isObject(value) || typeof value["logProbability"] !== "number") return [];
  const token = typeof value["token"] === "string" ? value["token"] : "";
  return [{ token, logprob: value["logProbability"], bytes: [...encoder.encode(token)] }];
}

/** Ours as `logprobsResult`; undefined when there are none. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]): Readonly<Record<string, unknown>> | undefined {
  if (logprobs.length === 0) return undefined;
  const hasTop = logprobs.some((token) => token.top !== undefined);
  return {
    chosenCandidates: logprobs.map(encodeToken),
    ...(hasTop ? { topCandidates: logprobs.map(({ top }) => ({ candidates: (top ?? []).map(encodeToken) })) } : {}),
  };
}

function encodeToken({ token, logprob }: TokenLogprob): Readonly<Record<string, unknown>> {
  return { token, logProbability: logprob };
}
