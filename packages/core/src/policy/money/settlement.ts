import { budgetWindow, reservation, usageEntry, type ReservationRow, type ReservationShare } from "../../entities/index.js";
import { now, remove, update, type Unit, type Where, type Write } from "../../ports/index.js";
import type { GroupCommit } from "../group-commit.js";
import { costAt } from "./held.js";
import type { Meter } from "../meter.js";

export interface Settled {
  readonly callId: string;
  readonly shares: readonly ReservationShare[];
  /** What a share pays in the end. */
  readonly spent: (share: ReservationShare) => number;
  /** The usage row, and what is written with it. */
  readonly ledger: Unit;
  /** By whoever took the reservation, as long as it holds it. */
  readonly taken?: { readonly attempt: number } | undefined;
}

/**
 * The end of a reservation, in one unit: its row goes, what was spent is added to each window, the rest is given back, and the usage row is written. Each of these happens once, however often it is sent: a reservation
 * that is gone was settled. A usage row that stands already leaves everything to be given back.
 */
export function settle(settled: Settled, o: { readonly ledger: GroupCommit; readonly done: (spent: boolean) => void }): void {
  o.ledger.add(unitOf(settled), (result) => {
    if (result.ok) return o.done(true);
    const { failed, why } = result;
    const current = result.current as ReservationRow | null;
    // Settled by another; then its usage row stands too, and this one is skipped. Or it was never stored.
    if (failed === 0 && why === "missing") o.ledger.add(settled.ledger, () => o.done(true));
    // Set aside was more than its writer heard of.
    else if (failed === 0 && current !== null) settle({ ...settled, shares: current.shares }, o);
    else if (why === "taken") o.ledger.add(giveBack(settled), () => o.done(false));
    else o.ledger.add(settled.ledger, () => o.done(false));
  });
}

export function unitOf({ callId, shares, spent, ledger, taken }: Settled): Unit {
  const writes: Write[] = [remove(reservation, callId, { where: { sharesNanoUsd: sumOf(shares), ...heldBy(taken) } })];
  for (const share of shares) writes.push(end(share, spent(share)));
  for (const write of ledger.writes)
    writes.push(write.op === "insert" && write.entity.name === usageEntry.name ? { ...write, ifTaken: "refuse" } : write);
  return { scope: { system: "settling a call" }, writes };
}

/** A taker that was frozen past its lease settles nothing any more. */
function heldBy(taken: Settled["taken"]): Where<ReservationRow> {
  return taken === undefined ? {} : { attempt: taken.attempt, expiresAtMs: { gt: now } };
}

export function giveBack({ callId, shares, ledger, taken }: Settled): Unit {
  const rest = ledger.writes.filter((write) => write.op !== "insert" || write.entity.name !== usageEntry.name);
  return {
    scope: { system: "settling a call" },
    writes: [remove(reservation, callId, { where: heldBy(taken) }), ...shares.map((share) => end(share, 0)), ...rest],
  };
}

function end({ windowId, amountNanoUsd }: ReservationShare, spent: number): Write {
  const change = { add: { reservedNanoUsd: -amountNanoUsd, spentNanoUsd: spent, leftNanoUsd: amountNanoUsd - spent } };
  return update(budgetWindow, windowId, { change });
}

export function sumOf(shares: readonly ReservationShare[]): number {
  return shares.reduce((sum, share) => sum + share.amountNanoUsd, 0);
}

/** What a live call's shares pay: its cost, and those of a provider's budget what that provider's attempts came to. What used something has a cost by now (`Money.count`); where it is still not known nothing was used, or nothing was set aside. */
export function spentBy(meter: Meter): Settled["spent"] {
  return ({ provider }) => (provider === null ? (meter.costNanoUsd ?? 0) : costAt(meter, provider));
}
