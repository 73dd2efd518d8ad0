import type { CallHead } from "../../calls/index.js";
import { budget as budgetEntity, budgetWindow, reservation, type BudgetWindowRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { CommitQueue } from "../../ports/commit-queue.js";
import { insert, nowPlus, update, type Clock, type RecordStore, type Unit, type UnitResult, type Write } from "../../ports/index.js";
import type { EventHub } from "../../seams/index.js";
import type { OpenCall } from "../step.js";
import { begunCall } from "./dead/begun-call.js";
import { budgetSet, windowId, type Budget } from "./budget-set.js";
import { Held, type HeldShare } from "./held.js";
import { budgetExceeded, priceUnknown } from "./refusals.js";

export interface ReservationsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly events: EventHub;
  /** This process. */
  readonly nodeId: string;
  /** How long a reservation stands that nobody renews. */
  readonly leaseMs: number;
}

/** Where a call is about to go, and what that may cost. */
export interface Asked {
  readonly provider: string;
  readonly model: string | null;
  /** null: the price is not known. */
  readonly amountNanoUsd: number | null;
  /** What an honest count cannot exceed; null: nobody knows. */
  readonly mostNanoUsd: number | null;
}

/** A window that is made, a newer amount that is taken over, a commit of which nobody knows: each is met once or twice, never for ever. */
const MOST_TRIES = 8;

/**
 * Sets money aside before a call is made: one unit adds to every window that pays for it, while what is left suffices, and inserts the reservation. Units of calls that come at the same time are committed
 * together; each is refused by itself. Of N racers on a hard budget only as many pass as it has room for, also from several processes on one store.
 */
export class Reservations {
  readonly #o: ReservationsOptions;
  readonly #queue: CommitQueue;
  readonly #held = new Map<string, Held>();

  constructor(options: ReservationsOptions) {
    this.#o = options;
    this.#queue = new CommitQueue(options);
  }

  /** What live calls of this process hold, by call. */
  get held(): ReadonlyMap<string, Held> {
    return this.#held;
  }

  /** The budgets that pay for a call there. Nearly free without budgets. */
  budgetsOf(call: OpenCall<CallHead>, provider: string): readonly Budget[] {
    const rows = call.snapshot.records.of(budgetEntity);
    if (rows.length === 0) return NONE;
    const set = budgetSet(rows);
    return set.isEmpty ? NONE : set.of(call.caller, provider);
  }

