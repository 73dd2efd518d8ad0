import { columnIndex, storedColumn, type AnyEntity } from "@sallyport/core/entities";
import { decodeRow, fieldTest, orderOf, type EncodedChange, type StoredInput, type TakeQuery } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlValue, Work } from "../driver.js";
import { allColumns, ref, table } from "../statements/columns.js";
import { and, padded, pushWhere, whereSql, type Fragment } from "../statements/conditions.js";
import { inputSql, type Inputs } from "../statements/inputs.js";
import type { Slots } from "../statements/statements.js";
import { noteChange, writeChanges } from "./change-log.js";
import { inputsOf, type Context } from "./context.js";
import { changeSql, pushChange } from "./write-row.js";

type Take = Pick<TakeQuery<Record<string, unknown>>, "where" | "orderBy" | "limit">;
type Order = ReturnType<typeof orderOf>;
type Combination = readonly (readonly [field: string, value: StoredInput])[];

/** More ranges than this and one sorted scan is cheaper than their union. */
const MAX_RANGES = 64;

/**
 * How rows are found without sorting a backlog: one index range for each combination of the values that the condition names, each already in order. With two fields in the
 * order, the first is stepped through value by value.
 */
interface Ranges {
  readonly combinations: readonly Combination[];
  /** What the condition says beyond the combinations. */
  readonly rest: Take["where"];
  readonly step: Order | null;
  readonly last: Order;
}

function headValues(entity: AnyEntity, where: Take["where"], name: string): readonly StoredInput[] | null {
  const given = (where as Readonly<Record<string, unknown>>)[name];
  if (given === undefined) return null;
  const test = fieldTest(entity, name, given);
  if (test.op === "eq") return [test.value as StoredInput];
  return test.op === "in" ? ([...new Set(test.values)] as readonly StoredInput[]) : null;
}

/** The ranges of the first index that has fields with named values, then those of the order, then at most the id. */
function rangesOf(entity: AnyEntity, t: Take): Ranges | null {
  const orders = t.orderBy.map(orderOf);
  const last = orders.at(-1);
  const step = orders.length === 2 ? (orders[0] as Order) : null;
  if (last === undefined || orders.length > 2 || (step !== null && storedColumn(entity, step.name)?.nullable !== false)) return null;
  for (const index of entity.indexes) {
    const fields = index.at(-1) === "id" ? index.slice(0, -1) : index;
    const heads = fields.slice(0, fields.length - orders.length);
    if (!orders.every(({ name }, i) => fields[heads.length + i] === name)) continue;
    const values = heads.map((name) => headValues(entity, t.where, name));
    if (!values.every((list) => list !== null)) continue;
    let combinations: Combination[] = [[]];
    heads.forEach((name, i) => {
      combinations = combinations.flatMap((one) => (values[i] ?? []).map((value): Combination => [...one, [name, value]]));
    });
    if (combinations.length > MAX_RANGES) return null;
    const rest = Object.fromEntries(Object.entries(t.where).filter(([name]) => !heads.includes(name))) as Take["where"];
    return { combinations, rest, step, last };
  }
  return null;
}

const orderSql = (orders: readonly Order[]): Fragment => {
  const desc = orders.at(-1)?.desc === true;
  const all = [...orders, ...(orders.some(({ name }) => name === "id") ? [] : [{ name: "id", desc }])];
  return sql.join(all.map((order) => sql`${ref(order.name)} ${sql.raw(order.desc ? "desc" : "asc")}`));
};

/** The ids of matching rows in order, by one scan: for what no index has in order. */
function* scan(c: Context, entity: AnyEntity, t: Take): Work<string[]> {
  const orders = t.orderBy.map(orderOf);
  const inputs = inputsOf(c);
  const key = `scan ${entity.table} ${t.orderBy.join(",")} ${pushWhere(entity, t.where, inputs)}`;
  inputs.push(t.limit);
  const { rows } = yield c.statements.query(key, inputs.values, "many", (slots) => {
    const where = and(whereSql(entity, t.where, slots, c.clock));
    const lock = sql.raw(c.statements.dialect.lockAndSkip);
    return sql`select ${ref("id")} from ${table(entity)} where ${where} order by ${orderSql(orders)} limit ${slots.next()}${lock}`;
  });
  return rows.map(([id]) => id as string);
}

const pushCombination = (combination: Combination, inputs: Inputs): string => combination.map(([, value]) => inputs.push(value)).join("");
const combinationSql = (c: Context, combination: Combination, slots: Slots): Fragment[] =>
  combination.map(([name, value]) => sql`${ref(name)} = ${inputSql(value, slots, c.clock)}`);

/** One select for each combination, of which the best is wanted. */
const union = (parts: readonly Fragment[]): Fragment =>
  sql.join(
    parts.map((part, i) => sql`select * from (${part}) as ${sql.ref(`part${i}`)}`),
    sql` union all `,
  );

