import type { CallHead, Outcome } from "../../calls/index.js";
import type { Clock, CountersNow, Demand, Slot, Spending } from "../../ports/index.js";
import type { OpenCall } from "../step.js";
import type { Counted, GuardedCounters } from "./guarded-counters.js";
import { limitHeaders, tightest } from "./limit-headers.js";
import type { SubjectLimits } from "./limit-rules.js";
import { rateLimited, RETRY_SLOT_MS } from "./refusal.js";
import { estimatedTokens, usedTokens } from "./used-tokens.js";

/** What a call asks of its limits: requests first, then tokens. */
interface Ask {
  readonly demands: readonly Demand[];
  /** Where the demands of tokens begin. */
  readonly tokensFrom: number;
  /** Whose each demand is. */
  readonly owners: readonly SubjectLimits[];
  readonly slots: readonly { readonly limits: SubjectLimits; readonly key: string; readonly slot: Slot }[];
}

export interface AdmitOptions {
  /** Slots are taken as well. */
  readonly holds: boolean;
  /** The caller hears of these limits, in its answer's headers. */
  readonly tells: boolean;
  /** What the call used of these limits; the whole call's when left out. */
  readonly used?: ((outcome: Outcome) => number | null) | undefined;
}

export interface LimiterOptions {
  readonly counters: GuardedCounters;
  readonly clock: Clock;
}

/** A slot outlives its call's deadline by this much: a process that died frees it then. */
const SLOT_GRACE_MS = 5_000;
const nothing = (): void => undefined;

/**
 * Counts a call against limits, all of them or none, and takes it back or corrects it when the call is over. Without a promise when the counters never wait.
 * Errors: `rate_limited`, `overloaded`.
 */
export class Limiter {
  readonly #counters: GuardedCounters;
  readonly #clock: Clock;

  constructor({ counters, clock }: LimiterOptions) {
    this.#counters = counters;
    this.#clock = clock;
  }

  admit(call: OpenCall, limits: readonly SubjectLimits[], o: AdmitOptions): void | Promise<void> {
    const ask = askOf(call, limits, o);
    const { now } = this.#counters;
    return now === undefined ? this.#admitLater(call, ask, o) : this.#admitNow(call, ask, { ...o, now });
  }