  /**
   * Sets aside what the call needs to go on there, beside what it already has.
   * Errors: `budget_exceeded` for a hard budget that has too little left, or a price that is not known; `store_unavailable`; `lease_lost` when somebody settled the call already.
   */
  reserve(call: OpenCall<CallHead>, budgets: readonly Budget[], asked: Asked): Promise<void> {
    let held = this.#held.get(call.id);
    if (held === undefined) this.#held.set(call.id, (held = new Held()));
    const mine = held;
    return mine
      .turn(() => this.#reserve(call, mine, { budgets, asked }))
      .catch((error: unknown) => {
        // One that was written all the same is found by whoever settles the dead, beside the call's usage row: it is given back.
        if (!mine.stored) this.#held.delete(call.id);
        throw error;
      });
  }

  /** Takes the call out, once what it began is done; null: it holds nothing. */
  async release(callId: string): Promise<Held | null> {
    const held = this.#held.get(callId);
    if (held === undefined) return null;
    await held.turn(async () => undefined);
    this.#held.delete(callId);
    return held;
  }

  /** Puts off the end of what live calls hold. */
  async renew(): Promise<void> {
    const nowMs = this.#o.clock.now();
    const due = [...this.#held].filter(([, held]) => held.stored && held.renewAtMs <= nowMs);
    await Promise.all(
      due.map(async ([id, held]) => {
        // Who took it for dead a moment ago, or before it was frozen, holds it no longer.
        const change = { set: { expiresAtMs: nowPlus(this.#o.leaseMs) }, add: { attempt: 1 } };
        await this.#queue.commit({ scope: { system: "renewing reservations" }, writes: [update(reservation, id, { change })] });
        held.renewAtMs = nowMs + this.#o.leaseMs / 3;
      }),
    );
  }

  async #reserve(call: OpenCall<CallHead>, held: Held, o: { readonly budgets: readonly Budget[]; readonly asked: Asked }): Promise<void> {
    const { asked, budgets } = o;
    const model = `${asked.provider}/${asked.model ?? ""}`;
    if (asked.amountNanoUsd === null && call.snapshot.config.money.unknownPrice !== "allow")
      for (const budget of budgets) if (budget.row.hard) throw priceUnknown(budget, model);
    const next = { meter: call.meter, provider: asked.provider, amountNanoUsd: asked.amountNanoUsd ?? 0 };
    const shares = this.#shares(held, { ...o, next });
    const amountNanoUsd =
      asked.amountNanoUsd === null || held.amountNanoUsd === null ? null : Math.max(held.amountNanoUsd, held.needs(next, null));
    await this.#commit(call, held, { shares, amountNanoUsd, asked });
    held.shares = shares;
    held.amountNanoUsd = amountNanoUsd;
    held.renewAtMs = Math.min(held.renewAtMs, this.#o.clock.now() + this.#o.leaseMs / 3);
    held.attempts.push({ ...next, mostNanoUsd: asked.mostNanoUsd, failuresBefore: call.meter.failures?.length ?? 0 });
  }

  /** What the call is to have in each window: never less than it has. */
  #shares(held: Held, o: { readonly budgets: readonly Budget[]; readonly next: Parameters<Held["needs"]>[0] }): HeldShare[] {
    const nowMs = this.#o.clock.now();
    const shares = new Map(held.shares.map((share) => [share.budget.row.id, share]));
    for (const budget of o.budgets) {
      const provider = budget.row.scope === "provider" ? budget.row.scopeId : null;
      const needs = held.needs(o.next, provider);
      const known = shares.get(budget.row.id);
      if (known !== undefined) {
        if (needs > known.amountNanoUsd) shares.set(budget.row.id, { ...known, amountNanoUsd: needs });
        continue;
      }
      const period = budget.period(nowMs);
      shares.set(budget.row.id, { budget, period, windowId: windowId(budget, period), amountNanoUsd: needs, provider });
    }
    return [...shares.values()];
  }

  async #commit(
    call: OpenCall<CallHead>,
    held: Held,
    to: { readonly shares: readonly HeldShare[]; readonly amountNanoUsd: number | null; readonly asked: Asked },
  ): Promise<void> {
    const before = new Map(held.shares.map((share) => [share.windowId, share]));
    const grown = to.shares.filter((share) => {
      const known = before.get(share.windowId);
      return known === undefined || share.amountNanoUsd > known.amountNanoUsd;
    });
    if (held.stored && grown.length === 0) return;
    const missing = new Set<string>();
    let unknown = false;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const made = grown.filter(({ windowId: id }) => missing.has(id)).map((share) => newWindow(share));
      const own = this.#ownWrite(call, held, to);
      const adds = grown.map((share) => addition(share, before.get(share.windowId)?.amountNanoUsd ?? 0, to.asked.amountNanoUsd === null));
      const unit: Unit = { scope: { system: "setting money aside" }, writes: [own, ...made, ...adds] };
      const result = await this.#queue.commit(unit).catch((error: unknown) => {
        if (!GatewayError.is(error, "store_unavailable") || error.details?.["outcome"] !== "unknown" || tries > 1) throw error;
        unknown = true;
        return null;
      });
      if (result === null) continue;
      if (result.ok || (result.failed === 0 && unknown && this.#isApplied(held, to, result))) {
        held.stored = true;
        return;
      }
      if (result.failed === 0)
        throw new GatewayError("lease_lost", "The call was taken for dead and settled while it ran: its reservation is gone.");
      const share = grown[result.failed - 1 - made.length];
      if (share === undefined) throw new GatewayError("internal", `A budget's window was refused by the store (${result.why}).`);
      if (result.why === "missing") missing.add(share.windowId);
      else await this.#takeOverOrRefuse(share, result, to.asked.amountNanoUsd);
    }
    throw new GatewayError("conflict", "A budget changed again and again while money was set aside from it.");
  }

  /** The reservation's own row: the first of the unit, so that a repetition is known by it. */
  #ownWrite(
    call: OpenCall<CallHead>,
    held: Held,
    to: { readonly shares: readonly HeldShare[]; readonly amountNanoUsd: number | null; readonly asked: Asked },
  ): Write {
    const { amountNanoUsd, asked } = to;
    const shares = to.shares.map(({ windowId: id, amountNanoUsd: amount, provider }) => ({
      windowId: id,
      amountNanoUsd: amount,
      provider,
    }));
    const sum = shares.reduce((total, share) => total + share.amountNanoUsd, 0);
    const { provider, model } = asked;
    if (held.stored) {
      const change = { set: { provider, model, shares, amountNanoUsd, sharesNanoUsd: sum, expiresAtMs: nowPlus(this.#o.leaseMs) } };
      return update(reservation, call.id, { change, where: { sharesNanoUsd: { lt: sum } } });
    }
    const row = {
      projectId: call.caller.projects[0],
      call: begunCall(call, this.#o.nodeId),
      provider,
      model,
      amountNanoUsd,
      shares,
      sharesNanoUsd: sum,
      attempt: 0,
    };
    return insert(reservation, { ...row, id: call.id, expiresAtMs: nowPlus(this.#o.leaseMs) });
  }

  /** Whether a commit of which nobody knew had been applied: the row stands as it was to be. */
  #isApplied(held: Held, to: { readonly shares: readonly HeldShare[] }, result: Extract<UnitResult, { ok: false }>): boolean {
    if (!held.stored) return result.why === "taken";
    const sum = to.shares.reduce((total, share) => total + share.amountNanoUsd, 0);
    return result.why === "guard" && result.current?.["sharesNanoUsd"] === sum;
  }

  /** A window whose amount is older than the budget takes the new one over; otherwise the budget has not enough left. */
  async #takeOverOrRefuse(share: HeldShare, result: Extract<UnitResult, { ok: false }>, amountNanoUsd: number | null): Promise<void> {
    const current = result.current as BudgetWindowRow | null;
    const { budget, period } = share;
    if (current !== null && current.budgetVersion < budget.row.version) {
      const { limitNanoUsd } = budget;
      const change = {
        set: { limitNanoUsd, budgetVersion: budget.row.version, firedPercent: firedOf(current, limitNanoUsd) },
        add: { leftNanoUsd: limitNanoUsd - current.limitNanoUsd },
      };
      const where = { budgetVersion: current.budgetVersion };
      await this.#queue.commit({
        scope: { system: "a budget's new amount" },
        writes: [update(budgetWindow, current.id, { change, where })],
      });
      return;
    }
    this.#o.events.emit("budget.exceeded", { budgetId: budget.row.id, windowId: share.windowId });
    throw budgetExceeded(budget, { period, amountNanoUsd: amountNanoUsd ?? 0 });
  }
}

const NONE: readonly Budget[] = [];

/** The percentage that was told of, as far as it still holds for another amount. */
function firedOf({ spentNanoUsd, limitNanoUsd, firedPercent }: BudgetWindowRow, limit: number): number {
  if (limit <= limitNanoUsd) return firedPercent;
  return Math.min(firedPercent, limit === 0 ? 100 : Math.floor((spentNanoUsd / limit) * 100));
}

function newWindow({ budget, period, windowId: id }: HeldShare): Write {
  const { limitNanoUsd, row } = budget;
  return insert(
    budgetWindow,
    {
      ...{ id, projectId: row.projectId, budgetId: row.id, budgetVersion: row.version, startMs: period.startMs, endMs: period.endMs },
      ...{ limitNanoUsd, leftNanoUsd: limitNanoUsd, spentNanoUsd: 0, reservedNanoUsd: 0, firedPercent: 0 },
    },
    "skip",
  );
}

/** A hard budget lets nothing pass that it has not left; where the price is unknown, as long as anything is left; what is free always. */
function addition({ budget, windowId: id, amountNanoUsd }: HeldShare, had: number, isUnknown: boolean): Write {
  const amount = amountNanoUsd - had;
  const known = { budgetVersion: { gte: budget.row.version } };
  const guard = !budget.row.hard || (amount === 0 && !isUnknown) ? {} : { leftNanoUsd: amount === 0 ? { gt: 0 } : { gte: amount } };
  return update(budgetWindow, id, {
    change: { add: { leftNanoUsd: -amount, reservedNanoUsd: amount } },
    where: { ...known, ...guard },
  });
}
