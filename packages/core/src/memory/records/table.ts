import { columnIndex, referencesOf, type AnyEntity } from "../../entities/index.js";
import type { StoredInput, StoredScalar } from "../../ports/index.js";
import { IndexTree } from "./index-tree.js";
import type { Cell, StoredRow } from "./ordered-cells.js";
import { resolve } from "./predicate.js";

interface Unique {
  readonly columns: readonly number[];
  readonly cells: Map<StoredScalar, Cell>;
}

/** null when a value is null: NULLs are distinct. */
function uniqueKey(unique: Unique, row: StoredRow): StoredScalar {
  if (unique.columns.length === 1) return row[unique.columns[0] as number] as StoredScalar;
  let key = "";
  for (const column of unique.columns) {
    const value = row[column] as StoredScalar;
    if (value === null) return null;
    const part = String(value);
    key += `${part.length}:${part}`;
  }
  return key;
}

/** Every row begins with its id. */
export const ID = 0;

/** The rows of one entity with its unique constraints and indexes, kept in step with every change. */
export class Table {
  readonly entity: AnyEntity;
  readonly cells = new Map<string, Cell>();
  readonly indexes: readonly IndexTree[];
  /** Positions of what the store sets; -1 where the kind has none. */
  readonly version: number;
  readonly updatedAtMs: number;
  readonly #createdAtMs: number;
  /** Of a ledger: its cells in the order of their insertion, for the indexes to take in. */
  readonly #added: Cell[] | null;
  #dead = 0;
  readonly #uniques: readonly Unique[];
  /** A ledger keeps this many rows, its newest; they go in tenths. */
  readonly #most: number;

  constructor(entity: AnyEntity, o: { readonly ledgerRows: number }) {
    this.entity = entity;
    this.#most = entity.kind === "ledger" ? o.ledgerRows : Infinity;
    this.version = columnIndex(entity, "version");
    this.updatedAtMs = columnIndex(entity, "updatedAtMs");
    this.#createdAtMs = columnIndex(entity, "createdAtMs");
    const positions = (fields: readonly string[]): number[] => fields.map((name) => columnIndex(entity, name));
    this.#added = entity.kind === "ledger" ? [] : null;
    // Of what refers to rows, those that refer to one are found by it, also where only a unique constraint begins with it.
    const references = referencesOf(entity).map(({ field }) => field);
    const uniques = entity.unique.filter(([head, ...more]) => more.length > 0 && references.includes(head as string));
    this.indexes = [...entity.indexes, ...uniques].map((declared) => {
      // Ties go by id in any case.
      const fields = declared.length > 1 && declared.at(-1) === "id" ? declared.slice(0, -1) : declared;
      return new IndexTree(fields, positions(fields), this.#added);
    });
    this.#uniques = entity.unique.map((fields) => ({ columns: positions(fields), cells: new Map<StoredScalar, Cell>() }));
  }

  /** A new row from its encoded values, with what the store sets. */
  toRow(values: readonly StoredInput[], nowMs: number): StoredRow {
    const row = values.map((value) => resolve(value, nowMs));
    if (this.version < 0) return row;
    row[this.version] = 1;
    row[this.#createdAtMs] ??= nowMs;
    row[this.updatedAtMs] ??= nowMs;
    return row;
  }

  /** A row that has the id or a unique value of this one already. */
  holderOf(row: StoredRow, except: Cell | null): Cell | null {
    const same = this.cells.get(row[ID] as string);
    if (same !== undefined && same !== except) return same;
    for (const unique of this.#uniques) {
      const key = uniqueKey(unique, row);
      const holder = key === null ? undefined : unique.cells.get(key);
      if (holder !== undefined && holder !== except) return holder;
    }
    return null;
  }

  /** The row with exactly these values of one unique constraint, which must all be given. */
  byUnique(known: ReadonlyMap<number, StoredScalar>): Cell | null | undefined {
    const unique = this.#uniques.find((one) => one.columns.every((column) => (known.get(column) ?? null) !== null));
    if (unique === undefined) return undefined;
    const row: StoredScalar[] = [];
    for (const [column, value] of known) row[column] = value;
    return unique.cells.get(uniqueKey(unique, row)) ?? null;
  }

  add(cell: Cell): void {
    cell.live = true;
    this.#added?.push(cell);
    this.cells.set(cell.id, cell);
    for (const unique of this.#uniques) {
      const key = uniqueKey(unique, cell.row);
      if (key !== null) unique.cells.set(key, cell);
    }
    for (const index of this.indexes) index.add(cell);
    if (this.cells.size > this.#most * 1.1) this.#dropOldest(this.cells.size - this.#most);
  }

  #dropOldest(count: number): void {
    let left = count;
    for (const cell of this.#added ?? []) {
      if (left === 0) break;
      if (!cell.live) continue;
      this.#unlink(cell);
      left--;
    }
    this.#forget();
  }

  remove(cell: Cell): void {
    this.#unlink(cell);
    this.#forget();
  }

  #unlink(cell: Cell): void {
    cell.live = false;
    this.#dead++;
    this.cells.delete(cell.id);
    for (const unique of this.#uniques) {
      const key = uniqueKey(unique, cell.row);
      if (key !== null) unique.cells.delete(key);
    }
    for (const index of this.indexes) index.remove(cell);
  }

  /** Drops dead cells from the list once they are half of it. */
  #forget(): void {
    const added = this.#added;
    if (added === null || this.#dead * 2 <= added.length) return;
    for (const index of this.indexes) {
      let live = 0;
      for (let i = 0; i < index.taken; i++) if (added[i]?.live === true) live++;
      index.taken = live;
    }
    const kept = added.filter((cell) => cell.live);
    added.length = 0;
    for (const cell of kept) added.push(cell);
    this.#dead = 0;
  }

  /** The caller has checked that the new row takes nobody's unique value. */
  replace(cell: Cell, row: StoredRow): void {
    const moves = (columns: readonly number[]): boolean => columns.some((column) => cell.row[column] !== row[column]);
    const indexes = this.indexes.filter((index) => moves(index.columns));
    const uniques = this.#uniques.filter((unique) => moves(unique.columns));
    for (const index of indexes) index.remove(cell);
    for (const unique of uniques) {
      const key = uniqueKey(unique, cell.row);
      if (key !== null) unique.cells.delete(key);
    }
    cell.row = row;
    for (const index of indexes) index.add(cell);
    for (const unique of uniques) {
      const key = uniqueKey(unique, row);
      if (key !== null) unique.cells.set(key, cell);
    }
  }
}
