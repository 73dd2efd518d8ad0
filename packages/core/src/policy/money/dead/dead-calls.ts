import { node, openCalls, reservation, usageEntry, type Entity, type OpenCallsRow, type ReservationRow } from "../../../entities/index.js";
import { now, nowPlus, remove, update, type Clock, type RecordStore, type Unit, type Where } from "../../../ports/index.js";
import type { EventHub } from "../../../seams/index.js";
import { deadCallUnit } from "./dead-call-unit.js";
import { giveBack, unitOf, type Settled } from "../settlement.js";

export interface DeadCallsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly events: EventHub;
  /** Whether a call is under way in this process: what it holds ran out because the store was away. */
  readonly isAlive: (callId: string) => boolean;
}

/** A row that stands until its instant, and whose attempt grows when somebody takes it. */
interface Leased {
  readonly id: string;
  readonly expiresAtMs: number;
  readonly attempt: number;
}

const AT_ONCE = 50;
const PAGE = 500;
const WITHIN_MS = 10_000;
/** Whoever took a row has so long; then the next one takes it. */
const TAKEN_MS = 60_000;
const SCOPE = { system: "settling calls whose process is gone" };

/**
 * Calls whose process is gone: every process looks for reservations and open calls that nobody renewed, and settles those that it takes. A call gets the usage row that its own process could not write: `estimated`, and
 * costing what was set aside for it; without a reservation its cost is unknown. Each call is settled once, by one of them, or by its own process after all.
 */
export class DeadCalls {
  readonly #o: DeadCallsOptions;

  constructor(options: DeadCallsOptions) {
    this.#o = options;
  }

