import type { Caller } from "../../calls/index.js";
import {
  storedResponse,
  storedResponseEvents,
  storedResponseItem,
  type Entity,
  type Kept,
  type StoredResponseEventsRow,
  type StoredResponseRow,
} from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, nowPlus, remove, update, type RecordStore, type Scope, type Where, type Write } from "../../ports/index.js";
import type { Clock } from "../../ports/index.js";
import { newId } from "../../util/ids.js";

export interface RecordsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  /** How long a response is kept, ms. */
  readonly ttlMs: number;
}
type Status = StoredResponseRow["status"];
/** A row that this process writes. */
export type NewResponse = Pick<StoredResponseRow, "id" | "projectId" | "status" | "background" | "chain" | "input" | "response"> &
  Partial<Pick<StoredResponseRow, "holder" | "provider">> & { readonly leaseMs?: number };

const STORE_TIMEOUT_MS = 10_000;
const PAGE = 100;
/** How often a removal meets what was written meanwhile. */
const TRIES = 5;
/** Shorter ids of items may stand for several: whoever gives such does not mean them to be asked for. */
const SHORTEST_ITEM_ID = 20;
const SYSTEM = { system: "kept responses that are out of date" } as const;
export const unfinished: readonly Status[] = ["queued", "in_progress"];

export function isFinal(status: Status): boolean {
  return !unfinished.includes(status);
}

/** The rows of kept responses. Every change of a status is guarded by the status that it leaves. */
export class ResponseRecords {
  readonly #o: RecordsOptions;

  constructor(options: RecordsOptions) {
    this.#o = options;
  }

  /** null: there is none that this caller may see. */
  async get(id: string, caller: Caller): Promise<StoredResponseRow | null> {
    const row = await this.#o.store.get(storedResponse, id, scopeOf(caller), this.within());
    return row === null || row.expiresAtMs <= this.#o.clock.now() ? null : row;
  }

  /** Errors: `not_found`. */
  async mustGet(id: string, caller: Caller): Promise<StoredResponseRow> {
    const row = await this.get(id, caller);
    if (row === null) throw noResponse(id);
    return row;
  }

