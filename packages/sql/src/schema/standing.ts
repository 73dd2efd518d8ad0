import type { SqlDialect } from "../dialect.js";
import type { Work } from "../driver.js";

const name = '[`"](\\w+)[`"]';
const table = new RegExp(`^create table (?:if not exists )?${name}`, "i");
const index = new RegExp(`^create (?:unique )?index ${name} on ${name}`, "i");
const column = new RegExp(`^alter table ${name} add column ${name}`, "i");
const gone = new RegExp(`^alter table ${name} drop column ${name}`, "i");

/**
 * Whether what a statement of a migration makes is there already: asked only of a migration that was begun and did not end. What it does not know is run again: migrations keep to these forms and to
 * statements that may be repeated.
 */
export function* stands(dialect: SqlDialect, statement: string): Work<boolean> {
  const made = table.exec(statement);
  if (made !== null) return (yield* columnsOf(dialect, made[1] as string)).length > 0;
  const indexed = index.exec(statement);
  if (indexed !== null) {
    const { rows } = yield dialect.indexesOf(bare(dialect, indexed[2] as string));
    return rows.some(([found]) => found === indexed[1]);
  }
  const added = column.exec(statement);
  if (added !== null) return (yield* columnsOf(dialect, added[1] as string)).includes(added[2] as string);
  const dropped = gone.exec(statement);
  return dropped !== null && !(yield* columnsOf(dialect, dropped[1] as string)).includes(dropped[2] as string);
}

/** Whether a statement is of a form that is known when it stands. */
export const isCheckable = (statement: string): boolean => [table, index, column, gone].some((form) => form.test(statement));

function* columnsOf(dialect: SqlDialect, named: string): Work<string[]> {
  const { rows } = yield dialect.columnsOf(bare(dialect, named));
  return rows.map((row) => dialect.readColumn(row).name);
}

/** A table's name as the dialect asks for it, which puts the prefix before it. */
const bare = (dialect: SqlDialect, named: string): string => named.slice((dialect.tablePrefix ?? "").length);
