import type { ModelHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { Meter } from "../../policy/meter.js";
import type { Clock } from "../../ports/index.js";
import type { Target } from "../resolve.js";
import { abortableLeg, type AbortableLeg } from "./bounded.js";
import { Failed, tryTarget, type Once, type TryOptions } from "./try-target.js";

/** A longer answer takes its time, and costs twice. */
const SHORT_TOKENS = 1_024;

/** Whether a call may be sent twice: it is not streamed, and its caller limited the answer. */
export function isShort(head: ModelHead): boolean {
  return !head.stream && head.maxOutputTokens !== undefined && head.maxOutputTokens <= SHORT_TOKENS;
}

export interface Hedge {
  readonly afterMs: number;
  /** The target of the second attempt and what hears how it ended; null: there is none to be had. Asked once, when the time is over. */
  second(): Second | null;
}
export interface Second {
  readonly target: Target;
  ended(result: "answered" | Failed): void;
}
/** How it ended, and at which target: an answer, or the failure that counts. */
export interface Hedged<A> {
  readonly result: A | Failed;
  readonly target: Target;
}

/**
 * Tries a target, and a second one when the first has not answered in time: the first answer counts, the other attempt is aborted. Both are attempts of the call, and what
 * either is known to have used is the call's. When both fail, the failure of the first counts, unless the second's is final.
 */
export async function hedged<A>(
  o: TryOptions & { readonly clock: Clock; readonly hedge: Hedge },
  target: Target,
  once: Once<A>,
): Promise<Hedged<A>> {
  const { call } = o;
  const lost = new GatewayError("cancelled", "Another attempt at the same call answered first.");
  const start = (at: Target): Runner<A> => {
    const leg = abortableLeg(call, meterOfLeg(call.meter));
    const runner: Runner<A> = { leg, failed: false, work: tryTarget({ ...o, call: leg.call }, at, once).then(ended) };
    function ended(result: A | Failed): Hedged<A> {
      runner.failed = result instanceof Failed;
      return { result, target: at };
    }
    return runner;
  };
  const first = start(target);
  const early = await firstOrTime(first.work, o);
  if (early !== null) return alone(call.meter, first, early);
  const choice = o.hedge.second();
  if (choice === null) return alone(call.meter, first, await first.work);
  const second = start(choice.target);
  void second.work.then(({ result }) => choice.ended(result instanceof Failed ? result : "answered"));
  const winner = await Promise.race([decisive(first.work, second.work), decisive(second.work, first.work)]);
  const [won, other] = winner.from === first.work ? [first, second] : [second, first];
  other.leg.abort(lost);
  if (!other.failed) other.leg.call.meter.failed(lost.code, { status: null, nowMs: o.clock.now() });
  call.meter.join(won.leg.call.meter, other.leg.call.meter);
  return winner.hedged;
}

interface Runner<A> {
  readonly leg: AbortableLeg;
  readonly work: Promise<Hedged<A>>;
  /** It ended without an answer. */
  failed: boolean;
}

/** An attempt that answered or failed finally ends the race at once; one that failed otherwise waits for the other. */
async function decisive<A>(work: Promise<Hedged<A>>, other: Promise<Hedged<A>>): Promise<{ hedged: Hedged<A>; from: Promise<Hedged<A>> }> {
  const hedgedResult = await work;
  if (hedgedResult.result instanceof Failed && !hedgedResult.result.isFinal) {
    const theirs = await other;
    if (!(theirs.result instanceof Failed) || theirs.result.isFinal) return { hedged: theirs, from: other };
  }
  return { hedged: hedgedResult, from: work };
}

function firstOrTime<T>(work: Promise<T>, { clock, hedge }: { readonly clock: Clock; readonly hedge: Hedge }): Promise<T | null> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now() + hedge.afterMs, () => resolve(null));
    void work.then((result) => {
      cancel();
      resolve(result);
    });
  });
}

function alone<A>(meter: Meter, { leg }: Runner<A>, result: Hedged<A>): Hedged<A> {
  meter.join(leg.call.meter, null);
  return result;
}

/** A meter of its own for all but the number of attempts, which is the call's. */
function meterOfLeg(whole: Meter): Meter {
  const own = new Meter();
  Object.defineProperty(own, "attempts", { get: () => whole.attempts, set: (attempts: number) => (whole.attempts = attempts) });
  return own;
}
