import type { Step, AttemptStep } from "./step.js";
import { auditAndMeter, type LedgerOptions } from "./audit-and-meter.js";
import { authorise } from "./authorise.js";

export type ChainOptions = LedgerOptions;

/** What every model call and every tool call passes, in this order. */
export function callSteps(o: ChainOptions): readonly Step[] {
  return [auditAndMeter(o), authorise];
}

/** What every attempt of a model call passes before its provider is dialed, in this order. */
export function attemptSteps(_o: ChainOptions): readonly AttemptStep[] {
  return [];
}
