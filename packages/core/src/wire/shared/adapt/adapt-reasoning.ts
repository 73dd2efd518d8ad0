import type { ReasoningOptions } from "../../../calls/index.js";
import { invalid, unsupported } from "../fields.js";
import type { Adapting } from "./adapting.js";
import { budgetOfEffort, effortOfBudget, nearestEffort } from "./reasoning-effort.js";

/**
 * How much to think in the terms that the target has: words for tokens or tokens for words (`reasoning-effort`), and of its words the nearest weaker one. Each change
 * is a warning. Errors: `validation_failed` for an empty word, `unsupported_feature` for one that neither we nor the vendor know.
 */
export function adaptReasoning(asked: ReasoningOptions, { target, warn }: Adapting): ReasoningOptions {
  if (asked.effort?.trim() === "") throw invalid("reasoning.effort", "must not be empty");
  // OpenRouter's field takes either.
  const either = target.quirks.reasoningRequest === "reasoning" ? undefined : target.traits.reasoningBy;
  const by = target.quirks.reasoningBy ?? either;
  const terms = by === "effort" ? inWords(asked, warn) : by === "budget" ? inTokens(asked, warn) : asked;
  const { efforts } = target.quirks;
  if (terms.effort === undefined || efforts === undefined) return terms;
  const effort = nearestEffort(terms.effort, efforts);
  if (effort === null) throw unsupported("reasoning.effort", `is "${terms.effort.slice(0, 40)}", which the vendor does not know`);
  if (effort !== terms.effort) warn("reasoning.effort", `"${terms.effort}" was sent as "${effort}"`);
  return { ...terms, effort };
}

function inWords({ budgetTokens, ...others }: ReasoningOptions, warn: Adapting["warn"]): ReasoningOptions {
  if (budgetTokens === undefined) return others;
  if (others.effort !== undefined) {
    warn("reasoning.budgetTokens", `was left out beside the effort "${others.effort}"`);
    return others;
  }
  const effort = effortOfBudget(budgetTokens);
  warn("reasoning.budgetTokens", `${budgetTokens} tokens were sent as the effort "${effort}"`);
  return { ...others, effort };
}

function inTokens({ effort, ...others }: ReasoningOptions, warn: Adapting["warn"]): ReasoningOptions {
  if (effort === undefined) return others;
  if (others.budgetTokens !== undefined) {
    warn("reasoning.effort", `"${effort}" was left out beside the budget of ${others.budgetTokens} tokens`);
    return others;
  }
  const budgetTokens = budgetOfEffort(effort);
  if (budgetTokens === undefined) throw unsupported("reasoning.effort", `is "${effort.slice(0, 40)}", which has no measure in tokens`);
  warn("reasoning.effort", `"${effort}" was sent as a budget of ${budgetTokens} tokens`);
  return { ...others, budgetTokens };
}
