import type { ModelHead } from "../../calls/index.js";
import type { RouteRules } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import type { Attempt } from "../lanes/attempt.js";
import type { Once } from "./try-target.js";

type Timeouts = RouteRules["timeouts"];

/** The call, ending no later than the route lets it. */
export function withTotal(call: LiveCall<ModelHead>, { totalMs }: Timeouts): LiveCall<ModelHead> {
  return totalMs === undefined ? call : call.leg({ deadlineMs: Math.min(call.deadlineMs, call.startedAtMs + totalMs) });
}

/**
 * Attempts within the route's timeouts: one that has not begun to answer in its time is aborted and fails with `upstream_timeout`. `once` itself when the route sets none. "Begun" is a first
 * token of a stream, and the whole of any other answer.
 */
export function bounded<A>(once: Once<A>, timeouts: Timeouts, clock: Clock): Once<A> {
  const { attemptMs, firstTokenMs, idleMs } = timeouts;
  if (attemptMs === undefined && firstTokenMs === undefined && idleMs === undefined) return once;
  return async (attempt) => {
    const beginMs = least(attemptMs, attempt.call.head.stream ? firstTokenMs : undefined);
    const within: Attempt = { ...attempt, timeouts: { firstByteMs: beginMs, idleMs } };
    if (beginMs === undefined) return once(within);
    const leg = abortableLeg(attempt.call);
    const cancel = clock.at(clock.now() + beginMs, () => leg.abort(late(attempt, beginMs)));
    try {
      return await once({ ...within, call: leg.call });
    } catch (error) {
      throw leg.reason ?? error;
    } finally {
      cancel();
    }
  };
}

/** A leg of the call that can be aborted alone; it is aborted with the call too. */
export interface AbortableLeg {
  readonly call: LiveCall<ModelHead>;
  /** What it was aborted with. */
  readonly reason: GatewayError | null;
  abort(reason: GatewayError): void;
}

export function abortableLeg(call: LiveCall<ModelHead>, meter = call.meter): AbortableLeg {
  const controller = new AbortController();
  let aborted: GatewayError | null = null;
  const onAbort = (): void => controller.abort(call.signal.reason);
  if (call.signal.aborted) onAbort();
  else call.signal.addEventListener("abort", onAbort, { once: true });
  // A stream goes on after its attempt: only with the call does the connection between the two end.
  call.defer(() => call.signal.removeEventListener("abort", onAbort));
  return {
    call: call.leg({ signal: controller.signal, meter }),
    get reason() {
      return aborted;
    },
    abort(reason) {
      aborted ??= reason;
      controller.abort(reason);
    },
  };
}

function late({ target }: Attempt, ms: number): GatewayError {
  return new GatewayError("upstream_timeout", `${target.provider.name} did not begin to answer within ${ms} ms.`, {
    hint: "Raise the route's timeouts.attemptMs or timeouts.firstTokenMs, or name more targets.",
    details: { provider: target.provider.name, model: target.code },
  });
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
