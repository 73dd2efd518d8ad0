import type { SqlDialect, Tables } from "@sallyport/sql";
import { DummyDriver, Kysely, MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, sql } from "kysely";
import { storedJson } from "./json-text.js";
import { prefixingPlugin } from "./table-prefix.js";

function compiler(prefix: string): Kysely<Tables> {
  const kysely = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new MysqlAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new MysqlIntrospector(db),
      createQueryCompiler: () => new MysqlQueryCompiler(),
    },
  });
  return prefix === "" ? kysely : kysely.withPlugin(prefixingPlugin(prefix));
}

/**
 * A text that differs between the two servers is written for both: MySQL reads only what stands in the first kind of comment, MariaDB only the second.
 * https://mariadb.com/kb/en/comment-syntax/ (2026-11)
 */
const only = (mysql: string, mariadb: string): string => `/*!80017 ${mysql} */ /*M!100600 ${mariadb} */`;

// Both compare by code point, with case, accents and trailing spaces.
const COLLATIONS = ["utf8mb4_0900_bin", "utf8mb4_nopad_bin"] as const;

// MariaDB's json is a longtext with a check of the column's name. The table is named by a parameter: by a column of the outer query, the server opens every table for every column.
const checked = `exists (select 1 from information_schema.check_constraints as k where k.constraint_schema = database()
  and k.table_name = ? and k.constraint_name = c.column_name and k.check_clause like 'json_valid(%')`;
const columns = {
  sql: `select c.column_name, c.column_type, c.is_nullable, c.collation_name, ${only("c.data_type = 'json' and c.table_name = ?", checked)}
from information_schema.columns as c where c.table_schema = database() and c.table_name = ? order by c.ordinal_position`,
  gives: "many",
} as const;

const indexes = {
  sql: `select s.index_name, s.non_unique = 0, s.column_name from information_schema.statistics as s
where s.table_schema = database() and s.table_name = ? and s.index_name <> 'PRIMARY' order by s.index_name, s.seq_in_index`,
  gives: "many",
} as const;

const references = {
  sql: `select k.column_name, substr(k.referenced_table_name, ?), k.referenced_column_name, r.delete_rule
from information_schema.key_column_usage as k
join information_schema.referential_constraints as r
  on r.constraint_schema = database() and r.table_name = ? and r.constraint_name = k.constraint_name
where k.table_schema = database() and k.table_name = ? and k.referenced_table_name is not null
order by k.constraint_name, k.ordinal_position`,
  gives: "many",
} as const;

const types = { "long-text": "longtext", int: "bigint", bool: "tinyint(1)", json: "json" } as const;

/** `bigint(20)` → `bigint`: MariaDB still shows a width that means nothing. A text that compares otherwise says so. */
function shownType(type: string, collation: unknown, isJson: boolean): string {
  if (isJson) return "json";
  const plain = type.toLowerCase().replace(/^bigint\(\d+\)/, "bigint");
  if (collation === null || (COLLATIONS as readonly unknown[]).includes(collation)) return plain;
  return `${plain} collate ${String(collation)}`;
}

/** MySQL from 8.0.17 and MariaDB from 10.6, under READ COMMITTED. `prefix` stands before the name of every table. */
export function mysqlDialect(prefix = ""): SqlDialect {
  return {
    name: "MySQL",
    kysely: compiler(prefix),
    tablePrefix: prefix,
    wholeTables: true,
    // Of no time zone, so exact where a clock is set back too; from_days(719528) is 1970-01-01.
    clock: "(timestampdiff(microsecond, from_days(719528), utc_timestamp(3)) div 1000)",
    isFar: true,
    lockAndSkip: " for update skip locked",
    lockAndWait: " for update",
    storedJson,
    columnType: (column) => (column.kind === "text" ? `varchar(${column.maxLength})` : types[column.kind]),
    tableEnd: ` engine=innodb row_format=dynamic default charset=utf8mb4 ${only(`collate=${COLLATIONS[0]}`, `collate=${COLLATIONS[1]}`)}`,
    countedKey: " auto_increment primary key",
    // A row that stands is the error 1062, which the driver knows; `insert ignore` would also swallow values that were cut.
    insertOrNothing: (insert) => insert,
    // The server sends it with the number of rows. https://dev.mysql.com/doc/refman/8.4/en/information-functions.html#function_last-insert-id (2026-11)
    telling: (value) => sql`last_insert_id(${value})`,
    // A sum of bigints is a decimal, which does not overflow.
    exactSum: (column) => ({ parts: [sql`cast(sum(${column}) as char)`], total: ([text]) => BigInt(text as string) }),
    columnsOf: (table) => ({ statement: columns, parameters: [prefix + table, prefix + table] }),
    readColumn: ([name, type, nullable, collation, isJson]) => ({
      name: String(name),
      type: shownType(String(type), collation, Number(isJson) === 1),
      nullable: nullable === "YES",
    }),
    indexesOf: (table) => ({ statement: indexes, parameters: [prefix + table] }),
    referencesOf: (table) => ({ statement: references, parameters: [prefix.length + 1, prefix + table, prefix + table] }),
  };
}
