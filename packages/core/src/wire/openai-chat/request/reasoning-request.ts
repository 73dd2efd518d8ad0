import type { ReasoningOptions } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import type { Quirks } from "../../shared/codec.js";
import type { Fields } from "../../shared/fields.js";

/** The fields as they came, when there were others than `reasoning_effort`: to a vendor of which nothing is known they go back so. */
interface OwnReasoning {
  readonly reasoning?: unknown;
  readonly thinking?: unknown;
  readonly reasoning_effort?: unknown;
}

/**
 * How much to think, as requests of this protocol say it: OpenAI's `reasoning_effort`, OpenRouter's `reasoning {effort, max_tokens, exclude, enabled}`, or the
 * `thinking {type, budget_tokens}` of DeepSeek and others, alone or beside the effort.
 */
export function decodeReasoning(fields: Fields): { readonly neutral: ReasoningOptions | undefined; readonly own: OwnReasoning } {
  const effort = fields.optionalString("reasoning_effort");
  const reasoning = fields.raw("reasoning") ?? undefined;
  const thinking = fields.raw("thinking") ?? undefined;
  if (reasoning === undefined && thinking === undefined) return { neutral: effort === undefined ? undefined : { effort }, own: {} };
  const own = { reasoning, thinking, reasoning_effort: effort };
  if (isObject(reasoning)) return { neutral: fromObject(fields.fields("reasoning"), effort), own };
  if (isObject(thinking)) return { neutral: fromThinking(fields.fields("thinking"), effort), own };
  return { neutral: effort === undefined ? undefined : { effort }, own };
}

function fromObject(of: Fields, beside: string | undefined): ReasoningOptions {
  const exclude = of.optionalBoolean("exclude");
  return given({
    effort: of.optionalString("effort") ?? (of.optionalBoolean("enabled") === false ? "none" : beside),
    budgetTokens: of.optionalInteger("max_tokens"),
    visible: exclude === undefined ? undefined : !exclude,
  });
}

function fromThinking(of: Fields, effort: string | undefined): ReasoningOptions {
  if (of.optionalString("type") === "disabled") return { effort: "none" };
  return given({ effort, budgetTokens: of.optionalInteger("budget_tokens") });
}

function given(options: ReasoningOptions): ReasoningOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReasoningOptions;
}

/** The same in the vendor's field. */
export function encodeReasoningRequest(
  asked: ReasoningOptions | undefined,
  own: OwnReasoning,
  quirks: Quirks,
): Readonly<Record<string, unknown>> {
  const { reasoning, thinking, reasoning_effort } = own;
  if (quirks.reasoningRequest === undefined && (reasoning !== undefined || thinking !== undefined))
    return { reasoning, thinking, reasoning_effort };
  if (asked === undefined) return {};
  const { effort, budgetTokens, visible } = asked;
  switch (quirks.reasoningRequest) {
    case "reasoning": {
      const {
        effort: _effort,
        max_tokens: _tokens,
        enabled: _enabled,
        exclude: _exclude,
        ...others
      } = isObject(reasoning) ? reasoning : {};
      const enabled = effort === undefined && budgetTokens === undefined ? { enabled: true } : {};
      // Either, not both: the vendor takes the tokens as the more exact.
      const amount = budgetTokens === undefined ? { effort } : { max_tokens: budgetTokens };
      return { reasoning: { ...others, ...enabled, ...amount, ...(visible === undefined ? {} : { exclude: !visible }) } };
    }
    case "thinking": {
      const { type: _type, budget_tokens: _budget, ...others } = isObject(thinking) ? thinking : {};
      if (effort === "none" || budgetTokens === 0) return { thinking: { ...others, type: "disabled" } };
      const budget = budgetTokens === undefined ? {} : { budget_tokens: budgetTokens };
      return { thinking: { ...others, type: "enabled", ...budget }, reasoning_effort: effort };
    }
    default:
      return { reasoning_effort: effort };
  }
}
