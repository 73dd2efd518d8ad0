import type { ParkedCallRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { HeldCall, Told } from "../held-call.js";
import { objectOf } from "../members.js";
import type { ParkedRows } from "./parked-rows.js";
import { decodeOutcome, decodeQuestions } from "./parked-texts.js";
import type { Parking } from "./parking.js";
import { usedAlready } from "./used-states.js";

export interface ComeBackOptions {
  readonly rows: ParkedRows;
  readonly parking: Parking;
}
export interface Coming {
  readonly row: string;
  readonly round: number;
  /** By key, as JSON texts. */
  readonly responses: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly deadlineMs: number;
  readonly now: () => number;
}
/** `here`: this process keeps the call, and the answers are for it; `there`: another one did, and this is what came of it. */
export type CameBack =
  | { readonly at: "here"; readonly held: HeldCall }
  | { readonly at: "there"; readonly told: Told; readonly round: number };

/**
 * A client comes back to a call that waits, with answers. One request alone can claim a round: the row says so for every process. At another process than the keeper's the answers go through the row, and what
 * comes of them comes back through it.
 * Errors: `validation_failed` when the round was answered already, or the call is over; `outcome_unknown` when the keeper is gone; `cancelled`, `upstream_timeout`, those of the call and of the store.
 */
export async function comeBack(o: ComeBackOptions, coming: Coming): Promise<CameBack> {
  const { rows, parking } = o;
  const row = await rows.get(coming.row);
  if (row?.state === "lost") throw gone();
  // It may have ended while nobody was there.
  if (row === null || row.round !== coming.round || row.state !== "asked") throw usedAlready();
  if (!(await rows.isKept(row))) {
    await rows.move(row, { state: "lost" });
    throw gone();
  }
  const held = parking.holder(row.id);
  if (held !== null) {
    if (!(await rows.move(row, { state: "working" }))) throw usedAlready();
    return { at: "here", held: parking.taken(row.id, row.version + 1) ?? held };
  }
  if (rows.isOurs(row)) throw gone();
  if (!(await rows.move(row, { state: "answered", answers: objectOf(coming.responses) }))) throw usedAlready();
  parking.hint();
  return waitFor(o, row, coming);
}

async function waitFor({ rows, parking }: ComeBackOptions, claimed: ParkedCallRow, coming: Coming): Promise<CameBack> {
  for (;;) {
    const isLate = coming.now() >= coming.deadlineMs;
    if (coming.signal.aborted || isLate) {
      await abandon(rows, claimed.id);
      parking.hint();
      throw isLate
        ? new GatewayError("upstream_timeout", "The server did not answer in time.")
        : new GatewayError("cancelled", "The call was cancelled.");
    }
    const row = await rows.get(claimed.id);
    if (row === null || row.state === "lost") throw gone();
    if (row.state === "told") {
      await rows.remove(row.id).catch(() => undefined); // it is swept one day
      const ended = decodeOutcome(rows.read(row, "outcome"));
      if (ended.kind === "error") throw ended.error;
      if (ended.kind === "cancelled") throw new GatewayError("cancelled", "The call was cancelled.");
      return { at: "there", told: ended, round: row.round };
    }
    if (row.state === "asked" && row.round > claimed.round)
      return { at: "there", told: { kind: "asks", questions: decodeQuestions(rows.read(row, "questions")) }, round: row.round };
    if (!(await rows.isKept(row))) {
      await rows.move(row, { state: "lost" });
      throw gone();
    }
    await parking.changed(coming.signal);
  }
}

/** Nobody waits any more: its keeper cancels it. */
async function abandon(rows: ParkedRows, id: string): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    const row = await rows.get(id);
    if (row === null || row.state === "told" || (await rows.move(row, { state: "cancelled" }))) return;
  }
}

function gone(): GatewayError {
  return new GatewayError("outcome_unknown", "The process that kept this call is gone. Nobody knows whether the tool ran to its end.", {
    hint: "Look whether its effect is there before you call it again.",
  });
}
