import type { Column } from "@sallyport/core/entities";
import type { Kysely, RawBuilder } from "kysely";
import type { Query } from "./driver.js";

export type Tables = Record<string, Record<string, unknown>>;

/** A column as the database has it. */
export interface ActualColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}
/** How one SQL database differs from another, beside its driver. */
export interface SqlDialect {
  readonly name: string;
  /** Compiles and never connects. */
  readonly kysely: Kysely<Tables>;
  /** The store's clock as an expression in Unix ms; null: the process's clock, given as a parameter. */
  readonly clock: string | null;
  /** After a select within a write: locks the rows, and passes over those that another holds. Empty where a writer is alone. */
  readonly lockAndSkip: string;
  /** After a select within a write: locks the rows, and waits for them. */
  readonly lockAndWait: string;
  /** The type of a column, as it is written and as the database shows it. */
  columnType(column: Column): string;
  /** What follows the columns of a table. */
  readonly tableEnd: string;
  /** The type of a key that the database counts up and never gives twice. */
  readonly countedKey: string;
  /** The insert, which does nothing when a row has the key or a unique value already. */
  insertOrNothing(insert: RawBuilder<unknown>, key: string): RawBuilder<unknown>;
  /** Expressions whose sum is exact, and how their texts make it. */
  exactSum(column: RawBuilder<unknown>): { readonly parts: readonly RawBuilder<unknown>[]; total(parts: readonly string[]): bigint };
  /** The columns of a table in their order; none: there is no such table. */
  columnsOf(table: string): Query;
  readColumn(row: readonly unknown[]): ActualColumn;
  /** Names and columns of a table's indexes that were declared. */
  indexesOf(table: string): Query;
}
