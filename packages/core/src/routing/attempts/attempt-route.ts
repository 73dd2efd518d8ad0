import type { RouteRules } from "../../entities/index.js";
import type { GatewayError } from "../../errors/index.js";
import type { Health } from "../health/health.js";
import type { Visit } from "../health/target-health.js";
import type { Target } from "../resolve.js";
import { bounded, withTotal } from "./bounded.js";
import { exhausted } from "./exhausted.js";
import { failureClass } from "./failure-class.js";
import { hedged, isShort, type Second } from "./hedged.js";
import { pause } from "../../policy/resilience/pause.js";
import { pauseMs } from "./pause-ms.js";
import { Failed, MAX_ATTEMPTS, restMs, tryTarget, type Once, type TryOptions } from "./try-target.js";
import { Waiting } from "./waiting.js";

/** What the attempts of a route go by. */
export interface RouteContext {
  readonly rules: RouteRules;
  /** null: the next larger target takes what does not fit. */
  readonly contextOverflow: Target | null;
  readonly health: Health;
  readonly random: () => number;
  /** What the call needs and the target is known not to have; null: nothing. */
  readonly lacks: (target: Target) => string | null;
}

interface Trip<A> extends TryOptions {
  readonly route: RouteContext;
  readonly once: Once<A>;
  readonly waiting: Waiting;
}

/** The longest repetitions of a route with one target, which nothing else can stand in for. */
const RETRIES_ALONE = 2;
/** A vendor's wish to be left alone after it failed is heeded for this long at the most. */
const LONGEST_REST_MS = 60_000;

/**
 * The attempts of one call of a route. Targets that rest are passed over; at one target a failure is repeated as often as rules and the provider's budget allow; then the next target stands in,
 * if the route falls back on this kind of failure.
 * Errors: that of the last attempt; `upstream_unavailable` when every target rests after failures; `unsupported_feature` when every target lacks what the call needs.
 */
export async function attemptRoute<A>(
  o: TryOptions & { readonly targets: readonly Target[] },
  route: RouteContext,
  once: Once<A>,
): Promise<A> {
  const { targets, clock } = o;
  const waiting = new Waiting(targets, route, clock);
  const call = withTotal(o.call, route.rules.timeouts);
  const trip: Trip<A> = { ...o, call, route, waiting, once: bounded(once, route.rules.timeouts, clock) };
  let failure: GatewayError | null = null;
  for (let target = waiting.next(true); target !== null; target = waiting.next(failure === null)) {
    const result: A | Failed | null = await visit(trip, target, failure !== null);
    if (result === null) continue;
    if (!(result instanceof Failed)) return result;
    // What cannot be said to one target may be said to another; but a failure of a target that was asked tells more.
    if (result.failure.code === "unsupported_feature") {
      failure ??= result.failure;
      continue;
    }
    failure = result.failure;
    const kind = failureClass(failure);
    if (result.isFinal || kind === null || !route.rules.fallbackOn.includes(kind)) break;
    if (kind === "context-overflow") waiting.onlyLarger(target);
  }
  throw exhausted(failure ?? waiting.nobody(), call.meter.attempts);
}

/** One target, repetitions included. null: its breaker lets nobody through. */
async function visit<A>(trip: Trip<A>, target: Target, isStandIn: boolean): Promise<A | Failed | null> {
  const { clock, call, route } = trip;
  const health = route.health.target(target.id);
  const budget = route.health.budget(target.provider.name);
  let open: Visit | null = isStandIn ? await health.enterAsStandIn(() => clock.now(), call.signal) : health.enter(clock.now());
  if (open === null) return null;
  if (call.signal.aborted) {
    open.over(); // the caller went while it waited
    return null;
  }
  budget.offered();
  for (let retry = 0; ; retry++) {
    const startedAtMs = clock.now();
    const { result, target: answered } = await once(trip, target);
    if (!(result instanceof Failed)) {
      if (answered === target) keepOpen(trip, open, startedAtMs);
      else open.over();
      return result;
    }
    judge(trip, { target, visit: open, startedAtMs }, result);
    const waitMs = retry < maxRetries(trip) ? repetition(trip, result, retry) : null;
    if (waitMs === null || health.breaker.state(clock.now()) !== "closed" || !budget.take()) return result;
    await pause(waitMs, clock, call.signal);
    open = call.signal.aborted ? null : health.enter(clock.now());
    if (open === null) return result;
  }
}