  /** Settles what has run out; returns how many calls that were. Errors: those of the store; what was taken is taken again later. */
  async settle(): Promise<number> {
    // Calls that hold money first: what is written of the others leaves theirs alone.
    return (await this.#reservations()) + (await this.#openCalls());
  }

  /**
   * What calls of these processes hold runs out now, so that `settle` finds it; gives how much that was. Each in a unit with its process's row, which has to say that it is gone: one that came back is alive, and
   * its calls may be too. Errors: those of the store.
   */
  async endLeases(nodeIds: readonly string[]): Promise<number> {
    const gone = new Set(nodeIds);
    const ofReservation = ({ call }: ReservationRow): string | undefined => call.nodeId;
    const ofOpenCalls = ({ calls }: OpenCallsRow): string | undefined => calls[0]?.nodeId;
    return (await this.#endLeasesOf(reservation, gone, ofReservation)) + (await this.#endLeasesOf(openCalls, gone, ofOpenCalls));
  }

  async #endLeasesOf<R extends Leased>(
    entity: Entity<R>,
    gone: ReadonlySet<string>,
    holderOf: (row: R) => string | undefined,
  ): Promise<number> {
    const { store } = this.#o;
    let ended = 0;
    let cursor: string | undefined;
    do {
      const query = { where: { expiresAtMs: { gt: now } }, orderBy: "expiresAtMs", limit: PAGE, cursor } as const;
      const page = await store.find(entity as Entity<Leased>, query, SCOPE, this.#within());
      const units = (page.rows as R[]).flatMap((row): Unit[] => {
        const holder = holderOf(row);
        if (holder === undefined || !gone.has(holder)) return [];
        const isGone = update(node, holder, { change: {}, where: { state: "gone" } });
        const where = { attempt: row.attempt, expiresAtMs: { gt: now } };
        const ends = update(entity as Entity<Leased>, row.id, { change: { set: { expiresAtMs: nowPlus(-1) } }, where });
        return [{ scope: SCOPE, writes: [isGone, ends] }];
      });
      const results = units.length === 0 ? [] : await store.commit(units, this.#within());
      ended += results.filter(({ ok }) => ok).length;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return ended;
  }

  async #reservations(): Promise<number> {
    let settled = 0;
    for (;;) {
      const rows = await this.#o.store.take(
        reservation,
        {
          where: { expiresAtMs: { lt: now } },
          orderBy: ["expiresAtMs"],
          limit: AT_ONCE,
          change: { set: { expiresAtMs: nowPlus(TAKEN_MS) }, add: { attempt: 1 } },
        },
        this.#within(),
      );
      for (const row of rows) if (!this.#o.isAlive(row.id) && (await this.#settleOne(row))) settled++;
      if (rows.length < AT_ONCE) return settled;
    }
  }

  async #settleOne(row: ReservationRow): Promise<boolean> {
    const nowMs = this.#o.clock.now();
    const dead: Settled = {
      callId: row.id,
      shares: row.shares,
      taken: { attempt: row.attempt },
      spent: (share) => share.amountNanoUsd,
      ledger: deadCallUnit(row.call, { nowMs, provider: row.provider, model: row.model, costNanoUsd: row.amountNanoUsd }),
    };
    const [result] = await this.#o.store.commit([unitOf(dead)], this.#within());
    if (result?.ok === true) {
      this.#o.events.emit("call.reconciled", { callId: row.id, requestId: row.call.requestId, costNanoUsd: row.amountNanoUsd });
      return true;
    }
    if (result?.why === "taken") await this.#o.store.commit([giveBack(dead)], this.#within());
    return false;
  }

  async #openCalls(): Promise<number> {
    let settled = 0;
    for (;;) {
      const rows = await this.#o.store.take(
        openCalls,
        {
          where: { expiresAtMs: { lt: now } },
          orderBy: ["expiresAtMs"],
          limit: AT_ONCE,
          change: { set: { expiresAtMs: nowPlus(TAKEN_MS) }, add: { attempt: 1 } },
        },
        this.#within(),
      );
      for (const row of rows) {
        // Its process is this one: it is renewed in a moment.
        if (row.calls.some((call) => this.#o.isAlive(call.id))) continue;
        settled += await this.#settleBegun(row);
        await this.#o.store.commit([{ scope: SCOPE, writes: [remove(openCalls, row.id, { where: heldBy(row) })] }], this.#within());
      }
      if (rows.length < AT_ONCE) return settled;
    }
  }

  /** A call that has a usage row keeps it; one that holds money is settled with that. Nothing is written once another took the row, or its own process renewed it. */
  async #settleBegun(row: OpenCallsRow): Promise<number> {
    const { calls } = row;
    const nowMs = this.#o.clock.now();
    const ids = calls.map(({ id }) => id);
    const holding = await this.#o.store.find(
      reservation,
      { where: { id: { in: ids } }, orderBy: "id", limit: 1_000 },
      SCOPE,
      this.#within(),
    );
    const held = new Set(holding.rows.map(({ id }) => id));
    const left = calls.filter(({ id }) => !held.has(id));
    if (left.length === 0) return 0;
    const stillTaken = update(openCalls, row.id, { change: { set: { expiresAtMs: nowPlus(TAKEN_MS) } }, where: heldBy(row) });
    const units = left.map((call): Unit => {
      const { writes } = deadCallUnit(call, { nowMs, provider: null, model: null, costNanoUsd: null });
      return { scope: SCOPE, writes: [stillTaken, ...writes] };
    });
    const results = await this.#o.store.commit(units, this.#within());
    let settled = 0;
    results.forEach((result, i) => {
      const isNew = result.ok && !result.skipped.some((at) => isUsage(units[i]!, at));
      if (!isNew) return;
      settled++;
      this.#o.events.emit("call.reconciled", { callId: left[i]!.id, requestId: left[i]!.requestId, costNanoUsd: null });
    });
    return settled;
  }

  #within() {
    return { deadlineMs: this.#o.clock.now() + WITHIN_MS };
  }
}

function heldBy({ attempt }: OpenCallsRow): Where<OpenCallsRow> {
  return { attempt, expiresAtMs: { gt: now } };
}

function isUsage(unit: Unit, at: number): boolean {
  const write = unit.writes[at];
  return write?.op === "insert" && write.entity.name === usageEntry.name;
}
