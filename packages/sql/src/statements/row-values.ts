import type { StoredColumn } from "@sallyport/core/entities";
import { isStoreNow, type StoredInput } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlDialect } from "../dialect.js";
import type { SqlValue } from "../driver.js";
import type { Fragment } from "./conditions.js";
import { inputSql } from "./inputs.js";
import type { Slots } from "./statements.js";

interface Clock {
  readonly statements: { readonly dialect: Pick<SqlDialect, "storedJson"> };
  readonly clock: string | null;
  readonly nowMs: number;
}

const storeNow: StoredInput = { storeNowPlusMs: 0 };

/** What a new row has in a column: the store sets the kept ones, unless the row comes with the instants of another store. */
function inputOf(c: Clock, column: StoredColumn, values: readonly StoredInput[]): StoredInput {
  if (!column.kept) return storedInput(c, column, values[column.index] as StoredInput);
  return column.name === "version" ? 1 : (values[column.index] ?? storeNow);
}

/** A value as this database keeps it. */
export function storedInput(c: Pick<Clock, "statements">, column: StoredColumn, value: StoredInput): StoredInput {
  return column.column.kind === "json" && typeof value === "string" ? c.statements.dialect.storedJson(value) : value;
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
  for (let i = 0; i < columns.length; i++) parameters[before.length + i] = parameter(c, inputOf(c, columns[i] as StoredColumn, values));
  return parameters;
}

/** The same at the end of `parameters`, for one of several rows. */
export function pushRow(c: Clock, columns: readonly StoredColumn[], values: readonly StoredInput[], parameters: SqlValue[]): void {
  for (const column of columns) parameters.push(parameter(c, inputOf(c, column, values)));
}

export function rowSql(c: Clock, columns: readonly StoredColumn[], values: readonly StoredInput[], slots: Slots): Fragment {
  return sql.join(columns.map((column) => inputSql(inputOf(c, column, values), slots, c.clock)));
}

/** Which columns the writer set to the store's clock, where that makes another text; "" for nearly every row. */
export function clockShape(c: Clock, values: readonly StoredInput[]): string {
  if (c.clock === null) return "";
  let shape = "";
  for (let i = 0; i < values.length; i++) if (isStoreNow(values[i])) shape += `@${i}`;
  return shape;
}

/** Rows of one statement; a power of two, as all that are made: a few texts serve every number of rows. */
const MOST_ROWS = 64;
/** A statement has to fit a packet of the database's. */
const MOST_CHARACTERS = 1_000_000;

/** How many rows from here on go into one statement: a power of two. */
export function rowsTogether(rows: readonly { readonly values: readonly StoredInput[] }[], from: number, until: number): number {
  let characters = 0;
  let fit = 0;
  for (let i = from; i < until && fit < MOST_ROWS; i++, fit++) {
    for (const value of (rows[i] as (typeof rows)[number]).values) if (typeof value === "string") characters += value.length;
    if (characters > MOST_CHARACTERS) break;
  }
  let power = 1;
  while (power * 2 <= fit) power *= 2;
  return power;
}
