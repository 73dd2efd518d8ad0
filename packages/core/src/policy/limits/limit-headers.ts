import type { Face, Headers } from "../../calls/index.js";
import type { Demand, Spending } from "../../ports/index.js";

/** What is said to a caller of one limit. */
export interface LimitState {
  readonly limit: number;
  readonly left: number;
  readonly windowMs: number;
  /** When there is more again, ms from now. */
  readonly resetMs: number;
}
export interface LimitStates {
  readonly requests: LimitState | null;
  readonly tokens: LimitState | null;
}
/** Of each measure the limit of which the least is left. `tokensFrom`: the demands from there on are of tokens. */
export function tightest(
  demands: readonly Demand[],
  tokensFrom: number,
  o: { readonly spending: Spending; readonly nowMs: number },
): LimitStates {
  const states: { requests: LimitState | null; tokens: LimitState | null } = { requests: null, tokens: null };
  for (let i = 0; i < demands.length; i++) {
    const measure = i < tokensFrom ? "requests" : "tokens";
    const left = o.spending.left[i]!;
    const known = states[measure];
    if (known !== null && known.left <= left) continue;
    const { limit, windowMs } = demands[i]!;
    const freeAtMs = o.spending.freeAtMs[i]!;
    states[measure] = { limit, left, windowMs, resetMs: freeAtMs === 0 ? 0 : Math.max(0, freeAtMs - o.nowMs) };
  }
  return states;
}

/**
 * What limits are said in: the fields of `draft-ietf-httpapi-ratelimit-headers` (and those of its drafts before the eighth, which clients still read), and on a vendor's face the
 * vendor's own names. Google has none: its errors carry `RetryInfo`.
 */
export function limitHeaders(states: LimitStates, face: Face, nowMs: number): Headers {
  const headers: [string, string][] = [];
  const policies: string[] = [];
  const limits: string[] = [];
  for (const measure of ["requests", "tokens"] as const) {
    const state = states[measure];
    if (state === null) continue;
    const unit = measure === "requests" ? "" : ';qu="tokens"';
    policies.push(`"${measure}";q=${state.limit}${unit};w=${state.windowMs / 1000}`);
    limits.push(`"${measure}";r=${state.left};t=${seconds(state)}`);
    if (face === "openai-chat" || face === "openai-responses") pushOpenai(headers, measure, state);
    else if (face === "anthropic-messages") pushAnthropic(headers, measure, { ...state, nowMs });
  }
  const first = states.requests ?? states.tokens;
  if (first === null) return headers;
  headers.push(
    ["ratelimit-policy", policies.join(", ")],
    ["ratelimit", limits.join(", ")],
    ["ratelimit-limit", String(first.limit)],
    ["ratelimit-remaining", String(first.left)],
    ["ratelimit-reset", String(seconds(first))],
  );
  return headers;
}

function pushOpenai(headers: [string, string][], measure: string, { limit, left, resetMs }: LimitState): void {
  headers.push(
    [`x-ratelimit-limit-${measure}`, String(limit)],
    [`x-ratelimit-remaining-${measure}`, String(left)],
    [`x-ratelimit-reset-${measure}`, goDuration(resetMs)],
  );
}

function pushAnthropic(
  headers: [string, string][],
  measure: string,
  { limit, left, resetMs, nowMs }: LimitState & { readonly nowMs: number },
): void {
  const at = new Date(Math.ceil((nowMs + resetMs) / 1000) * 1000);
  headers.push(
    [`anthropic-ratelimit-${measure}-limit`, String(limit)],
    [`anthropic-ratelimit-${measure}-remaining`, String(left)],
    [`anthropic-ratelimit-${measure}-reset`, at.toISOString().replace(".000Z", "Z")],
  );
}

function seconds({ resetMs }: LimitState): number {
  return Math.ceil(resetMs / 1000);
}

/** As OpenAI writes waits: `12ms`, `7.66s`, `1m0s`. */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${ms / 1000}s`;
  return `${Math.floor(ms / 60_000)}m${(ms % 60_000) / 1000}s`;
}
