import {
  decodeRow,
  type EncodedAppend,
  type EncodedChange,
  type EncodedErase,
  type EncodedInsert,
  type EncodedRemove,
  type EncodedUnit,
  type EncodedUpdate,
  type EncodedWrite,
  type Scope,
  type StoredScalar,
  type UnitResult,
} from "../../ports/index.js";
import type { Cell, StoredRow } from "./ordered-cells.js";
import { inScope, resolve, toPredicate } from "./predicate.js";
import type { Table } from "./table.js";
import type { Tables } from "./tables.js";

type Refusal = Omit<Extract<UnitResult, { ok: false }>, "ok" | "failed">;
type Applied = { readonly version: number; readonly firstSeq?: number; readonly skipped?: true };

const missing: Refusal = { why: "missing", current: null };

/** One unit while it is applied: what was done so far, and how to take it back. */
interface Applying {
  readonly tables: Tables;
  readonly scope: Scope;
  readonly nowMs: number;
  readonly undo: (() => void)[];
  readonly watched: { readonly entity: string; readonly id: string; readonly version: number }[];
}

function current(a: Applying, table: Table, cell: Cell): Refusal["current"] {
  return inScope(table.entity, cell.row, a.scope) ? decodeRow(table.entity, cell.row) : null;
}

function note(a: Applying, table: Table, id: string, version: number): void {
  if (table.entity.watched) a.watched.push({ entity: table.entity.name, id, version });
}

function applyInsert(a: Applying, write: EncodedInsert): Applied | Refusal {
  const table = a.tables.of(write.entity);
  const row = table.toRow(write.values, a.nowMs);
  if (!inScope(table.entity, row, a.scope)) return missing;
  const holder = table.holderOf(row, null);
  if (holder !== null)
    return write.ifTaken === "skip" ? { version: 0, skipped: true } : { why: "taken", current: current(a, table, holder) };
  if (!a.tables.leadsSomewhere(table.entity, row)) return missing;
  const cell: Cell = { id: write.id, row, live: true };
  table.add(cell);
  a.undo.push(() => table.remove(cell));
  if (table.entity.kind === "ledger") return { version: 0 };
  note(a, table, cell.id, 1);
  return { version: 1 };
}

/** The row as the change leaves it, or null when a number would leave the safe integers. As in SQL, null plus something stays null. */
export function changed(table: Table, row: StoredRow, change: EncodedChange, nowMs: number): StoredRow | null {
  const next: StoredScalar[] = row.slice();
  for (const [{ index }, value] of change.set) next[index] = resolve(value, nowMs);
  for (const [{ index }, delta] of change.add) {
    const before = next[index];
    if (typeof before !== "number") continue;
    const sum = before + delta;
    if (!Number.isSafeInteger(sum)) return null;
    next[index] = sum;
  }
  if (change.moves) {
    next[table.version] = (row[table.version] as number) + 1;
    next[table.updatedAtMs] = nowMs;
  }
  return next;
}

/** The row that an update or remove means, if its guards hold. */
function guarded(a: Applying, table: Table, write: EncodedUpdate | EncodedRemove): Cell | Refusal {
  const cell = table.cells.get(write.id);
  if (cell === undefined || !inScope(table.entity, cell.row, a.scope)) return missing;
  if (write.ifVersion !== undefined && cell.row[table.version] !== write.ifVersion)
    return { why: "version", current: current(a, table, cell) };
  if (write.where !== undefined && !toPredicate(table.entity, write.where, a.nowMs)(cell.row))
    return { why: "guard", current: current(a, table, cell) };
  return cell;
}