/** The next value of the stepping field in any of the ranges. */
function* nextStep(c: Context, entity: AnyEntity, ranges: Ranges & { readonly step: Order }, after: SqlValue): Work<SqlValue> {
  const { name, desc } = ranges.step;
  const inputs = inputsOf(c);
  let key = `step ${entity.table} ${name} ${desc ? "down" : "up"} ${after === null ? "first" : "next"} ${(ranges.combinations[0] ?? []).map(([head]) => head).join(",")} `;
  for (const combination of ranges.combinations) {
    key += `${pushCombination(combination, inputs)}|`;
    if (after !== null) inputs.values.push(after);
  }
  const { rows } = yield c.statements.query(key, inputs.values, "one", (slots) => {
    const parts = ranges.combinations.map((combination) => {
      const all = combinationSql(c, combination, slots);
      if (after !== null) all.push(sql`${ref(name)} ${sql.raw(desc ? "<" : ">")} ${slots.next()}`);
      return sql`select ${ref(name)} as ${sql.ref("step")} from ${table(entity)} where ${and(all)} order by ${ref(name)} ${sql.raw(desc ? "desc" : "asc")} limit 1`;
    });
    return sql`select ${sql.raw(desc ? "max" : "min")}(${sql.ref("step")}) from (${union(parts)}) as ${sql.ref("steps")}`;
  });
  return (rows[0]?.[0] as SqlValue | undefined) ?? null;
}

/** The ids of matching rows in order, from the ranges at one value of the stepping field. */
function* scanRanges(
  c: Context,
  entity: AnyEntity,
  t: Take,
  at: { readonly ranges: Ranges; readonly step: SqlValue; readonly limit: number },
): Work<string[]> {
  const { combinations, rest, step, last } = at.ranges;
  const inputs = inputsOf(c);
  let key = `range ${entity.table} ${t.orderBy.join(",")} ${(combinations[0] ?? []).map(([head]) => head).join(",")} `;
  for (const combination of combinations) {
    key += `${pushCombination(combination, inputs)}${pushWhere(entity, rest, inputs)}|`;
    if (step !== null) inputs.values.push(at.step);
    inputs.push(at.limit);
  }
  if (combinations.length > 1) inputs.push(at.limit);
  const { rows } = yield c.statements.query(key, inputs.values, "many", (slots) => {
    const parts = combinations.map((combination) => {
      const all = [...combinationSql(c, combination, slots), ...whereSql(entity, rest, slots, c.clock)];
      if (step !== null) all.push(sql`${ref(step.name)} = ${slots.next()}`);
      const lock = sql.raw(c.statements.dialect.lockAndSkip);
      return sql`select ${ref("id")}, ${ref(last.name)} from ${table(entity)} where ${and(all)} order by ${orderSql([last])} limit ${slots.next()}${lock}`;
    });
    if (parts.length === 1) return parts[0] as Fragment;
    return sql`select ${ref("id")} from (${union(parts)}) as ${sql.ref("due")} order by ${orderSql([last])} limit ${slots.next()}`;
  });
  return rows.map(([id]) => id as string);
}

function* chooseIds(c: Context, entity: AnyEntity, t: Take): Work<string[]> {
  const ranges = rangesOf(entity, t);
  if (ranges === null) return yield* scan(c, entity, t);
  if (ranges.combinations.length === 0) return [];
  const { step } = ranges;
  if (step === null) return yield* scanRanges(c, entity, t, { ranges, step: null, limit: t.limit });
  const stepping = ranges as Ranges & { readonly step: Order };
  const ids: string[] = [];
  for (let value = yield* nextStep(c, entity, stepping, null); value !== null; value = yield* nextStep(c, entity, stepping, value)) {
    ids.push(...(yield* scanRanges(c, entity, t, { ranges, step: value, limit: t.limit - ids.length })));
    if (ids.length === t.limit) break;
  }
  return ids;
}

/** Changes the rows of these ids and gives their stored values, in no order. */
function* changeRows(c: Context, entity: AnyEntity, ids: readonly string[], change: EncodedChange): Work<readonly (readonly unknown[])[]> {
  const all = padded(ids);
  if (change.set.length > 0 || change.add.length > 0) {
    const inputs = inputsOf(c);
    const key = `change ${entity.table} ${pushChange(c, change, inputs)} ${all.length}`;
    for (const id of all) inputs.push(id);
    yield c.statements.query(key, inputs.values, "nothing", (slots) => {
      const set = changeSql(c, change, slots);
      return sql`update ${table(entity)} set ${set} where ${ref("id")} in (${sql.join(all.map(() => sql`${slots.next()}`))})`;
    });
  }
  const { rows } = yield c.statements.query(`rows ${entity.table} ${all.length}`, all, all.length === 1 ? "one" : "many", (slots) => {
    const where = sql`${ref("id")} in (${sql.join(all.map(() => sql`${slots.next()}`))})`;
    return sql`select ${allColumns(entity)} from ${table(entity)} where ${where}`;
  });
  return rows;
}

/** Picks rows in order, changes them and gives them as changed. */
export function* takeRows(c: Context, entity: AnyEntity, t: Take & { readonly encoded: EncodedChange }): Work<Record<string, unknown>[]> {
  const ids = yield* chooseIds(c, entity, t);
  if (ids.length === 0) return [];
  const changed = new Map<unknown, readonly unknown[]>();
  for (const values of yield* changeRows(c, entity, ids, t.encoded)) changed.set(values[0], values);
  const version = columnIndex(entity, "version");
  const taken: Record<string, unknown>[] = [];
  for (const id of ids) {
    const values = changed.get(id);
    if (values === undefined) continue;
    if (t.encoded.moves && entity.watched) noteChange(c, entity.name, id, values[version] as number);
    taken.push(decodeRow(entity, values));
  }
  yield* writeChanges(c);
  return taken;
}
