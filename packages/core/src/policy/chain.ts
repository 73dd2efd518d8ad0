import type { ModelEvent, ModelHead } from "../calls/index.js";
import type { Counters } from "../ports/index.js";
import type { Step, AttemptStep } from "./step.js";
import { auditAndMeter, type LedgerOptions } from "./audit-and-meter.js";
import { approvalStep, type Approvals } from "./approvals/index.js";
import { authorise } from "./authorise.js";
import type { Guardrails } from "./guardrails/index.js";
import type { Money } from "./money/money.js";
import type { ArgumentRules } from "./argument-rules/argument-rules.js";
import { rateLimit, targetLimits, type Limiter } from "./limits/index.js";
import type { ResponseCache } from "./response-cache/index.js";

export interface ChainOptions extends LedgerOptions {
  /** Sees every call begin and end; null: nobody looks. */
  readonly watch: Step | null;
  /** Reads answers for those who are told of content; null: nobody is. */
  readonly content: Step<ModelHead, ModelEvent> | null;
  readonly limiter: Limiter;
  readonly approvals: Approvals;
  readonly toolRules: ArgumentRules;
  /** For what permissions allow a day. */
  readonly counters: Counters;
  readonly money: Money;
  readonly guardrails: Guardrails;
  readonly responses: ResponseCache;
}

/** What every model call and every tool call passes, in this order. */
export function callSteps(o: ChainOptions): readonly Step[] {
  return [
    auditAndMeter(o),
    ...(o.watch === null ? [] : [o.watch]),
    authorise(o),
    rateLimit(o.limiter),
    // Before anybody is asked: a person sees, and approves, the arguments that will be sent.
    o.guardrails.entering,
    approvalStep(o),
    o.guardrails.answering,
    ...o.money.openCalls(),
    o.money.toolBudget(),
  ];
}

/** What every model call passes beside, in this order. */
export function modelSteps(o: ChainOptions): readonly Step<ModelHead, ModelEvent>[] {
  return [...callSteps(o), o.responses, ...(o.content === null ? [] : [o.content])];
}

/** What every attempt of a model call passes before its provider is dialed, in this order. */
export function attemptSteps(o: ChainOptions): readonly AttemptStep[] {
  return [targetLimits(o.limiter), o.money.budget()];
}
