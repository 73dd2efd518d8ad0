import { columnIndex, type AnyEntity, type AnyLogEntity } from "../../entities/index.js";
import { fieldTest, isStoreNow, type Scope, type StoredScalar } from "../../ports/index.js";
import { compareScalars, type StoredRow } from "./ordered-cells.js";

export type Predicate = (row: StoredRow) => boolean;
type Conditions = Readonly<Record<string, unknown>>;

const holds = (): boolean => true;

/** A value of a test as it is kept, the store's clock resolved. */
export function resolve(value: unknown, nowMs: number): StoredScalar {
  return typeof value === "object" && isStoreNow(value) ? nowMs + value.storeNowPlusMs : (value as StoredScalar);
}

/** As SQL: a comparison with null never holds, only the test against null does. */
function predicateOf(entity: AnyEntity, name: string, given: unknown, nowMs: number): Predicate {
  const test = fieldTest(entity, name, given);
  const column = columnIndex(entity, name);
  if (test.op === "null") return (row) => row[column] === null;
  if (test.op === "in") {
    const values = new Set(test.values.map((value) => resolve(value, nowMs)));
    return (row) => row[column] !== null && values.has(row[column] as StoredScalar);
  }
  const value = resolve(test.value, nowMs);
  if (test.op === "eq") return (row) => row[column] === value;
  const { op } = test;
  return (row) => {
    const own = row[column] as StoredScalar;
    if (own === null) return false;
    const order = compareScalars(own, value);
    return op === "lt" ? order < 0 : op === "lte" ? order <= 0 : op === "gt" ? order > 0 : order >= 0;
  };
}

/** The conditions as a function of a row; checked by `assertWhere` before. */
export function toPredicate(entity: AnyEntity, where: Conditions | undefined, nowMs: number): Predicate {
  if (where === undefined) return holds;
  const all = Object.keys(where).map((name): Predicate => {
    if (name !== "any") return predicateOf(entity, name, where[name], nowMs);
    const alternatives = (where[name] as readonly Conditions[]).map((one) => toPredicate(entity, one, nowMs));
    return (row) => alternatives.some((alternative) => alternative(row));
  });
  if (all.length === 1) return all[0] as Predicate;
  return (row) => all.every((one) => one(row));
}

/** Whether a row may be seen; null: every row. */
export function scopePredicate(entity: AnyEntity | AnyLogEntity, scope: Scope): Predicate | null {
  if ("system" in scope || entity.scope === null) return null;
  const column = columnIndex(entity, entity.scope);
  return (row) => scope.projects.includes(row[column] as string);
}

export function inScope(entity: AnyEntity | AnyLogEntity, row: StoredRow, scope: Scope): boolean {
  return "system" in scope || entity.scope === null || scope.projects.includes(row[columnIndex(entity, entity.scope)] as string);
}
