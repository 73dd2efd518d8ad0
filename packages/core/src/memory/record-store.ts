import { columnIndex, type AnyEntity, type AnyLogEntity, type Entity, type Key, type LogEntity } from "../entities/index.js";
import {
  assertFind,
  assertSum,
  assertTake,
  assertWithin,
  decodeChangesCursor,
  decodeCursor,
  decodeRow,
  encodeChange,
  encodeCursor,
  encodeUnits,
  GatewayError,
  type ChangesPage,
  type Clock,
  type FindQuery,
  type ReadQuery,
  type RecordStore,
  type Scope,
  type SumQuery,
  type SumRow,
  type StoredScalar,
  type TakeQuery,
  type Unit,
  type UnitResult,
  type Within,
} from "../ports/index.js";
import { applyUnit, changed } from "./records/apply-unit.js";
import { inScope } from "./records/predicate.js";
import { select, selectOrdered } from "./records/select.js";
import { sumRows } from "./records/sum-rows.js";
import { Tables } from "./records/tables.js";
import { systemClock } from "./system-clock.js";

type Fields = Record<string, unknown>;

/** Every verb does its work in one turn of the event loop: no call sees half of another. */
class MemoryRecordStore implements RecordStore {
  readonly #clock: Clock;
  readonly #tables: Tables;
  #closed = false;

  constructor(clock: Clock, ledgerRows: number) {
    this.#clock = clock;
    this.#tables = new Tables({ ledgerRows });
  }

  async get<R>(entity: Entity<R>, id: Key, scope: Scope, w: Within): Promise<R | null> {
    this.#begin(w);
    const table = this.#tables.of(entity as AnyEntity);
    const cell = table.cells.get(id);
    return cell !== undefined && inScope(table.entity, cell.row, scope) ? (decodeRow(table.entity, cell.row) as R) : null;
  }

  async find<R>(entity: Entity<R>, q: FindQuery<R>, scope: Scope, w: Within): Promise<{ rows: R[]; next: string | null }> {
    const nowMs = this.#begin(w);
    const table = this.#tables.of(entity as AnyEntity);
    const query = q as unknown as FindQuery<Fields>;
    assertFind(table.entity, query);
    const after = query.cursor === undefined ? null : decodeCursor(table.entity, query, query.cursor);
    const cells = selectOrdered(
      table,
      { where: query.where, scope, nowMs },
      { orderBy: [query.desc === true ? `-${query.orderBy}` : query.orderBy], after, limit: query.limit + 1 },
    );
    const page = cells.slice(0, query.limit);
    const last = cells.length > query.limit ? page.at(-1) : undefined;
    return {
      rows: page.map((cell) => decodeRow(table.entity, cell.row) as R),
      next:
        last === undefined
          ? null
          : encodeCursor(table.entity, query, { value: last.row[columnIndex(table.entity, query.orderBy)] as StoredScalar, id: last.id }),
    };
  }

  async sum<R>(entity: Entity<R>, q: SumQuery<R>, scope: Scope, w: Within): Promise<SumRow[]> {
    const nowMs = this.#begin(w);
    const table = this.#tables.of(entity as AnyEntity);
    const query = q as unknown as SumQuery<Fields>;
    assertSum(table.entity, query);
    return sumRows(table, query, select(table, { where: query.where, scope, nowMs }));
  }

  async read<E>(log: LogEntity<E>, stream: Key, q: ReadQuery, scope: Scope, w: Within): Promise<{ seq: number; atMs: number; entry: E }[]> {
    this.#begin(w);
    return this.#tables.log(log as AnyLogEntity).read(stream, q, scope) as { seq: number; atMs: number; entry: E }[];
  }

  async commit(units: readonly Unit[], w: Within): Promise<UnitResult[]> {
    const nowMs = this.#begin(w);
    return encodeUnits(units).map((unit) => applyUnit(this.#tables, unit, nowMs));
  }

  async take<R>(entity: Entity<R>, t: TakeQuery<R>, w: Within): Promise<R[]> {
    const nowMs = this.#begin(w);
    const table = this.#tables.of(entity as AnyEntity);
    const query = t as unknown as TakeQuery<Fields>;
    assertTake(table.entity, query);
    const change = encodeChange(table.entity, query.change);
    const selection = { where: query.where, scope: { system: "take" }, nowMs };
    const cells = selectOrdered(table, selection, { orderBy: query.orderBy, after: null, limit: query.limit });
    return cells.map((cell) => {
      const row = changed(table, cell.row, change, nowMs);
      if (row === null) throw new GatewayError("internal", `A number of ${entity.name} "${cell.id}" would leave the safe integers.`);
      table.replace(cell, row);
      if (change.moves && table.entity.watched) this.#tables.changes.add(table.entity.name, cell.id, row[table.version] as number);
      return decodeRow(table.entity, row) as R;
    });
  }

  async prune(entity: AnyEntity | AnyLogEntity, olderThanMs: number, limit: number, w: Within): Promise<number> {
    const nowMs = this.#begin(w);
    if (entity.kind === "log") return this.#tables.log(entity).prune(olderThanMs, limit);
    if (entity.kind !== "ledger") throw new GatewayError("internal", `Rows of ${entity.name} are removed one by one, never pruned.`);
    const table = this.#tables.of(entity);
    const old = selectOrdered(
      table,
      { where: { atMs: { lt: olderThanMs } }, scope: { system: "prune" }, nowMs },
      { orderBy: ["atMs"], after: null, limit },
    );
    for (const cell of old) table.remove(cell);
    return old.length;
  }

  async changes(after: string | null, limit: number, w: Within): Promise<ChangesPage> {
    this.#begin(w);
    return this.#tables.changes.after(after === null ? null : decodeChangesCursor(after), limit);
  }

  async now(w: Within): Promise<number> {
    return this.#begin(w);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #begin(w: Within): number {
    if (this.#closed)
      throw new GatewayError("store_unavailable", "The store is closed.", {
        hint: "Do not use a gateway after close().",
        details: { outcome: "none" },
      });
    const nowMs = this.#clock.now();
    assertWithin(w, nowMs);
    return nowMs;
  }
}

export interface MemoryStoreOptions {
  readonly clock?: Clock;
  /** Each ledger keeps its newest rows, this many and up to a tenth more; all of them when left out. */
  readonly ledgerRows?: number;
}

/**
 * A record store in this process, for tests and trials: it holds everything in memory, ledgers and logs included until they are pruned, and loses it with the process.
 * Its clock is the store's clock. Writes, `take` and pages along a declared index cost O(log n); a query that no index serves looks at every row.
 */
export function memoryStore(options: MemoryStoreOptions = {}): RecordStore {
  return new MemoryRecordStore(options.clock ?? systemClock, options.ledgerRows ?? Infinity);
}
