import type { AnyEntity, AnyLogEntity } from "@sallyport/core/entities";
import { GatewayError, type Within } from "@sallyport/core/ports";
import { sql } from "kysely";
import type { SqlDialect } from "../dialect.js";
import type { Query, SqlDriver, Work } from "../driver.js";
import { schemaDrift } from "./schema-drift.js";
import { createTableTexts, wantedTables } from "./wanted-tables.js";

/** One reviewed step of the schema. Never changed once it was released. */
export interface Migration {
  /** `0001_initial`: sorts by its number. */
  readonly id: string;
  /** Statements, each ended by a semicolon at the end of a line. */
  readonly text: string;
}

/** `auto` applies what is missing, `check` refuses to open when something is, `off` looks at nothing. */
export type MigrateMode = "auto" | "check" | "off";

const TABLE = "sallyport_migrations";

export interface MigrateOptions {
  readonly dialect: SqlDialect;
  readonly driver: SqlDriver;
  readonly migrations: readonly Migration[];
  readonly entities: readonly (AnyEntity | AnyLogEntity)[];
  readonly mode: MigrateMode;
}

type Applying = Omit<MigrateOptions, "mode" | "entities">;

const plain = (text: string, gives: "nothing" | "many" = "nothing"): Query => ({ statement: { sql: text, gives }, parameters: [] });

/** The statements of a migration, without its comments. */
export function statementsOf(migration: Migration): string[] {
  const lines = migration.text.split("\n").filter((line) => !line.trimStart().startsWith("--"));
  return lines
    .join("\n")
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

function* appliedIds(dialect: SqlDialect): Work<string[] | null> {
  if ((yield dialect.columnsOf(TABLE)).rows.length === 0) return null;
  const { rows } = yield plain(`select id from ${TABLE} order by id`, "many");
  return rows.map(([id]) => id as string);
}

function assertKnown(o: Applying, applied: readonly string[]): void {
  const unknown = applied.filter((id) => !o.migrations.some((migration) => migration.id === id));
  if (unknown.length === 0) return;
  throw new GatewayError("misconfigured", `The ${o.dialect.name} database was migrated by a newer Sallyport (${unknown.join(", ")}).`, {
    hint: "Start the newer version, or restore the backup that was made before the update.",
    details: { unknown, outcome: "none" },
  });
}

function pendingOf(o: Applying, applied: readonly string[] | null): Migration[] {
  assertKnown(o, applied ?? []);
  return o.migrations.filter((migration) => applied?.includes(migration.id) !== true);
}

function* assertFits(o: MigrateOptions): Work<void> {
  const broken = (yield* schemaDrift(o.dialect, o.entities)).filter((drift) => drift.breaks);
  if (broken.length === 0) return;
  const names = broken.map((drift) => drift.what);
  throw new GatewayError(
    "misconfigured",
    `The ${o.dialect.name} database does not have the tables of this version: ${names.slice(0, 5).join(" ")}`,
    {
      hint: "Another program changed them, or the version is older than the database. Restore a backup, or start the version that fits.",
      details: { drift: names, outcome: "none" },
    },
  );
}

/** What is applied and what is not. Changes nothing. Errors: `misconfigured` when a newer version migrated the database. */
export async function migrationState(
  o: Applying,
  w: Within,
): Promise<{ readonly applied: readonly string[]; readonly pending: readonly string[] }> {
  const applied = await o.driver.read(() => appliedIds(o.dialect), w);
  return { applied: applied ?? [], pending: pendingOf(o, applied).map(({ id }) => id) };
}

/** Applies what is missing and gives its ids; looks at nothing else. Of several processes at once one applies, the others find it done. */
export async function applyMigrations(o: Applying, w: Within): Promise<readonly string[]> {
  const pending = pendingOf(o, await o.driver.read(() => appliedIds(o.dialect), w));
  return pending.length === 0 ? [] : o.driver.exclusively((nowMs) => applyPending(o, nowMs), w);
}

/**
 * Brings the database to what this version needs, or says why not. Gives the ids that it applied.
 * Errors: `misconfigured` when migrations are missing in `check`, when a newer version migrated the database, and when its tables are not those declared.
 */
export async function migrate(o: MigrateOptions, w: Within): Promise<readonly string[]> {
  if (o.mode === "off") return [];
  let applied: readonly string[] = [];
  if (o.mode === "auto") applied = await applyMigrations(o, w);
  else {
    const { pending } = await migrationState(o, w);
    if (pending.length > 0)
      throw new GatewayError("misconfigured", `The ${o.dialect.name} database lacks migrations: ${pending.join(", ")}.`, {
        hint: 'Run `sallyport migrate`, or open the store with migrate: "auto".',
        details: { pending, outcome: "none" },
      });
  }
  await o.driver.read(() => assertFits(o), w);
  return applied;
}

function journalText(dialect: SqlDialect): string {
  const id = dialect.columnType({ kind: "text", maxLength: 64 });
  const at = dialect.columnType({ kind: "int" });
  return `create table ${TABLE} (id ${id} not null primary key, applied_at_ms ${at} not null)${dialect.tableEnd}`;
}

/**
 * What `applyMigrations` would run, as one script for a person to read and run, with the rows that note it; empty when nothing is missing. Changes nothing.
 * Errors: as of `migrationState`.
 */
export async function migrationScript(o: Applying, w: Within): Promise<string> {
  return o.driver.read(function* (nowMs) {
    const applied = yield* appliedIds(o.dialect);
    const parts = pendingOf(o, applied).map(
      ({ id, text }) => `${text.trimEnd()}\n\ninsert into ${TABLE} (id, applied_at_ms) values (${quoted(id)}, ${nowMs});\n`,
    );
    if (parts.length > 0 && applied === null) parts.unshift(`${journalText(o.dialect)};\n`);
    return parts.join("\n");
  }, w);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function* applyPending(o: Applying, nowMs: number): Work<string[]> {
  const { dialect } = o;
  const note = sql`insert into ${sql.table(TABLE)} (id, applied_at_ms) values (${""}, ${0})`.compile(dialect.kysely).sql;
  const before = yield* appliedIds(dialect);
  if (before === null) yield plain(journalText(dialect));
  const pending = pendingOf(o, before);
  for (const migration of pending) {
    for (const text of statementsOf(migration)) yield plain(text);
    yield { statement: { sql: note, gives: "nothing" }, parameters: [migration.id, nowMs] };
  }
  return pending.map(({ id }) => id);
}

/** A migration that makes every table of these entities: for tests, and the start of a reviewed one. */
export function derivedMigration(dialect: SqlDialect, entities: readonly (AnyEntity | AnyLogEntity)[]): Migration {
  const statements = wantedTables(dialect, entities).flatMap((wanted) => createTableTexts(dialect, wanted));
  return { id: "0001_derived", text: statements.map((statement) => `${statement};\n`).join("\n") };
}