async function once<A>(trip: Trip<A>, target: Target): Promise<{ readonly result: A | Failed; readonly target: Target }> {
  const { hedge } = trip.route.rules;
  if (hedge === undefined || !isShort(trip.call.head)) return { result: await tryTarget(trip, target, trip.once), target };
  return hedged({ ...trip, hedge: { afterMs: hedge.afterMs, second: () => secondFor(trip, target) } }, target, trip.once);
}

/** The second of a hedge: the next target that does not rest, else the same once more; paid for from the budget of repetitions. */
function secondFor<A>(trip: Trip<A>, first: Target): Second | null {
  const { route, clock, call, waiting } = trip;
  if (call.meter.attempts >= MAX_ATTEMPTS) return null;
  const target = waiting.peek() ?? first;
  if (!route.health.budget(target.provider.name).take()) return null;
  const open = route.health.target(target.id).enter(clock.now());
  if (open === null) return null;
  waiting.remove(target);
  const startedAtMs = clock.now();
  return {
    target,
    ended: (result) =>
      result instanceof Failed ? judge(trip, { target, visit: open, startedAtMs }, result) : keepOpen(trip, open, startedAtMs),
  };
}

/** The answer began: the target works, and its visit lasts as long as the call. A stream that breaks off later is a failure of the target too. */
function keepOpen<A>({ clock, call }: Trip<A>, open: Visit, startedAtMs: number): void {
  open.began(clock.now() - startedAtMs);
  try {
    call.defer((outcome) => (outcome.code?.startsWith("upstream_") === true ? open.failed(clock.now()) : open.over()));
  } catch {
    open.over(); // the second of a hedge, whose call is over already
  }
}

/** What a failure says of its target. */
function judge<A>(
  { clock, route }: Trip<A>,
  o: { readonly target: Target; readonly visit: Visit; readonly startedAtMs: number },
  { failure }: Failed,
): void {
  const nowMs = clock.now();
  const health = route.health.target(o.target.id);
  switch (failureClass(failure)) {
    case "unavailable":
    case "timeout":
    case "protocol":
      if (failure.retryAfterMs !== undefined) health.coolDown(nowMs + Math.min(failure.retryAfterMs, LONGEST_REST_MS));
      return o.visit.failed(nowMs);
    case "rate-limit":
    case "credential":
      // A limit of ours says nothing of the target, and has room again for a smaller call sooner.
      if (failure.code !== "rate_limited") health.coolDown(nowMs + restMs(failure));
      return o.visit.over();
    case "context-overflow":
    case "content-filter":
      o.visit.began(null);
      return o.visit.over();
    case null:
      if (failure.code === "upstream_rejected") o.visit.began(null);
      return o.visit.over();
  }
}

/** How long to wait before the same target is asked again; null: it is not. */
function repetition<A>({ route, clock, call }: Trip<A>, { failure, isFinal }: Failed, retry: number): number | null {
  if (isFinal || !failure.retryable || failure.details?.["retryable"] === false) return null;
  const waitMs = pauseMs(retry, failure, { retries: route.rules.retries, random: route.random });
  return waitMs === null || clock.now() + waitMs >= call.deadlineMs ? null : waitMs;
}

function maxRetries<A>({ route, waiting }: Trip<A>): number {
  return route.rules.retries.max ?? (waiting.isAlone ? RETRIES_ALONE : 0);
}
