import { columnIndex } from "../../entities/index.js";
import { fieldTest, orderOf, type Scope, type StoredScalar } from "../../ports/index.js";
import type { Bounds, IndexTree, Leaf } from "./index-tree.js";
import { compareScalars, type Cell, type Place } from "./ordered-cells.js";
import { resolve, scopePredicate, toPredicate, type Predicate } from "./predicate.js";
import type { Table } from "./table.js";

export interface Selection {
  readonly where: Readonly<Record<string, unknown>> | undefined;
  readonly scope: Scope;
  readonly nowMs: number;
}
export interface Ordering {
  /** Field names, a leading "-" for descending. Ties go by id in the direction of the last. */
  readonly orderBy: readonly string[];
  /** Only with one field: start after this place. */
  readonly after: Place | null;
}

/** What the conditions say of each field alone: the values that it may have, and the bounds that it lies within. */
interface Known {
  readonly values: ReadonlyMap<string, readonly StoredScalar[]>;
  readonly bounds: ReadonlyMap<string, Bounds>;
}

function know(table: Table, selection: Selection): Known {
  const values = new Map<string, readonly StoredScalar[]>();
  const bounds = new Map<string, Bounds>();
  const { entity } = table;
  if (entity.scope !== null && "projects" in selection.scope) values.set(entity.scope, selection.scope.projects);
  for (const name in selection.where) {
    if (name === "any") continue;
    const test = fieldTest(entity, name, selection.where[name]);
    if (test.op === "null") values.set(name, [null]);
    else if (test.op === "in") values.set(name, test.values as readonly StoredScalar[]);
    else {
      const value = resolve(test.value, selection.nowMs);
      if (test.op === "eq") values.set(name, [value]);
      else bounds.set(name, test.op === "lt" || test.op === "lte" ? { high: value } : { low: value });
    }
  }
  return { values, bounds };
}

function predicateFor(table: Table, selection: Selection): Predicate {
  const where = toPredicate(table.entity, selection.where, selection.nowMs);
  const scope = scopePredicate(table.entity, selection.scope);
  return scope === null ? where : (row) => scope(row) && where(row);
}

/** Leaves of the index that the conditions lead to. */
function leavesOf(index: IndexTree, known: Known): Leaf[] {
  return index.leaves(index.fields.slice(0, -1).map((name) => known.values.get(name) ?? known.bounds.get(name) ?? null));
}

/** Cells of one leaf, narrowed by what is known of its last field. */
function* narrowed(leaf: Leaf, index: IndexTree, known: Known): Generator<Cell, void, undefined> {
  const field = index.fields[index.fields.length - 1] as string;
  const column = index.columns[index.columns.length - 1] as number;
  const exact = known.values.get(field);
  if (exact !== undefined) {
    for (const value of new Set(exact))
      for (const cell of leaf.cells.walk({ value, id: "" }, false)) {
        if (cell.row[column] !== value) break;
        yield cell;
      }
    return;
  }
  const { low, high } = known.bounds.get(field) ?? {};
  for (const cell of leaf.cells.walk(low === undefined ? null : { value: low, id: "" }, false)) {
    if (high !== undefined && compareScalars(cell.row[column] as StoredScalar, high) > 0) break;
    yield cell;
  }
}

/** A superset of the rows that match, from the index that narrows most; all rows when none does. */
function candidates(table: Table, known: Known): Iterable<Cell> {
  const ids = known.values.get("id");
  if (ids !== undefined) return [...new Set(ids)].flatMap((id) => table.cells.get(id as string) ?? []);
  const single = new Map<number, StoredScalar>();
  for (const [name, values] of known.values)
    if (values.length === 1) single.set(columnIndex(table.entity, name), values[0] as StoredScalar);
  const holder = table.byUnique(single);
  if (holder !== undefined) return holder === null ? [] : [holder];
  let best: IndexTree | null = null;
  let bestUse = 0;
  for (const index of table.indexes) {
    const known1 = index.fields.findIndex((name) => !known.values.has(name));
    const exact = known1 === -1 ? index.fields.length : known1;
    const next = index.fields[exact];
    const use = exact * 2 + (next !== undefined && exact === index.fields.length - 1 && known.bounds.has(next) ? 1 : 0);
    if (use > bestUse) [best, bestUse] = [index, use];
  }
  if (best === null) return table.cells.values();
  const index = best;
  return leavesOf(index, known).flatMap((leaf) => [...narrowed(leaf, index, known)]);
}

/** All rows that match, in no order. */
export function* select(table: Table, selection: Selection): Generator<Cell, void, undefined> {
  const matches = predicateFor(table, selection);
  for (const cell of candidates(table, know(table, selection))) if (matches(cell.row)) yield cell;
}

type Compare = (a: Cell, b: Cell) => number;

function comparison(table: Table, orderBy: readonly string[]): Compare {
  const orders = orderBy.map(orderOf).map(({ name, desc }) => ({ column: columnIndex(table.entity, name), desc }));
  const idSign = orders.at(-1)?.desc === true ? -1 : 1;
  return (a, b) => {
    for (const { column, desc } of orders) {
      const order = compareScalars(a.row[column] as StoredScalar, b.row[column] as StoredScalar);
      if (order !== 0) return desc ? -order : order;
    }
    return compareScalars(a.id, b.id) * idSign;
  };
}

