import type { StoredColumn } from "@sallyport/core/entities";
import { isStoreNow, type StoredInput } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlValue } from "../driver.js";
import type { Fragment } from "./conditions.js";
import { inputSql } from "./inputs.js";
import type { Slots } from "./statements.js";

interface Clock {
  readonly clock: string | null;
  readonly nowMs: number;
}

const storeNow: StoredInput = { storeNowPlusMs: 0 };

/** What a new row has in a column: the store sets the kept ones. */
function inputOf(column: StoredColumn, values: readonly StoredInput[]): StoredInput {
  if (!column.kept) return values[column.index] as StoredInput;
  return column.name === "version" ? 1 : storeNow;
}

function parameter(c: Clock, value: StoredInput): SqlValue {
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "object" && isStoreNow(value)) return c.clock === null ? c.nowMs + value.storeNowPlusMs : value.storeNowPlusMs;
  return value;
}

/** The parameters of a new row, after those that come before it. `rowSql` has them in the same order. */
export function rowParameters(
  c: Clock,
  columns: readonly StoredColumn[],
  values: readonly StoredInput[],
  before: readonly StoredInput[] = [],
): SqlValue[] {
  const parameters = new Array<SqlValue>(before.length + columns.length);
  for (let i = 0; i < before.length; i++) parameters[i] = parameter(c, before[i] as StoredInput);
  for (let i = 0; i < columns.length; i++) parameters[before.length + i] = parameter(c, inputOf(columns[i] as StoredColumn, values));
  return parameters;
}

/** The same at the end of `parameters`, for one of several rows. */
export function pushRow(c: Clock, columns: readonly StoredColumn[], values: readonly StoredInput[], parameters: SqlValue[]): void {
  for (const column of columns) parameters.push(parameter(c, inputOf(column, values)));
}

export function rowSql(c: Clock, columns: readonly StoredColumn[], values: readonly StoredInput[], slots: Slots): Fragment {
  return sql.join(columns.map((column) => inputSql(inputOf(column, values), slots, c.clock)));
}

/** Which columns the writer set to the store's clock, where that makes another text; "" for nearly every row. */
export function clockShape(c: Clock, values: readonly StoredInput[]): string {
  if (c.clock === null) return "";
  let shape = "";
  for (let i = 0; i < values.length; i++) if (isStoreNow(values[i])) shape += `@${i}`;
  return shape;
}
