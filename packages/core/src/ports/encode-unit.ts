import { columnsByName, storedColumns, type AnyEntity, type AnyLogEntity, type Key, type StoredColumn } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { assertChange, assertWhere, movesVersion } from "./query-checks.js";
import type { KeptInstants, Scope, StoreNow, Unit, Where, Write } from "./record-store.js";
import { assertFields, assertKey, encodeValue, type StoredScalar } from "./stored-value.js";

// A unit as every store begins with it: checked whole, values as they are kept. What one store refuses, all do, before anything is applied.

export type StoredInput = StoredScalar | StoreNow;
interface Guard {
  readonly entity: AnyEntity;
  readonly id: Key;
  readonly where: Where<Record<string, unknown>> | undefined;
  readonly ifVersion: number | undefined;
}
export interface EncodedInsert {
  readonly op: "insert";
  readonly entity: AnyEntity;
  readonly id: Key;
  /** One a column of `storedColumns`; null where the store sets it. */
  readonly values: readonly StoredInput[];
  /** The instants that the store would set are given. */
  readonly isDated: boolean;
  readonly ifTaken: "refuse" | "skip";
}
export interface EncodedChange {
  readonly set: readonly (readonly [column: StoredColumn, value: StoredInput])[];
  readonly add: readonly (readonly [column: StoredColumn, delta: number])[];
  /** Whether it is more than a touch. */
  readonly moves: boolean;
}
export interface EncodedUpdate extends Guard, EncodedChange {
  readonly op: "update";
}
export interface EncodedRemove extends Guard {
  readonly op: "remove";
}
export interface EncodedAppend {
  readonly op: "append";
  readonly log: AnyLogEntity;
  readonly stream: Key;
  readonly entries: readonly (readonly StoredInput[])[];
  readonly ifLast: number | undefined;
  /** One an entry; undefined: the store's now. */
  readonly atMs: readonly number[] | undefined;
}
export interface EncodedErase {
  readonly op: "erase";
  readonly log: AnyLogEntity;
  readonly stream: Key;
  readonly upToSeq: number | undefined;
}
export type EncodedWrite = EncodedInsert | EncodedUpdate | EncodedRemove | EncodedAppend | EncodedErase;
export interface EncodedUnit {
  readonly scope: Scope;
  readonly writes: readonly EncodedWrite[];
}

function encodeRow(entity: AnyEntity | AnyLogEntity, row: Readonly<Record<string, unknown>>, kept?: KeptInstants): StoredInput[] {
  const columns = storedColumns(entity);
  const values = new Array<StoredInput>(columns.length);
  let known = 0;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as StoredColumn;
    if (column.kept) {
      values[i] = kept === undefined || column.name === "version" ? null : instantOf(kept[column.name as keyof KeptInstants]);
      continue;
    }
    const value = row[column.name];
    if (value !== undefined) known++;
    values[i] = encodeValue(entity, column, value);
  }
  // As many fields as were found are all of them; else each is looked up, to find the one that is nobody's.
  for (const _name in row) known--;
  if (known !== 0) assertFields(entity, row);
  return values;
}

function instantOf(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new GatewayError("internal", "A kept instant must be a whole number of Unix ms.");
}

/** Errors: `internal` or `validation_failed` as `encodeValue` says; `internal` for a change that `assertChange` refuses. */
export function encodeChange(entity: AnyEntity, change: Extract<Write, { op: "update" }>["change"]): EncodedChange {
  assertChange(entity, change);
  const columns = columnsByName(entity);
  return {
    set: Object.entries(change.set ?? {}).map(([name, value]) => {
      const column = columns.get(name) as StoredColumn;
      return [column, encodeValue(entity, column, value)] as const;
    }),
    add: Object.entries(change.add ?? {}).map(([name, delta]) => [columns.get(name) as StoredColumn, delta as number] as const),
    moves: movesVersion(entity, change),
  };
}

function encodeInstants({ entries, atMs }: Extract<Write, { op: "append" }>): readonly number[] | undefined {
  if (atMs === undefined) return undefined;
  if (atMs.length !== entries.length) throw new GatewayError("internal", "An append has one kept instant an entry, or none.");
  return atMs.map(instantOf);
}

function encodeWrite(write: Write): EncodedWrite {
  switch (write.op) {
    case "insert":
      assertKey(write.row["id"], `The id of a new ${write.entity.name}`);
      return {
        op: "insert",
        entity: write.entity,
        id: write.row["id"],
        values: encodeRow(write.entity, write.row, write.kept),
        isDated: write.kept !== undefined,
        ifTaken: write.ifTaken,
      };
    case "update":
      assertWhere(write.entity, write.where, false);
      return {
        op: "update",
        entity: write.entity,
        id: write.id,
        where: write.where,
        ifVersion: write.ifVersion,
        ...encodeChange(write.entity, write.change),
      };
    case "remove":
      if (write.entity.kind === "ledger")
        throw new GatewayError("internal", `A write removes a row of ${write.entity.name}, a ledger, whose rows stand.`);
      assertWhere(write.entity, write.where, false);
      return { op: "remove", entity: write.entity, id: write.id, where: write.where, ifVersion: write.ifVersion };
    case "append":
      assertKey(write.stream, `The stream of ${write.log.name}`);
      return {
        op: "append",
        log: write.log,
        stream: write.stream,
        entries: write.entries.map((entry) => encodeRow(write.log, entry)),
        ifLast: write.ifLast,
        atMs: encodeInstants(write),
      };
    case "erase":
      assertKey(write.stream, `The stream of ${write.log.name}`);
      return { op: "erase", log: write.log, stream: write.stream, upToSeq: write.upToSeq };
  }
}

/** Errors as `encodeWrite` has them, with `details.unit` the index of the unit at fault: nothing was applied, and the others may be sent again without it. */
export function encodeUnits(units: readonly Unit[]): EncodedUnit[] {
  return units.map((unit, index) => {
    try {
      return { scope: unit.scope, writes: unit.writes.map(encodeWrite) };
    } catch (error) {
      const known = GatewayError.from(error);
      throw new GatewayError(known.code, known.message, {
        ...(known.hint === undefined ? {} : { hint: known.hint }),
        details: { ...known.details, unit: index, outcome: "none" },
        cause: known.cause ?? error,
      });
    }
  });
}