/** The index that already has the wanted order: fields with known values first, then those of the order. */
function orderedIndex(table: Table, known: Known, orderBy: readonly string[]): IndexTree | undefined {
  const names = orderBy.map((entry) => orderOf(entry).name);
  return table.indexes.find(({ fields }) => {
    const head = fields.slice(0, fields.length - names.length);
    return (
      head.length + names.length === fields.length &&
      head.every((name) => known.values.has(name)) &&
      names.every((name, i) => fields[head.length + i] === name)
    );
  });
}

/** Merges walks that are each in order; there are few. */
function* merge(walks: Iterator<Cell, void, undefined>[], compare: Compare): Generator<Cell, void, undefined> {
  const heads = walks.flatMap((walk) => {
    const first = walk.next();
    return first.done === true ? [] : [{ walk, cell: first.value }];
  });
  while (heads.length > 0) {
    let least = 0;
    for (let i = 1; i < heads.length; i++)
      if (compare((heads[i] as { cell: Cell }).cell, (heads[least] as { cell: Cell }).cell) < 0) least = i;
    const head = heads[least] as { walk: Iterator<Cell, void, undefined>; cell: Cell };
    yield head.cell;
    const next = head.walk.next();
    if (next.done === true) heads.splice(least, 1);
    else head.cell = next.value;
  }
}

/** Walks the leaves group by group: those with equal values in the fields of the order before its last are merged, a group past the bound of its last field is left early. */
function* walkIndex(index: IndexTree, known: Known, ordering: Ordering & { readonly compare: Compare }): Generator<Cell, void, undefined> {
  const { compare } = ordering;
  const orders = ordering.orderBy.map(orderOf);
  const { name: last, desc } = orders[orders.length - 1] as { name: string; desc: boolean };
  const from = index.fields.length - orders.length;
  const column = index.columns[index.columns.length - 1] as number;
  const groups = new Map<string, { key: readonly StoredScalar[]; leaves: Leaf[] }>();
  for (const leaf of leavesOf(index, known)) {
    const key = leaf.key.slice(from);
    const mark = JSON.stringify(key);
    const group = groups.get(mark);
    if (group === undefined) groups.set(mark, { key, leaves: [leaf] });
    else group.leaves.push(leaf);
  }
  const byKey = [...groups.values()].sort((a, b) => {
    for (let i = 0; i < a.key.length; i++) {
      const order = compareScalars(a.key[i] as StoredScalar, b.key[i] as StoredScalar);
      if (order !== 0) return orders[i]?.desc === true ? -order : order;
    }
    return 0;
  });
  const { low, high } = known.bounds.get(last) ?? {};
  for (const { leaves } of byKey) {
    const walks = leaves.map((leaf) => leaf.cells.walk(ordering.after, desc));
    for (const cell of merge(walks, compare)) {
      const value = cell.row[column] as StoredScalar;
      if (!desc && high !== undefined && compareScalars(value, high) > 0) break;
      if (desc && low !== undefined && compareScalars(value, low) < 0) break;
      yield cell;
    }
  }
}

/** A cell that compares as the place does. */
function cellAt(table: Table, field: string, place: Place): Cell {
  const row: StoredScalar[] = [];
  row[columnIndex(table.entity, field)] = place.value;
  return { id: place.id, row, live: true };
}

/** Up to `limit` matching rows in order. With a fitting index it walks no further than it must, otherwise it sorts what matches. */
export function selectOrdered(table: Table, selection: Selection, asked: Ordering & { readonly limit: number }): Cell[] {
  const ordering = asked.orderBy.length > 0 ? asked : { ...asked, orderBy: ["id"] };
  const known = know(table, selection);
  const matches = predicateFor(table, selection);
  const compare = comparison(table, ordering.orderBy);
  const index = orderedIndex(table, known, ordering.orderBy);
  const found: Cell[] = [];
  if (index !== undefined) {
    for (const cell of walkIndex(index, known, { compare, ...ordering })) {
      if (!matches(cell.row)) continue;
      found.push(cell);
      if (found.length === ordering.limit) break;
    }
    return found;
  }
  const { after } = ordering;
  const past = after === null ? null : cellAt(table, orderOf(ordering.orderBy[0] ?? "id").name, after);
  for (const cell of candidates(table, known))
    if (matches(cell.row) && (past === null || compare(cell, past) > 0)) keepFirst(found, cell, { compare, limit: ordering.limit });
  return found;
}

/** Puts the cell in its place among the first `limit`; one behind them costs a comparison. */
function keepFirst(found: Cell[], cell: Cell, { compare, limit }: { readonly compare: Compare; readonly limit: number }): void {
  if (found.length >= limit && compare(cell, found[found.length - 1] as Cell) >= 0) return;
  let from = 0;
  for (let high = found.length; from < high; ) {
    const middle = (from + high) >>> 1;
    if (compare(found[middle] as Cell, cell) < 0) from = middle + 1;
    else high = middle;
  }
  found.splice(from, 0, cell);
  if (found.length > limit) found.pop();
}