function applyUpdate(a: Applying, write: EncodedUpdate): Applied | Refusal {
  const table = a.tables.of(write.entity);
  const moved = write.set.find(([column]) => column.name === table.entity.scope);
  if (moved !== undefined && "projects" in a.scope && !a.scope.projects.includes(moved[1] as string)) return missing;
  const cell = guarded(a, table, write);
  if ("why" in cell) return cell;
  const before = cell.row;
  const after = changed(table, before, write, a.nowMs);
  if (after === null) return { why: "guard", current: current(a, table, cell) };
  const holder = table.holderOf(after, cell);
  if (holder !== null) return { why: "taken", current: current(a, table, holder) };
  if (!a.tables.leadsSomewhere(table.entity, after)) return missing;
  table.replace(cell, after);
  a.undo.push(() => table.replace(cell, before));
  if (after[table.version] !== before[table.version]) note(a, table, cell.id, after[table.version] as number);
  return { version: after[table.version] as number };
}

function applyRemove(a: Applying, write: EncodedRemove): Applied | Refusal {
  const table = a.tables.of(write.entity);
  const cell = guarded(a, table, write);
  if ("why" in cell) return cell;
  if (a.tables.isReferredTo(table.entity, cell.id)) return { why: "guard", current: current(a, table, cell) };
  table.remove(cell);
  a.undo.push(() => table.add(cell));
  note(a, table, cell.id, 0);
  return { version: 0 };
}

function applyAppend(a: Applying, write: EncodedAppend): Applied | Refusal {
  const streams = a.tables.log(write.log);
  const rows = write.entries.map((entry) => streams.toRow(entry, a.nowMs));
  if (!rows.every((row) => inScope(write.log, row, a.scope))) return missing;
  const newest = streams.newest(write.stream);
  if (newest !== null && !inScope(write.log, newest.row, a.scope)) return missing;
  const last = streams.lastSeq(write.stream);
  if (write.ifLast !== undefined && write.ifLast !== last)
    return { why: "last", current: newest === null ? null : { ...decodeRow(write.log, newest.row), seq: newest.seq, atMs: newest.atMs } };
  if (rows.length === 0) return { version: 0 };
  a.undo.push(streams.append(write.stream, rows, write.atMs ?? a.nowMs));
  return { version: 0, firstSeq: last + 1 };
}

function applyErase(a: Applying, write: EncodedErase): Applied | Refusal {
  const streams = a.tables.log(write.log);
  const newest = streams.newest(write.stream);
  if (newest !== null && !inScope(write.log, newest.row, a.scope)) return missing;
  a.undo.push(streams.erase(write.stream, write.upToSeq));
  return { version: 0 };
}

function applyWrite(a: Applying, write: EncodedWrite): Applied | Refusal {
  switch (write.op) {
    case "insert":
      return applyInsert(a, write);
    case "update":
      return applyUpdate(a, write);
    case "remove":
      return applyRemove(a, write);
    case "append":
      return applyAppend(a, write);
    case "erase":
      return applyErase(a, write);
  }
}

function takeBack(a: Applying): void {
  for (let i = a.undo.length - 1; i >= 0; i--) a.undo[i]?.();
}

/** Applies the writes in order, or none of them. */
export function applyUnit(tables: Tables, unit: EncodedUnit, nowMs: number): UnitResult {
  const a: Applying = { tables, scope: unit.scope, nowMs, undo: [], watched: [] };
  const versions: number[] = [];
  const skipped: number[] = [];
  let firstSeq: number | undefined;
  for (let i = 0; i < unit.writes.length; i++) {
    let result: Applied | Refusal;
    try {
      result = applyWrite(a, unit.writes[i] as EncodedWrite);
    } catch (error) {
      takeBack(a);
      throw error;
    }
    if ("why" in result) {
      takeBack(a);
      return { ok: false, failed: i, ...result };
    }
    versions.push(result.version);
    if (result.skipped === true) skipped.push(i);
    firstSeq ??= result.firstSeq;
  }
  for (const { entity, id, version } of a.watched) tables.changes.add(entity, id, version);
  return { ok: true, versions, skipped, ...(firstSeq === undefined ? {} : { firstSeq }) };
}