  /** Those of the ids that there are, by id. */
  async getAll(ids: readonly string[], caller: Caller): Promise<ReadonlyMap<string, StoredResponseRow>> {
    const found = new Map<string, StoredResponseRow>();
    for (let from = 0; from < ids.length; from += PAGE) {
      const query = { where: { id: { in: ids.slice(from, from + PAGE) } }, orderBy: "id", limit: PAGE } as const;
      const { rows } = await this.#o.store.find(storedResponse, query, scopeOf(caller), this.within());
      for (const row of rows) if (row.expiresAtMs > this.#o.clock.now()) found.set(row.id, row);
    }
    return found;
  }

  /** Which responses items with these ids belong to. */
  async ownersOf(itemIds: readonly string[], caller: Caller): Promise<ReadonlyMap<string, string>> {
    const owners = new Map<string, string>();
    for (let from = 0; from < itemIds.length; from += PAGE) {
      const query = { where: { itemId: { in: itemIds.slice(from, from + PAGE) } }, orderBy: "id", limit: PAGE } as const;
      const { rows } = await this.#o.store.find(storedResponseItem, query, scopeOf(caller), this.within());
      for (const { itemId, responseId } of rows) owners.set(itemId, responseId);
    }
    return owners;
  }

  /** Keeps a response, and where its items are found. Errors: those of the store. */
  async insert(row: NewResponse, itemIds: readonly string[]): Promise<StoredResponseRow> {
    const { leaseMs = 0, ...fields } = row;
    const nowMs = this.#o.clock.now();
    const whole = { holder: null, provider: null, ...fields, expiresAtMs: nowMs + this.#o.ttlMs };
    const writes = [insert(storedResponse, { ...whole, leaseUntilMs: nowPlus(leaseMs) }), ...this.itemWrites(row, itemIds)];
    await this.#commit(row.projectId, writes);
    return { ...whole, leaseUntilMs: nowMs + leaseMs, version: 1, createdAtMs: nowMs, updatedAtMs: nowMs };
  }

  /** Ends a response that nobody has ended; false when somebody has. `lostOnly`: only when its lease has passed. */
  end(row: StoredResponseRow, o: { readonly status: Status; readonly response: string; readonly lostOnly?: true }): Promise<boolean> {
    const where: Where<StoredResponseRow> = { status: { in: unfinished }, ...(o.lostOnly === true ? { leaseUntilMs: { lte: now } } : {}) };
    const change = { set: { status: o.status, response: o.response } };
    return this.#commit(row.projectId, [update(storedResponse, row.id, { change, where })]);
  }

  itemWrites(row: { readonly id: string; readonly projectId: string }, itemIds: readonly string[]): Write[] {
    const known = itemIds.filter((id) => id.length >= SHORTEST_ITEM_ID && id.length <= 200);
    return [...new Set(known)].map((itemId) =>
      insert(storedResponseItem, { id: newId("rit"), projectId: row.projectId, itemId, responseId: row.id }, "skip"),
    );
  }

  eventsWrite(row: { readonly id: string; readonly projectId: string }, piece: { lastSequence: number; events: string }): Write {
    return insert(storedResponseEvents, { id: newId("rev"), projectId: row.projectId, responseId: row.id, ...piece });
  }

  /** Stretches that have events after the sequence number, in order. */
  async eventsAfter(row: StoredResponseRow, after: number): Promise<readonly StoredResponseEventsRow[]> {
    const where = { responseId: row.id, lastSequence: { gt: after } };
    const query = { where, orderBy: "lastSequence", limit: PAGE } as const;
    return (await this.#o.store.find(storedResponseEvents, query, { projects: [row.projectId] }, this.within())).rows;
  }

  /** Removes a response with all that belongs to it, which comes first; false: there was none. Errors: `conflict` when more is written to it all the time. */
  async remove(row: Pick<StoredResponseRow, "id" | "projectId">): Promise<boolean> {
    for (let refused = 0; refused < TRIES; ) {
      const parts = [
        ...(await this.#removals(storedResponseItem, { responseId: row.id })),
        ...(await this.#removals(storedResponseEvents, { responseId: row.id })),
      ];
      const isAll = parts.length < PAGE;
      const writes = isAll ? [...parts, remove(storedResponse, row.id)] : parts;
      const [result] = await this.#o.store.commit([{ scope: { projects: [row.projectId] }, writes }], this.within());
      if (result!.ok && isAll) return true;
      if (!result!.ok && result!.failed === parts.length && result!.why === "missing") return false;
      if (!result!.ok) refused++;
    }
    throw new GatewayError("conflict", "The response is written to while it is deleted.", { hint: "Cancel it, then delete it." });
  }

  /** Removes what is out of date. */
  async sweep(): Promise<void> {
    const query = { where: { expiresAtMs: { lte: now } }, orderBy: "expiresAtMs", limit: PAGE } as const;
    for (;;) {
      const { rows } = await this.#o.store.find(storedResponse, query, SYSTEM, this.within());
      for (const row of rows) await this.remove(row);
      if (rows.length < PAGE) return;
    }
  }

  within() {
    return { deadlineMs: this.#o.clock.now() + STORE_TIMEOUT_MS };
  }

  async #removals<R extends Kept>(entity: Entity<R>, where: Where<R>): Promise<Write[]> {
    const { rows } = await this.#o.store.find(entity, { where, orderBy: "id", limit: PAGE }, SYSTEM, this.within());
    return rows.map((row) => remove(entity, row.id));
  }

  async #commit(projectId: string, writes: readonly Write[]): Promise<boolean> {
    const [result] = await this.#o.store.commit([{ scope: { projects: [projectId] }, writes }], this.within());
    return result!.ok;
  }
}

export function scopeOf(caller: Caller): Scope {
  return { projects: caller.projects };
}

export function noResponse(id: string, param?: string): GatewayError {
  return new GatewayError("not_found", `There is no response "${id.slice(0, 100)}" that this key may see.`, {
    hint: "Responses are kept for 30 days, and only those of this gateway's own, made with store: ids of a vendor mean nothing here.",
    ...(param === undefined ? {} : { details: { param } }),
  });
}
