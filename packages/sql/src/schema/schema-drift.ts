import type { AnyEntity, AnyLogEntity } from "@sallyport/core/entities";
import type { ActualColumn, SqlDialect } from "../dialect.js";
import type { Work } from "../driver.js";
import { addColumnText, createIndexText, createTableTexts, wantedTables, type WantedTable } from "./wanted-tables.js";

/** One difference between the declarations and a database. */
export interface Drift {
  /** A sentence. */
  readonly what: string;
  /** Statements that mend it; none: a person has to write them. */
  readonly statements: readonly string[];
  /** Whether the store cannot work with it; a missing index or one too many only costs time. */
  readonly breaks: boolean;
}

function columnDrift(dialect: SqlDialect, wanted: WantedTable, actual: readonly ActualColumn[]): Drift[] {
  const found = new Map(actual.map((column) => [column.name, column]));
  const drifts = wanted.columns.flatMap((column): Drift[] => {
    const there = found.get(column.name);
    found.delete(column.name);
    const place = `${wanted.name}.${column.name}`;
    if (there === undefined) {
      const statements = column.nullable ? [addColumnText(dialect, wanted.name, column)] : [];
      return [{ what: `The column ${place} is missing.`, statements, breaks: true }];
    }
    if (there.type.toLowerCase() !== column.type.toLowerCase())
      return [{ what: `The column ${place} is ${there.type.toLowerCase()}, not ${column.type}.`, statements: [], breaks: true }];
    if (there.nullable === column.nullable) return [];
    return [{ what: `The column ${place} ${there.nullable ? "accepts" : "refuses"} null.`, statements: [], breaks: !there.nullable }];
  });
  const extra = [...found.values()].map((column): Drift => {
    return { what: `The column ${wanted.name}.${column.name} was not declared.`, statements: [], breaks: !column.nullable };
  });
  return [...drifts, ...extra];
}

function indexDrift(dialect: SqlDialect, wanted: WantedTable, rows: readonly (readonly unknown[])[]): Drift[] {
  const found = new Map<string, string[]>();
  for (const [name, unique, column] of rows) {
    const key = `${String(name)}${Number(unique) === 1 ? " unique" : ""}`;
    found.set(key, [...(found.get(key) ?? []), String(column)]);
  }
  const drifts: Drift[] = [];
  for (const index of wanted.indexes) {
    const key = `${index.name}${index.unique ? " unique" : ""}`;
    const columns = found.get(key);
    found.delete(key);
    if (columns?.join() === index.columns.join()) continue;
    const statements = columns === undefined ? [createIndexText(dialect, wanted.name, index)] : [];
    drifts.push({
      what: `The index ${index.name} is ${columns === undefined ? "missing" : "of other columns"}.`,
      statements,
      breaks: index.unique,
    });
  }
  for (const key of found.keys())
    drifts.push({ what: `The index ${key} was not declared.`, statements: [], breaks: key.endsWith(" unique") });
  return drifts;
}

/** How databases call what every foreign key of ours does: a row that is referred to stays. */
const KEEPING = ["RESTRICT", "NO ACTION"];

function referenceDrift(wanted: WantedTable, rows: readonly (readonly unknown[])[]): Drift[] {
  const words = rows.map(([column, table, key, onDelete]) => {
    const rule = String(onDelete).toUpperCase();
    return `${String(column)} to ${String(table)}.${String(key)}${KEEPING.includes(rule) ? "" : ` on delete ${rule.toLowerCase()}`}`;
  });
  const declared = wanted.references.map(({ column, table }) => `${column} to ${table}.id`);
  const missing = declared.filter((one) => !words.includes(one));
  const extra = words.filter((one) => !declared.includes(one));
  const drift = (one: string, how: string): Drift => ({
    what: `The foreign key ${wanted.name}.${one} ${how}.`,
    statements: [],
    breaks: true,
  });
  return [...missing.map((one) => drift(one, "is missing")), ...extra.map((one) => drift(one, "was not declared"))];
}

/** What a database lacks, has otherwise or has too much of. Tables of others are none of its business. */
export function* schemaDrift(dialect: SqlDialect, entities: readonly (AnyEntity | AnyLogEntity)[]): Work<Drift[]> {
  const drifts: Drift[] = [];
  for (const wanted of wantedTables(dialect, entities)) {
    const columns = yield dialect.columnsOf(wanted.name);
    if (columns.rows.length === 0) {
      drifts.push({ what: `The table ${wanted.name} is missing.`, statements: createTableTexts(dialect, wanted), breaks: true });
      continue;
    }
    drifts.push(
      ...columnDrift(
        dialect,
        wanted,
        columns.rows.map((row) => dialect.readColumn(row)),
      ),
    );
    drifts.push(...indexDrift(dialect, wanted, (yield dialect.indexesOf(wanted.name)).rows));
    drifts.push(...referenceDrift(wanted, (yield dialect.referencesOf(wanted.name)).rows));
  }
  return drifts;
}
