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
  /** Each statement is a way to another machine and back, so that few large ones are worth some building. */
  readonly isFar: boolean;
  /** After a select within a write: locks the rows, and passes over those that another holds. Empty where a writer is alone. */
  readonly lockAndSkip: string;
  /** After a select within a write: locks the rows, and waits for them. */
  readonly lockAndWait: string;
  /** A json column's text as the database takes it; the driver gives it back as it was. */
  storedJson(text: string): string;
  /** The type of a column, as it is written and as the database shows it. */
  columnType(column: Column): string;
  /** What stands before the name of every table in this database; nothing when left out. */
  readonly tablePrefix?: string;
  /**
   * A table is made with its indexes by one statement, which does nothing when the table is there: for databases that change no tables in a transaction, where each statement stands for itself.
   */
  readonly wholeTables?: true;
  /** What follows the columns of a table. */
  readonly tableEnd: string;
  /** The type of a key that the database counts up and never gives twice. */
  readonly countedKey: string;
  /** The insert, which does nothing when a row has the key or a unique value already. */
  insertOrNothing(insert: RawBuilder<unknown>, key: string): RawBuilder<unknown>;
  /** The same value, which the answer of the update tells; left out: what a row got is asked apart. */
  telling?(value: RawBuilder<unknown>): RawBuilder<unknown>;
  /** Expressions whose sum is exact, and how their texts make it. */
  exactSum(column: RawBuilder<unknown>): { readonly parts: readonly RawBuilder<unknown>[]; total(parts: readonly string[]): bigint };
  /** The columns of a table in their order; none: there is no such table. */
  columnsOf(table: string): Query;
  readColumn(row: readonly unknown[]): ActualColumn;
  /** Names and columns of a table's indexes that were declared. */
  indexesOf(table: string): Query;
  /** A table's foreign keys, a row a column of each: column, the other table, its column, what deleting the other row does (`RESTRICT`, `NO ACTION`, …). */
  referencesOf(table: string): Query;
}
