import {
  columnIndex,
  storedColumn,
  type AnyEntity,
  type AnyLogEntity,
  type Entity,
  type Key,
  type LogEntity,
  type StoredColumn,
} from "@sallyport/core/entities";
import {
  assertFind,
  assertSum,
  assertTake,
  decodeChangesCursor,
  decodeCursor,
  decodeRow,
  decodeValue,
  encodeChange,
  encodeCursor,
  encodeUnits,
  GatewayError,
  type ChangesPage,
  type EncodedUnit,
  type FindQuery,
  type Position,
  type ReadQuery,
  type RecordStore,
  type Scope,
  type SumQuery,
  type SumRow,
  type TakeQuery,
  type Unit,
  type UnitResult,
  type Within,
} from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlDialect } from "./dialect.js";
import type { Shared, SqlDriver } from "./driver.js";
import { Statements } from "./statements/statements.js";
import { applyUnits } from "./verbs/apply-units.js";
import { sharedCommits } from "./verbs/shared-commits.js";
import { readChanges } from "./verbs/change-log.js";
import { begin } from "./verbs/context.js";
import { findValues, getRow } from "./verbs/find-rows.js";
import { pruneRows } from "./verbs/prune-rows.js";
import { pruneEntries, readEntries } from "./verbs/streams.js";
import { sumRows } from "./verbs/sum-rows.js";
import { takeRows } from "./verbs/take-rows.js";

type Fields = Record<string, unknown>;

/** Units of one transaction: bounds how long a synchronous driver holds the event loop, and how long one holds the write lock. */
const UNITS_AT_ONCE = 64;
/** Where a transaction is several ways to a server, and locks only what it writes. */
const UNITS_AT_ONCE_FAR = 256;

class SqlRecordStore implements RecordStore {
  readonly #driver: SqlDriver;
  readonly #statements: Statements;
  readonly #commits: Shared<readonly EncodedUnit[], UnitResult[]>;

  constructor(dialect: SqlDialect, driver: SqlDriver) {
    this.#driver = driver;
    this.#statements = new Statements(dialect);
    this.#commits = sharedCommits(this.#statements);
  }

  get<R>(entity: Entity<R>, id: Key, scope: Scope, w: Within): Promise<R | null> {
    return this.#driver.read((nowMs) => getRow(begin(this.#statements, nowMs), entity as AnyEntity, id, scope), w) as Promise<R | null>;
  }

  async find<R>(entity: Entity<R>, q: FindQuery<R>, scope: Scope, w: Within): Promise<{ rows: R[]; next: string | null }> {
    const found = entity as AnyEntity;
    const query = q as unknown as FindQuery<Fields>;
    assertFind(found, query);
    const after = query.cursor === undefined ? null : decodeCursor(found, query, query.cursor);
    const page = { where: query.where, orderBy: query.orderBy, desc: query.desc, after, limit: query.limit + 1 };
    const rows = await this.#driver.read((nowMs) => findValues(begin(this.#statements, nowMs), found, page, scope), w);
    const last = rows.length > query.limit ? rows[query.limit - 1] : undefined;
    return {
      rows: rows.slice(0, query.limit).map((values) => decodeRow(found, values) as R),
      next: last === undefined ? null : encodeCursor(found, query, positionOf(found, query.orderBy, last)),
    };
  }

  async sum<R>(entity: Entity<R>, q: SumQuery<R>, scope: Scope, w: Within): Promise<SumRow[]> {
    const query = q as unknown as SumQuery<Fields>;
    assertSum(entity as AnyEntity, query);
    return this.#driver.read((nowMs) => sumRows(begin(this.#statements, nowMs), entity as AnyEntity, query, scope), w);
  }

  read<E>(log: LogEntity<E>, stream: Key, q: ReadQuery, scope: Scope, w: Within): Promise<{ seq: number; atMs: number; entry: E }[]> {
    return this.#driver.read(
      (nowMs) => readEntries(begin(this.#statements, nowMs), log as AnyLogEntity, stream, { scope, ...q }),
      w,
    ) as Promise<{ seq: number; atMs: number; entry: E }[]>;
  }

  async commit(units: readonly Unit[], w: Within): Promise<UnitResult[]> {
    const encoded = encodeUnits(units);
    const atOnce = this.#statements.dialect.isFar ? UNITS_AT_ONCE_FAR : UNITS_AT_ONCE;
    if (encoded.length <= atOnce) return this.#apply(encoded, w);
    const results: UnitResult[] = [];
    for (let from = 0; from < encoded.length; from += atOnce)
      try {
        results.push(...(await this.#apply(encoded.slice(from, from + atOnce), w)));
      } catch (error) {
        throw from === 0 ? error : partly(error);
      }
    return results;
  }

  #apply(units: readonly EncodedUnit[], w: Within): Promise<UnitResult[]> {
    if (this.#driver.writeShared !== undefined) return this.#driver.writeShared(this.#commits, units, w);
    return this.#driver.write((nowMs) => applyUnits(begin(this.#statements, nowMs), units), w);
  }

  async take<R>(entity: Entity<R>, t: TakeQuery<R>, w: Within): Promise<R[]> {
    const query = t as unknown as TakeQuery<Fields>;
    assertTake(entity as AnyEntity, query);
    const take = { encoded: encodeChange(entity as AnyEntity, query.change), ...query };
    return (await this.#driver.write((nowMs) => takeRows(begin(this.#statements, nowMs), entity as AnyEntity, take), w)) as R[];
  }

  async prune(entity: AnyEntity | AnyLogEntity, olderThanMs: number, limit: number, w: Within): Promise<number> {
    if (entity.kind === "log")
      return this.#driver.write((nowMs) => pruneEntries(begin(this.#statements, nowMs), entity, olderThanMs, limit), w);
    if (entity.kind !== "ledger") throw new GatewayError("internal", `Rows of ${entity.name} are removed one by one, never pruned.`);
    return this.#driver.write((nowMs) => pruneRows(begin(this.#statements, nowMs), entity, olderThanMs, limit), w);
  }

  async changes(after: string | null, limit: number, w: Within): Promise<ChangesPage> {
    const place = after === null ? null : decodeChangesCursor(after);
    return this.#driver.read((nowMs) => readChanges(begin(this.#statements, nowMs), place, limit), w);
  }

  now(w: Within): Promise<number> {
    const statements = this.#statements;
    return this.#driver.read(function* (nowMs) {
      const { clock } = statements.dialect;
      if (clock === null) return nowMs;
      const { rows } = yield statements.query("now", [], "one", () => sql`select ${sql.raw(clock)}`);
      return Number(rows[0]?.[0]);
    }, w);
  }

  close(): Promise<void> {
    return this.#driver.close();
  }
}

function positionOf(entity: AnyEntity, orderBy: string, values: readonly unknown[]): Position {
  const value = decodeValue(entity, storedColumn(entity, orderBy) as StoredColumn, values[columnIndex(entity, orderBy)]);
  return { value: value as Position["value"], id: values[0] as string };
}

/** Earlier pieces of the call stand: the caller has to find out which. */
function partly(error: unknown): GatewayError {
  const known = GatewayError.from(error);
  return new GatewayError(known.code, known.message, {
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    details: { ...known.details, outcome: "unknown" },
    cause: known.cause ?? error,
  });
}

/** The record store over a SQL database: everything but the driver and the dialect. The tables must be there; `migrate` makes them. */
export function sqlRecordStore(dialect: SqlDialect, driver: SqlDriver): RecordStore {
  return new SqlRecordStore(dialect, driver);
}
