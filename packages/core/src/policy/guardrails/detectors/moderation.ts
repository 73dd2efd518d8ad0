import type { GuardrailSettings } from "../../../entities/index.js";
import type { Clock } from "../../../ports/index.js";
import type { ModelCaller } from "../../../seams/index.js";
import type { Judge, Judgement } from "../judge.js";
import { ANY_LENGTH } from "./words.js";

/** Why the gateway calls a model here: such a call passes no guardrail. */
export const GUARDRAIL_PURPOSE = "guardrail";
const MOST_INPUTS = 32;

/** A model that classifies texts, called as the caller of the call that it judges, one deeper. */
export function moderationJudge(
  settings: GuardrailSettings<"moderation">,
  o: { readonly models: () => ModelCaller; readonly clock: Clock },
): Judge {
  const { model, onError } = settings;
  return {
    onError,
    maxChars: ANY_LENGTH,
    async judge(texts, { call }) {
      const judgements: Judgement[] = [];
      const deadlineMs = Math.min(call.deadlineMs, o.clock.now() + settings.timeoutMs);
      for (let at = 0; at < texts.length; at += MOST_INPUTS) {
        const inputs = texts.slice(at, at + MOST_INPUTS).map(({ text }) => text);
        const { caller, requestId, signal, runId } = call;
        const { answer } = await o
          .models()
          .operate(
            "moderate",
            { model, inputs },
            { caller, requestId, signal, deadlineMs, depth: call.depth + 1, purpose: GUARDRAIL_PURPOSE, runId: runId ?? undefined },
          );
        // One answer for each text, or for all of them together: then none of them passes.
        if (answer.results.length === 0) throw new Error("The classifier gave no result.");
        const perText = answer.results.length === inputs.length;
        for (const [i, result] of answer.results.entries()) {
          const worst = worstOf(result, settings);
          if (worst === null) continue;
          const indices = perText ? [at + i] : inputs.map((_input, j) => at + j);
          for (const index of indices) judgements.push({ index, type: "malicious", pattern: worst.category, confidence: worst.score });
        }
      }
      return judgements;
    },
  };
}

interface Result {
  readonly flagged: boolean;
  readonly categories: Readonly<Record<string, boolean>>;
  readonly scores: Readonly<Record<string, number>>;
}

function worstOf(
  result: Result,
  { categories, threshold }: GuardrailSettings<"moderation">,
): { readonly category: string; readonly score: number } | null {
  const names = categories ?? [...new Set([...Object.keys(result.categories), ...Object.keys(result.scores)])];
  let worst: { readonly category: string; readonly score: number } | null = null;
  for (const category of names) {
    const score = result.scores[category] ?? (result.categories[category] === true ? 1 : 0);
    const counts = threshold === undefined ? result.categories[category] === true : score >= threshold;
    if (counts && (worst === null || score > worst.score)) worst = { category, score };
  }
  if (worst === null && result.flagged && categories === undefined && threshold === undefined) return { category: "flagged", score: 1 };
  return worst;
}
