import { GatewayError } from "../../errors/index.js";
import type { SubjectLimits } from "./limit-rules.js";

export type Measure = "requests" | "tokens" | "concurrency";

/** What refused a call. */
export interface Refusal {
  readonly limits: SubjectLimits;
  readonly measure: Measure;
  readonly limit: number;
  /** ms from now. */
  readonly retryAfterMs: number;
}

/** Nobody knows when a call under way will be over. */
export const RETRY_SLOT_MS = 1_000;

/** `rate_limited`, saying which limit was reached, whose it is, and when to come back. */
export function rateLimited({ limits, measure, limit, retryAfterMs }: Refusal): GatewayError {
  const { subject, id } = limits;
  const whose = subject === "global" ? "all callers together" : `the ${subject} "${id.slice(0, 100)}"`;
  const what = measure === "concurrency" ? `${limit} calls at once` : `${limit} ${measure} a minute`;
  const waitMs = Math.max(1, Math.ceil(retryAfterMs));
  return new GatewayError("rate_limited", `The limit of ${whose} was reached: ${what}.`, {
    hint: measure === "concurrency" ? "Wait until one of the calls under way is over." : `Come back in ${Math.ceil(waitMs / 1000)} s.`,
    details: { subject, subject_id: id.slice(0, 240), measure, limit, ...(measure === "concurrency" ? {} : { window_ms: 60_000 }) },
    retryAfterMs: waitMs,
  });
}
