import type { ReasoningOptions } from "../../../calls/index.js";
import { nearestEffort } from "../../shared/adapt/reasoning-effort.js";
import type { Fields } from "../../shared/fields.js";
import { fieldsOf } from "../proto-json.js";
import { said } from "../extras.js";

/** `ThinkingLevel`, weakest first, in our words. */
const levels = ["minimal", "low", "medium", "high"] as const;
/** "AUTOMATIC": as much as the model likes. */
const automatic = -1;

/** `thinkingConfig` of a caller; `own` is what has no neutral meaning. */
export function decodeThinking(config: Fields): {
  readonly neutral?: ReasoningOptions;
  readonly own?: Readonly<Record<string, unknown>> | undefined;
} {
  const thinking = fieldsOf(config, "thinkingConfig");
  if (thinking === undefined) return {};
  const level = thinking.optionalString("thinkingLevel")?.toLowerCase();
  const budget = thinking.optionalInteger("thinkingBudget");
  const visible = thinking.optionalBoolean("includeThoughts");
  const effort = level === undefined || level === "thinking_level_unspecified" ? undefined : level;
  return {
    neutral: {
      ...(effort === undefined ? {} : { effort }),
      ...(budget === undefined || budget === automatic ? {} : { budgetTokens: budget }),
      ...(visible === undefined ? {} : { visible }),
    },
    own: said(thinking.rest()),
  };
}

/** Google takes a level or a budget, not both; no thinking at all is a budget of nothing. */
export function encodeThinking(asked: ReasoningOptions, warn: (field: string, what: string) => void): Record<string, unknown> {
  const { effort, budgetTokens, visible } = asked;
  const shown = visible === undefined ? {} : { includeThoughts: visible };
  if (effort === undefined) return { ...(budgetTokens === undefined ? {} : { thinkingBudget: budgetTokens }), ...shown };
  if (budgetTokens !== undefined) warn("reasoning.budgetTokens", `was left out beside the effort "${effort}": Google takes one of the two`);
  if (effort === "none" || effort === "disabled") return { thinkingBudget: 0, ...shown };
  const level = nearestEffort(effort, levels) ?? effort;
  if (level !== effort) warn("reasoning.effort", `"${effort}" was sent as "${level}"`);
  return { thinkingLevel: level.toUpperCase(), ...shown };
}
