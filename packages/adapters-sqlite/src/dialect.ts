import type { SqlDialect, Tables } from "@sallyport/sql";
import { DummyDriver, Kysely, sql, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";

const kysely = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

const types = { text: "text", "long-text": "text", int: "integer", bool: "integer", json: "text" } as const;
const columns = { sql: `select name, type, "notnull" from pragma_table_info(?) order by cid`, gives: "many" } as const;
// Origin "c": made by a statement, not by a constraint of the table.
const indexes = {
  sql: `select l.name, l."unique", i.name from pragma_index_list(?) as l, pragma_index_info(l.name) as i where l.origin = 'c' order by l.name, i.seqno`,
  gives: "many",
} as const;
const references = {
  sql: `select "from", "table", coalesce("to", 'id'), on_delete from pragma_foreign_key_list(?) order by "from"`,
  gives: "many",
} as const;

/** SQLite 3.45: strict tables, one writer at a time, the clock of this machine. */
export const sqliteDialect: SqlDialect = {
  name: "SQLite",
  kysely,
  clock: null,
  isFar: false,
  lockAndSkip: "",
  lockAndWait: "",
  storedJson: (text) => text,
  columnType: (column) => types[column.kind],
  // Logs too keep their rowid: without it, entries of a kilobyte cost three times as much to append (measured).
  tableEnd: " strict",
  countedKey: " primary key autoincrement",
  insertOrNothing: (insert) => sql`${insert} on conflict do nothing`,
  // sum() fails past 64 bits: the upper and the lower half are summed apart.
  exactSum: (column) => ({
    parts: [sql`cast(sum(${column} >> 32) as text)`, sql`cast(sum(${column} & 4294967295) as text)`],
    total: ([high, low]) => (BigInt(high as string) << 32n) + BigInt(low as string),
  }),
  columnsOf: (table) => ({ statement: columns, parameters: [table] }),
  readColumn: ([name, type, notNull]) => ({ name: String(name), type: String(type), nullable: notNull !== 1 }),
  indexesOf: (table) => ({ statement: indexes, parameters: [table] }),
  referencesOf: (table) => ({ statement: references, parameters: [table] }),
};
