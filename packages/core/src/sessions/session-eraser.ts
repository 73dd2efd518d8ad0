import { message, session, type SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { erase, now, nowPlus, remove, update, type Where, type Write } from "../ports/index.js";
import type { HotTails } from "./context/hot-tails.js";
import type { SessionRecords } from "./session-records.js";

/** Messages that one unit erases at the most: it bounds how long a store is held. */
const PIECE = 1_000;
const EVERY_MS = 60_000;
const BATCH = 50;
/** In one sweep: what is left waits for the next, so that no sweep holds the store for long. */
const MOST_BATCHES = 400;
const SYSTEM = { system: "sessions that have expired, and deletions that were begun" } as const;

/**
 * Takes sessions away, whole: one that is short in one unit; a long one is marked first, is then no session to anybody, and loses its messages piece by piece and its row with the last of them. Whatever breaks
 * off in between is found by the sweeper of any node. Every node sweeps: a session goes once, whoever comes first. Never keeps the process alive.
 */
export class SessionEraser {
  readonly #records: SessionRecords;
  readonly #tails: HotTails;
  #cancel = (): void => undefined;
  #closed = false;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(records: SessionRecords, tails: HotTails) {
    this.#records = records;
    this.#tails = tails;
  }

  start(): void {
    this.#next(Math.round(EVERY_MS * (0.5 + Math.random() / 2)));
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#sweeping;
  }

  /** Takes a session away while `where` holds; false when it does not, or the row is not there. `along` is written with the first of it. */
  async erase(
    row: SessionRow,
    o: { readonly where: Where<SessionRow>; readonly ifVersion?: number | undefined; readonly along?: readonly Write[] },
  ): Promise<boolean> {
    const scope = { projects: [row.projectId] };
    const { where, along = [] } = o;
    const guard = { where, ...(o.ifVersion === undefined ? {} : { ifVersion: o.ifVersion }) };
    const last = [erase(message, row.id)];
    if (row.lastSeq <= PIECE) {
      const result = await this.#records.commit({ scope, writes: [remove(session, row.id, guard), ...last, ...along] });
      if (result.ok) await this.#gone(row);
      return result.ok;
    }
    const change = { set: { status: "deleting", expiresAtMs: now } } as const;
    const marked = await this.#records.commit({ scope, writes: [update(session, row.id, { change, ...guard }), ...along] });
    if (!marked.ok) return false;
    for (let upToSeq = PIECE; upToSeq < row.lastSeq; upToSeq += PIECE)
      await this.#records.commit({ scope, writes: [erase(message, row.id, { upToSeq })] });
    await this.#records.commit({ scope, writes: [remove(session, row.id, { where: { status: "deleting" } }), ...last] });
    await this.#gone(row);
    return true;
  }

  /** One sweep; how many sessions went. Errors: those of the store. */
  async sweep(): Promise<number> {
    const { store } = this.#records.services;
    let gone = 0;
    for (let batch = 0; batch < MOST_BATCHES && !this.#closed; batch++) {
      const query = { where: { expiresAtMs: { lte: now } }, orderBy: "expiresAtMs", limit: BATCH } as const;
      const { rows } = await store.find(session, query, SYSTEM, this.#records.within());
      for (const row of rows) {
        if (this.#closed) return gone;
        if (await this.#isKept(row)) continue;
        // Renewed or taken away since it was read: then it is not ours to take.
        if (await this.erase(row, { where: { status: row.status, expiresAtMs: { lte: now } } })) gone++;
      }
      if (rows.length < BATCH) break;
    }
    return gone;
  }

  /** One that a run has the turn of is in use, however long that takes or waits for a person: it is put off. */
  async #isKept(row: SessionRow): Promise<boolean> {
    const { turnId } = row;
    if (row.status !== "active" || !(await this.#records.isBusy(row))) return false;
    const change = { set: { expiresAtMs: nowPlus(this.#records.ttlMs) } };
    const writes = [update(session, row.id, { change, where: { turnId, status: "active" } })];
    return (await this.#records.commit({ scope: { projects: [row.projectId] }, writes })).ok;
  }

  async #gone(row: SessionRow): Promise<void> {
    await this.#tails.forget(row.id);
    this.#records.services.events.emit("session.changed", { sessionId: row.id, what: "deleted" });
  }

  #next(inMs: number): void {
    const { clock, log } = this.#records.services;
    if (this.#closed) return;
    this.#cancel = clock.at(clock.now() + inMs, () => {
      this.#sweeping = this.sweep()
        .then(
          (gone) => (gone > 0 ? log.debug("sessions have expired", { sessions: gone }) : undefined),
          (error: unknown) => log.warn("expired sessions were not deleted; it is tried again", { code: GatewayError.from(error).code }),
        )
        .then(() => this.#next(Math.round(EVERY_MS * (0.75 + Math.random() / 2))));
    });
  }
}
