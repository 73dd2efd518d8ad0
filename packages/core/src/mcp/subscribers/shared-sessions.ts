import type { Caller } from "../../calls/index.js";
import { mcpSession, type McpSessionRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, nowPlus, remove, update, type Change, type Where } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { toHex } from "../../util/encoding/hex.js";
import type { View } from "../catalogue/view.js";
import type { LegacySession } from "./legacy-session.js";

/** A session that no process heard of for so long is forgotten by all. */
const KEPT_MS = 3_600_000;
/** How often that is put off. */
const TOUCH_EVERY_MS = 600_000;
/** An ended one is kept so long, so that every process hears of its end. */
const ENDED_MS = 600_000;
const WITHIN_MS = 5_000;
const TRIES = 8;
const MAX_CALLER = 100;
const PAGE = 500;
/** Of one sweep: a client that opens sessions without end does not outrun it. */
const MOST_PAGES = 200;
const MOST_CANCELLED = 32;
const SCOPE = { system: "sessions of MCP clients" };
const encoder = new TextEncoder();

type SharedServices = Pick<Services, "store" | "clock" | "crypto" | "log">;

/**
 * The rows of sessions, from which any process of the gateway goes on with one. A session is found by its id together with its caller and its address, as everywhere (T16); the id itself is not stored. Two processes
 * that change one session both succeed: a change is made to the newest row, again when another was first.
 */
export class SharedSessions {
  readonly #services: SharedServices;
  /** When each was put off last. */
  readonly #touched = new Map<string, number>();

  constructor(services: SharedServices) {
    this.#services = services;
  }

  rowId(id: string): string {
    return toHex(this.#services.crypto.sha256(encoder.encode(id)));
  }

  /** A caller's id as a row has it: what is too long for it stands as its digest, and is nobody else's. */
  #ownerOf(callerId: string): string {
    return callerId.length <= MAX_CALLER ? callerId : this.rowId(callerId);
  }

