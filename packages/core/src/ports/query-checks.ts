import { assertIndexed, storedColumn, type AnyEntity, type StoredColumn } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { Change, FindQuery, SumQuery, TakeQuery } from "./record-store.js";
import { encodeValue, isStoreNow } from "./stored-value.js";

// What every store refuses alike, before it asks its database.

type Conditions = Readonly<Record<string, unknown>>;

function bug(entity: AnyEntity, what: string): GatewayError {
  return new GatewayError("internal", `A query of ${entity.name} ${what}.`, { details: { entity: entity.name } });
}

function columnOf(entity: AnyEntity, name: string): StoredColumn {
  const column = storedColumn(entity, name);
  if (column === undefined) throw bug(entity, `names "${name}", which it does not have`);
  return column;
}

const operators = new Set(["in", "lt", "lte", "gt", "gte"]);

/** A test on one field in one form: what `Test` says, taken apart. */
export type FieldTest =
  | { readonly op: "null" }
  | { readonly op: "in"; readonly values: readonly unknown[] }
  | { readonly op: "eq" | "lt" | "lte" | "gt" | "gte"; readonly value: unknown };

/** Takes a test apart. Errors: `internal` for a test that is undefined (a guard would hold by accident) or is of no known form. */
export function fieldTest(entity: AnyEntity, name: string, test: unknown): FieldTest {
  if (test === undefined) throw bug(entity, `tests "${name}" against undefined`);
  if (test === null) return { op: "null" };
  if (typeof test !== "object" || isStoreNow(test)) return { op: "eq", value: test };
  const entries = Object.entries(test);
  const [op, value] = entries[0] ?? ["", undefined];
  if (entries.length !== 1 || !operators.has(op)) throw bug(entity, `has a test of "${name}" with no single operator`);
  if (op === "in") {
    if (!Array.isArray(value)) throw bug(entity, `tests "${name}" against a list that is none`);
    return { op: "in", values: value };
  }
  return { op: op as "lt", value };
}

/**
 * Errors: `internal` for a condition on an unknown or json field, a test of no known form, or a value that the field cannot hold; with `indexed` also for a field
 * without an index.
 */
export function assertWhere(entity: AnyEntity, where: Conditions | undefined, indexed: boolean): void {
  if (where === undefined) return;
  for (const name in where) {
    if (name === "any") {
      const alternatives = where[name];
      if (!Array.isArray(alternatives)) throw bug(entity, `has an "any" that is no list`);
      for (const alternative of alternatives) assertWhere(entity, alternative as Conditions, indexed);
      continue;
    }
    const column = columnOf(entity, name);
    if (column.column.kind === "json") throw bug(entity, `tests the json field "${name}"`);
    if (indexed) assertIndexed(entity, name);
    const test = fieldTest(entity, name, where[name]);
    if (test.op === "null") continue;
    for (const value of test.op === "in" ? test.values : [test.value]) assertTestable(entity, column, value);
  }
}

function assertTestable(entity: AnyEntity, column: StoredColumn, value: unknown): void {
  const type = column.column.kind === "int" ? "number" : column.column.kind === "bool" ? "boolean" : "string";
  if (typeof value === type || (type === "number" && isStoreNow(value))) return;
  throw bug(entity, `tests "${column.name}" against a value of another type`);
}

function assertLimit(entity: AnyEntity, limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return;
  throw new GatewayError("bad_request", `A page of ${entity.name} has 1 to 1,000 rows.`, { details: { limit } });
}

export function assertFind(entity: AnyEntity, q: Omit<FindQuery<Record<string, unknown>>, "cursor">): void {
  assertLimit(entity, q.limit);
  assertWhere(entity, q.where, true);
  if (columnOf(entity, q.orderBy).column.kind === "json") throw bug(entity, `orders by the json field "${q.orderBy}"`);
  assertIndexed(entity, q.orderBy);
}

export function assertSum(entity: AnyEntity, q: SumQuery<Record<string, unknown>>): void {
  assertWhere(entity, q.where, true);
  for (const name of q.by) if (columnOf(entity, name).column.kind === "json") throw bug(entity, `groups by the json field "${name}"`);
  for (const name of q.sum) if (columnOf(entity, name).column.kind !== "int") throw bug(entity, `sums "${name}", which is no int`);
  if (q.bucketMs === undefined) return;
  if (entity.kind !== "ledger") throw bug(entity, "groups by time, which only a ledger can");
  if (!Number.isSafeInteger(q.bucketMs) || q.bucketMs < 1) throw bug(entity, "groups by a bucket that is no positive number of ms");
}

/** Field and direction of one entry of a take's `orderBy`. */
export function orderOf(entry: string): { readonly name: string; readonly desc: boolean } {
  return entry.startsWith("-") ? { name: entry.slice(1), desc: true } : { name: entry, desc: false };
}

export function assertTake(entity: AnyEntity, t: TakeQuery<Record<string, unknown>>): void {
  assertLimit(entity, t.limit);
  assertWhere(entity, t.where, true);
  for (const entry of t.orderBy) {
    const { name } = orderOf(entry);
    if (columnOf(entity, name).column.kind === "json") throw bug(entity, `orders by the json field "${name}"`);
    assertIndexed(entity, name);
  }
  assertChange(entity, t.change);
}

/** Errors: `internal` for a change of a ledger, of an id or of a field that the store keeps, for an unknown field, and for one that is both set and added to. */
export function assertChange(entity: AnyEntity, change: Change<Record<string, unknown>>): void {
  if (entity.kind === "ledger") throw bug(entity, "changes a ledger, whose rows stand");
  for (const name in change.set) {
    const column = columnOf(entity, name);
    if (column.kept || name === "id") throw bug(entity, `sets "${name}", which the store keeps`);
    encodeValue(entity, column, change.set[name]);
  }
  for (const name in change.add) {
    const column = columnOf(entity, name);
    if (column.kept || column.column.kind !== "int") throw bug(entity, `adds to "${name}", which is no int of its own`);
    if (!Number.isSafeInteger(change.add[name])) throw bug(entity, `adds to "${name}" what is no safe integer`);
    if (change.set !== undefined && name in change.set) throw bug(entity, `both sets "${name}" and adds to it`);
  }
}

/** Whether the change moves the row's version: it does unless every field that it names is declared `touch`. */
export function movesVersion(entity: AnyEntity, change: Change<Record<string, unknown>>): boolean {
  for (const name in change.set) if (storedColumn(entity, name)?.touch !== true) return true;
  for (const name in change.add) if (storedColumn(entity, name)?.touch !== true) return true;
  return false;
}
