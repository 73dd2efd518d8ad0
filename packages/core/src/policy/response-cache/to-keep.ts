import type { ModelAnswer } from "../../calls/index.js";
import type { CacheRules } from "../../entities/index.js";
import type { Meter } from "../meter.js";

/** Whole, as the model meant it, and with calls of tools only where that was asked for. */
export function isToKeep({ candidates }: ModelAnswer, rules: CacheRules): boolean {
  if (candidates.length === 0) return false;
  return candidates.every(({ finishReason, content }) => {
    if (content.some(({ type }) => type === "refusal")) return false;
    const callsTools = content.some(({ type }) => type === "tool-call" || type === "native");
    if (callsTools && !rules.toolCalls) return false;
    return finishReason === "stop" || finishReason === "length" || (finishReason === "tool-calls" && rules.toolCalls);
  });
}

/** Nothing but words: what may answer another question that means the same. */
export function isPlainText({ candidates }: ModelAnswer): boolean {
  return candidates.every(({ content }) => content.every(({ type }) => type === "text" || type === "reasoning"));
}

/** A stream whose caller did not ask for usage goes by without it. */
export function withUsage(answer: ModelAnswer, { usage, failures }: Pick<Meter, "usage" | "failures">): ModelAnswer {
  for (const _count in answer.usage) return answer;
  return failures === null ? { ...answer, usage } : answer;
}