  /** False: it could not be written, and is of this process alone. */
  async open(
    session: Pick<LegacySession, "id" | "callerId" | "view" | "version"> & Partial<Pick<LegacySession, "questions">>,
  ): Promise<boolean> {
    const { store, clock, log } = this.#services;
    const row = {
      ...{ id: this.rowId(session.id), callerId: this.#ownerOf(session.callerId), address: session.view.key, revision: session.version },
      ...{
        capabilities: session.questions?.capabilities ?? {},
        watches: [],
        logLevel: null,
        cancelled: { before: 0, ids: [] },
        endedAtMs: null,
        movedAtMs: 0,
        expiresAtMs: nowPlus(KEPT_MS),
      },
    };
    try {
      await store.commit([{ scope: SCOPE, writes: [insert(mcpSession, row)] }], this.#within());
      this.#touched.set(row.id, clock.now());
      return true;
    } catch (error) {
      log.warn("an MCP session is of this process alone: it could not be written", { code: GatewayError.from(error).code });
      return false;
    }
  }

  /** null: there is none of this id for this caller at this address, or it ended. Errors: those of the store. */
  async find(id: string, caller: Caller, view: View): Promise<McpSessionRow | null> {
    const where: Where<McpSessionRow> = { id: this.rowId(id), expiresAtMs: { gt: now } };
    const { rows } = await this.#services.store.find(mcpSession, { where, orderBy: "id", limit: 1 }, SCOPE, this.#within());
    const [row] = rows;
    if (row === undefined || row.endedAtMs !== null) return null;
    return row.callerId === this.#ownerOf(caller.id) && row.address === view.key ? row : null;
  }

  /** The row as it is after the change; null: it ended, or was never written. Errors: those of the store. */
  async change(id: string, to: (row: McpSessionRow) => Change<McpSessionRow>["set"] | null): Promise<McpSessionRow | null> {
    const { store } = this.#services;
    const rowId = this.rowId(id);
    for (let tries = 0; tries < TRIES; tries++) {
      const row = await store.get(mcpSession, rowId, SCOPE, this.#within());
      if (row === null || row.endedAtMs !== null) return null;
      const set = to(row);
      if (set === null) return row;
      const change = { set: { ...set, movedAtMs: now, expiresAtMs: nowPlus(KEPT_MS) } };
      const write = update(mcpSession, rowId, { change, ifVersion: row.version });
      const [result] = await store.commit([{ scope: SCOPE, writes: [write] }], this.#within());
      if (result?.ok === true) return { ...row, ...set, version: result.versions[0] ?? row.version + 1 } as McpSessionRow;
    }
    throw new GatewayError("conflict", "The session changed again and again.", { hint: "Repeat it in a moment.", retryAfterMs: 1_000 });
  }

  /** A request of the session, perhaps at another process, was cancelled. */
  async cancel(id: string, requestId: string): Promise<void> {
    await this.change(id, ({ cancelled }) => {
      const ids = [...cancelled.ids, requestId];
      const left = ids.slice(-MOST_CANCELLED);
      return { cancelled: { before: cancelled.before + ids.length - left.length, ids: left } };
    });
  }

  /** Ends it for every process. Errors: those of the store. */
  async end(id: string): Promise<void> {
    const rowId = this.rowId(id);
    this.#touched.delete(rowId);
    const change = { set: { endedAtMs: this.#services.clock.now(), movedAtMs: now, expiresAtMs: nowPlus(ENDED_MS) } };
    await this.#services.store.commit([{ scope: SCOPE, writes: [update(mcpSession, rowId, { change })] }], this.#within());
  }

  /** Puts off the end of those that are used here. Errors: those of the store. */
  async touch(ids: readonly string[]): Promise<void> {
    const nowMs = this.#services.clock.now();
    const used = new Set(ids.map((id) => this.rowId(id)));
    for (const rowId of this.#touched.keys()) if (!used.has(rowId)) this.#touched.delete(rowId);
    const due = [...used].filter((rowId) => nowMs - (this.#touched.get(rowId) ?? 0) >= TOUCH_EVERY_MS);
    for (let from = 0; from < due.length; from += PAGE) {
      const some = due.slice(from, from + PAGE);
      const change = { set: { expiresAtMs: nowPlus(KEPT_MS) } };
      const units = some.map((rowId) => ({
        scope: SCOPE,
        writes: [update(mcpSession, rowId, { change, where: { expiresAtMs: { gt: now } } })],
      }));
      await this.#services.store.commit(units, this.#within());
      for (const rowId of some) this.#touched.set(rowId, nowMs);
    }
  }

  /** What changed within the last `backMs`. Errors: those of the store. */
  async moved(backMs: number): Promise<readonly McpSessionRow[]> {
    const rows: McpSessionRow[] = [];
    let cursor: string | undefined;
    do {
      const query = { where: { movedAtMs: { gte: nowPlus(-backMs) } }, orderBy: "movedAtMs", limit: PAGE, cursor } as const;
      const page = await this.#services.store.find(mcpSession, query, SCOPE, this.#within());
      rows.push(...page.rows);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return rows;
  }

  /** Removes what nobody used any more; every process does it. Errors: those of the store. */
  async sweep(): Promise<void> {
    const { store } = this.#services;
    const query = { where: { expiresAtMs: { lte: now } }, orderBy: "expiresAtMs", limit: PAGE } as const;
    // What stays is asked for by the next sweep: none goes on for ever.
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const { rows } = await store.find(mcpSession, query, SCOPE, this.#within());
      const units = rows.map(({ id }) => ({ scope: SCOPE, writes: [remove(mcpSession, id, { where: { expiresAtMs: { lte: now } } })] }));
      if (units.length > 0) await store.commit(units, this.#within());
      if (rows.length < PAGE) return;
    }
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
