import { int, referencesOf, storedColumns, text, type AnyEntity, type AnyLogEntity, type Column } from "@sallyport/core/entities";
import { GatewayError } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlDialect } from "../dialect.js";
import { columnName } from "../statements/column-name.js";
import { CHANGES } from "../verbs/change-log.js";
import { HEADS } from "../verbs/streams.js";

export interface WantedColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  /** What follows the type in the text: the counted key. */
  readonly suffix?: string;
}
export interface WantedIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}
/** A foreign key to the id of another table's row, which stands as long as it is referred to. */
export interface WantedReference {
  readonly name: string;
  readonly column: string;
  readonly table: string;
}
/** A table as the declarations want it. */
export interface WantedTable {
  readonly name: string;
  readonly columns: readonly WantedColumn[];
  readonly key: readonly string[];
  readonly indexes: readonly WantedIndex[];
  readonly references: readonly WantedReference[];
  readonly end: string;
}

const LONGEST_NAME = 63;

/** Names say table and columns, so that they stay when the order of declarations changes. */
function indexName(prefix: string, table: string, columns: readonly string[]): string {
  const name = `${prefix}_${table}_${columns.join("_")}`;
  if (name.length <= LONGEST_NAME) return name;
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return `${name.slice(0, LONGEST_NAME - 9)}_${(hash >>> 0).toString(16).padStart(8, "0")}`;
}

function indexOf(table: string, fields: readonly string[], unique: boolean): WantedIndex {
  const columns = fields.map(columnName);
  return { name: indexName(unique ? "uq" : "ix", table, columns), columns, unique };
}

type Tables = ReadonlyMap<string, string>;

function wantedReferences(entity: AnyEntity | AnyLogEntity, tables: Tables): WantedReference[] {
  return referencesOf(entity).map((reference) => {
    const table = tables.get(reference.entity);
    if (table === undefined)
      throw new GatewayError("internal", `${entity.name} refers to ${reference.entity}, which the store was not opened with.`);
    const column = columnName(reference.field);
    return { name: indexName("fk", entity.table, [column]), column, table };
  });
}

function tableOf(dialect: SqlDialect, entity: AnyEntity | AnyLogEntity, tables: Tables): WantedTable {
  const wanted = (name: string, column: Column, nullable: boolean): WantedColumn => ({ name, type: dialect.columnType(column), nullable });
  const columns = storedColumns(entity).map((column) => wanted(columnName(column.name), column.column, column.nullable));
  const unique = entity.unique.map((fields) => indexOf(entity.table, fields, true));
  const indexes = entity.indexes.map((fields) => indexOf(entity.table, fields, false));
  const references = wantedReferences(entity, tables);
  if (entity.kind !== "log")
    return { name: entity.table, columns, key: ["id"], indexes: [...unique, ...indexes], references, end: dialect.tableEnd };
  return {
    name: entity.table,
    columns: [wanted("stream", text(64), false), wanted("seq", int, false), wanted("at_ms", int, false), ...columns],
    key: ["stream", "seq"],
    // Retention reads by time.
    indexes: [indexOf(entity.table, ["atMs"], false), ...unique, ...indexes],
    references,
    end: dialect.tableEnd,
  };
}

/** What the store needs beside the entities. */
function ownTables(dialect: SqlDialect): WantedTable[] {
  const column = (name: string, kind: Column): WantedColumn => ({ name, type: dialect.columnType(kind), nullable: false });
  const end = dialect.tableEnd;
  return [
    {
      name: CHANGES,
      columns: [
        { name: "id", type: dialect.columnType(int), nullable: false, suffix: dialect.countedKey },
        column("entity", text(64)),
        column("row_id", text(64)),
        column("version", int),
      ],
      key: [],
      indexes: [indexOf(CHANGES, ["entity", "row_id"], false)],
      references: [],
      end,
    },
    {
      name: HEADS,
      columns: [column("log", text(64)), column("stream", text(64)), column("last_seq", int)],
      key: ["log", "stream"],
      indexes: [],
      references: [],
      end: dialect.tableEnd,
    },
  ];
}

/** The tables that the entities want in this dialect, in their order but none before one that it refers to, then the store's own. */
export function wantedTables(dialect: SqlDialect, entities: readonly (AnyEntity | AnyLogEntity)[]): WantedTable[] {
  const tables = new Map(entities.map(({ name, table }) => [name, table]));
  return [...parentsFirst(entities.map((entity) => tableOf(dialect, entity, tables))), ...ownTables(dialect)];
}

function parentsFirst(tables: readonly WantedTable[]): WantedTable[] {
  const byName = new Map(tables.map((one) => [one.name, one]));
  const ordered = new Set<WantedTable>();
  const place = (one: WantedTable, below: readonly WantedTable[]): void => {
    if (below.includes(one)) throw new GatewayError("internal", `The table ${one.name} refers to itself by way of others.`);
    for (const { table } of one.references) if (table !== one.name) place(byName.get(table) as WantedTable, [...below, one]);
    ordered.add(one);
  };
  for (const one of tables) place(one, []);
  return [...ordered];
}

const quoted = (dialect: SqlDialect, name: string): string => sql`${sql.id(name)}`.compile(dialect.kysely).sql;

function columnText(dialect: SqlDialect, column: WantedColumn): string {
  return `${quoted(dialect, column.name)} ${column.type}${column.nullable ? "" : " not null"}${column.suffix ?? ""}`;
}

export function createIndexText(dialect: SqlDialect, table: string, index: WantedIndex): string {
  const columns = index.columns.map((name) => quoted(dialect, name)).join(", ");
  return `create ${index.unique ? "unique " : ""}index ${quoted(dialect, index.name)} on ${quoted(dialect, table)} (${columns})`;
}

function referenceText(dialect: SqlDialect, { name, column, table }: WantedReference): string {
  const [key, from, to, id] = [name, column, table, "id"].map((one) => quoted(dialect, one));
  return `constraint ${key} foreign key (${from}) references ${to} (${id})`;
}

const columnList = (dialect: SqlDialect, columns: readonly string[]): string => columns.map((name) => quoted(dialect, name)).join(", ");

/** The statements that make a table and its indexes. */
export function createTableTexts(dialect: SqlDialect, wanted: WantedTable): string[] {
  const lines = wanted.columns.map((column) => columnText(dialect, column));
  if (wanted.key.length > 0) lines.push(`primary key (${columnList(dialect, wanted.key)})`);
  if (dialect.wholeTables === true)
    for (const { name, columns, unique } of wanted.indexes)
      lines.push(`${unique ? "unique " : ""}key ${quoted(dialect, name)} (${columnList(dialect, columns)})`);
  for (const reference of wanted.references) lines.push(referenceText(dialect, reference));
  const isThere = dialect.wholeTables === true ? "if not exists " : "";
  const table = `create table ${isThere}${quoted(dialect, wanted.name)} (\n  ${lines.join(",\n  ")}\n)${wanted.end}`;
  return dialect.wholeTables === true ? [table] : [table, ...wanted.indexes.map((index) => createIndexText(dialect, wanted.name, index))];
}

export function addColumnText(dialect: SqlDialect, table: string, column: WantedColumn): string {
  return `alter table ${quoted(dialect, table)} add column ${columnText(dialect, column)}`;
}