  #admitNow(call: OpenCall, ask: Ask, o: AdmitOptions & { readonly now: CountersNow }): void {
    const { now } = o;
    const release = (count: number): void => {
      for (let i = 0; i < count; i++) now.release(ask.slots[i]!.key, ask.slots[i]!.slot.holder);
    };
    for (const [i, { limits, key, slot }] of ask.slots.entries()) {
      if (now.hold(key, slot)) continue;
      release(i);
      throw noSlot(limits, slot);
    }
    const spending = now.spend(ask.demands);
    if (!spending.ok) {
      release(ask.slots.length);
      throw this.#refused(call, ask, { spending, tells: o.tells });
    }
    if (o.tells) this.#tell(call, ask, spending);
    if (ask.slots.length === 0 && ask.tokensFrom === ask.demands.length) return;
    leaveWith(call, (outcome) => {
      release(ask.slots.length);
      for (const { key, delta } of corrections(call, ask, { outcome, used: o.used })) now.adjust({ key, delta, at: spending.at });
    });
  }

  async #admitLater(call: OpenCall, ask: Ask, o: AdmitOptions): Promise<void> {
    const release = (count: number): Promise<unknown> =>
      Promise.all(ask.slots.slice(0, count).map(({ key, slot }) => this.#counters.release(key, slot.holder)));
    let held = 0;
    let counted: Counted;
    try {
      for (const { limits, key, slot } of ask.slots) {
        if (!(await this.#counters.hold(key, slot))) throw noSlot(limits, slot);
        held++;
      }
      counted = await this.#counters.spend(ask.demands);
      if (!counted.ok) throw this.#refused(call, ask, { spending: counted, tells: o.tells });
    } catch (error) {
      await release(held);
      throw error;
    }
    if (o.tells) this.#tell(call, ask, counted);
    if (ask.slots.length === 0 && ask.tokensFrom === ask.demands.length) return;
    leaveWith(call, async (outcome) => {
      const corrected = corrections(call, ask, { outcome, used: o.used }).map((one) => this.#counters.adjust(one, counted));
      await Promise.all([release(ask.slots.length), ...corrected]);
    });
  }

  #refused(call: OpenCall, ask: Ask, o: { readonly spending: Spending; readonly tells: boolean }): Error {
    if (o.tells) this.#tell(call, ask, o.spending);
    const i = Math.max(
      0,
      ask.demands.findIndex(({ key }) => key === o.spending.refusedBy),
    );
    const nowMs = this.#clock.now();
    return rateLimited({
      limits: ask.owners[i]!,
      measure: i < ask.tokensFrom ? "requests" : "tokens",
      limit: ask.demands[i]!.limit,
      retryAfterMs: (o.spending.retryAtMs ?? nowMs + ask.demands[i]!.windowMs) - nowMs,
    });
  }

  #tell(call: OpenCall, ask: Ask, spending: Spending): void {
    if (call.face === null || ask.demands.length === 0) return;
    const nowMs = this.#clock.now();
    call.tell(limitHeaders(tightest(ask.demands, ask.tokensFrom, { spending, nowMs }), call.face, nowMs));
  }
}

function askOf(call: OpenCall, limits: readonly SubjectLimits[], o: AdmitOptions): Ask {
  const demands: Demand[] = [];
  const owners: SubjectLimits[] = [];
  for (const one of limits) {
    if (one.requests === null) continue;
    demands.push(one.requests);
    owners.push(one);
  }
  const tokensFrom = demands.length;
  const estimate = limits.some(({ tokens }) => tokens !== null) ? estimatedTokens(call.head) : 0;
  if (estimate > 0)
    for (const one of limits) {
      if (one.tokens === null) continue;
      const { key, limit, windowMs } = one.tokens;
      // What is larger than the limit by its estimate has to wait for an empty window, not for ever.
      demands.push({ key, cost: Math.min(estimate, limit), limit, windowMs });
      owners.push(one);
    }
  const slots: { limits: SubjectLimits; key: string; slot: Slot }[] = [];
  if (o.holds)
    for (const one of limits) {
      if (one.concurrency === null) continue;
      const { key, max } = one.concurrency;
      slots.push({ limits: one, key, slot: { holder: call.id, max, untilMs: call.deadlineMs + SLOT_GRACE_MS } });
    }
  return { demands, tokensFrom, owners, slots };
}

function noSlot(limits: SubjectLimits, { max }: Slot): Error {
  return rateLimited({ limits, measure: "concurrency", limit: max, retryAfterMs: RETRY_SLOT_MS });
}

/** What the demands of tokens were wrong by. */
function corrections(
  call: OpenCall,
  ask: Ask,
  o: { readonly outcome: Outcome; readonly used: AdmitOptions["used"] },
): { readonly key: string; readonly delta: number }[] {
  if (ask.tokensFrom === ask.demands.length) return [];
  const used = o.used === undefined ? usedTokens(call.meter, o.outcome) : o.used(o.outcome);
  if (used === null) return [];
  return ask.demands.slice(ask.tokensFrom).flatMap(({ key, cost }) => (used === cost ? [] : [{ key, delta: used - cost }]));
}

/** A call that is over already (the second of a hedge) gives back at once. */
function leaveWith(call: OpenCall<CallHead>, leave: (outcome: Outcome) => void | Promise<void>): void {
  try {
    call.defer(leave);
  } catch {
    void Promise.resolve(leave({ kind: "aborted", status: 499, started: false })).catch(nothing);
  }
}
