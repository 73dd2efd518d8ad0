import { tokenCounts, type CallHead, type Outcome } from "../../calls/index.js";
import type { Meter } from "../meter.js";

const BYTES_A_TOKEN = 4;
/** What an answer is taken to have when the caller does not limit it. */
const ANSWER_TOKENS = 1_024;

/** How many tokens a call may come to, before anybody counted. Tools have none, and counting tokens uses none. */
export function estimatedTokens(head: CallHead): number {
  if (head.kind !== "model" || head.operation === "count-tokens") return 0;
  const input = Math.ceil(head.bytes / BYTES_A_TOKEN);
  return head.operation === "generate" ? input + (head.maxOutputTokens ?? ANSWER_TOKENS) : input;
}

/** How many tokens a call that is over came to; null: nobody knows, so that the estimate stands. */
export function usedTokens(meter: Pick<Meter, "usage" | "attempts">, outcome: Outcome): number | null {
  const sum = tokensIn(meter.usage);
  if (sum !== null) return sum;
  const cameToNothing = meter.attempts === 0 || (outcome.kind === "failed" && !outcome.started);
  return cameToNothing ? 0 : null;
}

/** null: nothing was counted. */
export function tokensIn(usage: { readonly [K in (typeof tokenCounts)[number]]?: unknown }): number | null {
  let sum: number | null = null;
  for (const name of tokenCounts) {
    const count = usage[name];
    if (typeof count === "number") sum = (sum ?? 0) + count;
  }
  return sum;
}
