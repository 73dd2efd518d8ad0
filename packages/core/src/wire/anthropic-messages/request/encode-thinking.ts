import type { ModelCall } from "../../../calls/index.js";
import { messagesExtras } from "../extras.js";
import { isForced } from "./encode-tools.js";
import type { Encoding } from "./encoding.js";

/** The vendor wants a limit of output. Where nobody said one it is this, which every model of 2025 and later can write. */
export const defaultMaxTokens = 32_000;
/** What a budget for thinking is at least, and what is left for the answer where only a budget was said. */
const minBudget = 1024;
const besideBudget = 8192;

export interface EncodedThinking {
  readonly thinking: unknown;
  readonly effort: string | undefined;
  readonly maxTokens: number;
}

/**
 * `thinking`, `output_config.effort` and `max_tokens`, which depend on each other: a budget is at least 1024 and below the limit of output, which holds where the
 * caller said it. Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
export function encodeThinking(call: ModelCall, encoding: Encoding): EncodedThinking {
  const { effort: asked, budgetTokens, visible } = call.reasoning ?? {};
  const maxTokens = call.maxOutputTokens ?? defaultMaxTokens;
  const effort = encodeEffort(asked, encoding);
  const own = messagesExtras(call);
  if ("thinking" in own) return { thinking: own["thinking"] ?? undefined, effort, maxTokens };
  if (call.reasoning === undefined) return { thinking: undefined, effort, maxTokens };
  if (asked === "none" || budgetTokens === 0) return { thinking: { type: "disabled" }, effort, maxTokens };
  const display = visible === undefined ? {} : { display: visible ? "summarized" : "omitted" };
  if (budgetTokens === undefined) return { thinking: { type: "adaptive", ...display }, effort, maxTokens };
  const budget = fitBudget(call, budgetTokens, encoding);
  if (budget === null) return { thinking: undefined, effort, maxTokens };
  return {
    thinking: { type: "enabled", budget_tokens: budget, ...display },
    effort,
    maxTokens: budget < maxTokens ? maxTokens : budget + besideBudget,
  };
}

/** Its weakest word is `low`; a word of its own goes as it is. */
function encodeEffort(effort: string | undefined, { warn }: Encoding): string | undefined {
  if (effort !== "minimal") return effort === "none" ? undefined : effort;
  warn({ field: "reasoning.effort", what: '"minimal" was sent as "low"' });
  return "low";
}

function fitBudget(call: ModelCall, asked: number, { warn }: Encoding): number | null {
  const field = "reasoning.budgetTokens";
  if (isForced(call.toolChoice)) {
    warn({ field, what: "was left out: the vendor does not think by a budget when a tool has to be called" });
    return null;
  }
  const most = call.maxOutputTokens === undefined ? Number.MAX_SAFE_INTEGER : call.maxOutputTokens - 1;
  if (most < minBudget) {
    warn({ field, what: `was left out: it is ${minBudget} at least, and below maxOutputTokens` });
    return null;
  }
  const budget = Math.min(Math.max(asked, minBudget), most);
  if (budget !== asked) warn({ field, what: `${asked} was sent as ${budget}` });
  return budget;
}
