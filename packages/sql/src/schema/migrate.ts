import type { AnyEntity, AnyLogEntity } from "@sallyport/core/entities";
import { GatewayError, type Within } from "@sallyport/core/ports";
import { sql, type RawBuilder } from "kysely";
import type { SqlDialect } from "../dialect.js";
import type { Query, SqlDriver, SqlValue, Work } from "../driver.js";
import { schemaDrift } from "./schema-drift.js";
import { stands } from "./standing.js";
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

/** Its name as this database wants it. */
const journal = (dialect: SqlDialect): string => sql`${sql.table(TABLE)}`.compile(dialect.kysely).sql;

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

/** What the journal says; null: there is none yet. */
interface Journal {
  readonly applied: readonly string[];
  /** Begun and not ended: where tables do not change within a transaction, some of its statements may have been run. */
  readonly begun: readonly string[];
}

/** In place of the instant, until a migration has ended. */
const BEGUN = 0;

function* readJournal(dialect: SqlDialect): Work<Journal | null> {
  if ((yield dialect.columnsOf(TABLE)).rows.length === 0) return null;
  const { rows } = yield plain(`select id, applied_at_ms from ${journal(dialect)} order by id`, "many");
  const ids = (isBegun: boolean): string[] => rows.flatMap(([id, at]) => ((Number(at) === BEGUN) === isBegun ? [id as string] : []));
  return { applied: ids(false), begun: ids(true) };
}

function assertKnown(o: Applying, applied: readonly string[]): void {
  const unknown = applied.filter((id) => !o.migrations.some((migration) => migration.id === id));
  if (unknown.length === 0) return;
  throw new GatewayError("misconfigured", `The ${o.dialect.name} database was migrated by a newer Sallyport (${unknown.join(", ")}).`, {
    hint: "Start the newer version, or restore the backup that was made before the update.",
    details: { unknown, outcome: "none" },
  });
}

function pendingOf(o: Applying, found: Journal | null): Migration[] {
  assertKnown(o, [...(found?.applied ?? []), ...(found?.begun ?? [])]);
  return o.migrations.filter((migration) => found?.applied.includes(migration.id) !== true);
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
  const found = await o.driver.read(() => readJournal(o.dialect), w);
  return { applied: found?.applied ?? [], pending: pendingOf(o, found).map(({ id }) => id) };
}

/** Where an application of migrations is: what its failure says. */
interface Place {
  migration: string | null;
  statement: number;
}

/**
 * Applies what is missing and gives its ids; looks at nothing else. Of several processes at once one applies, the others find it done. Where a database cannot change tables in a
 * transaction, a migration that failed or was killed half-way is gone on with: what of it stands is passed over.
 * Errors: those of the driver, with `details.migration` and `details.statement`.
 */
export async function applyMigrations(o: Applying, w: Within): Promise<readonly string[]> {
  const pending = pendingOf(o, await o.driver.read(() => readJournal(o.dialect), w));
  if (pending.length === 0) return [];
  const at: Place = { migration: null, statement: 0 };
  try {
    return await o.driver.exclusively((nowMs) => applyPending(o, { nowMs, at }), w);
  } catch (error) {
    throw at.migration === null ? error : halfWay(error, at);
  }
}

function halfWay(error: unknown, { migration, statement }: Place): GatewayError {
  const known = GatewayError.from(error);
  const own = known.hint === undefined ? "" : `${known.hint} `;
  return new GatewayError(known.code, `The migration ${migration}, statement ${statement}: ${known.message}`, {
    hint: `${own}Then run \`sallyport migrate\` again: it goes on where it stopped.`,
    details: { ...known.details, migration, statement },
    cause: known.cause ?? error,
  });
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
  return `create table ${journal(dialect)} (id ${id} not null primary key, applied_at_ms ${at} not null)${dialect.tableEnd}`;
}

/**
 * What `applyMigrations` would run, as one script for a person to read and run, with the rows that note it; empty when nothing is missing. Changes nothing.
 * Errors: as of `migrationState`.
 */
export async function migrationScript(o: Applying, w: Within): Promise<string> {
  return o.driver.read(function* (nowMs) {
    const found = yield* readJournal(o.dialect);
    const parts: string[] = [];
    for (const migration of pendingOf(o, found)) {
      const { id } = migration;
      const isBegun = found?.begun.includes(id) === true;
      const note = `insert into ${journal(o.dialect)} (id, applied_at_ms) values (${quoted(id)}, ${nowMs});\n`;
      const end = isBegun ? `update ${journal(o.dialect)} set applied_at_ms = ${nowMs} where id = ${quoted(id)};\n` : note;
      const text = isBegun
        ? (yield* leftOf(o.dialect, migration)).map((statement) => `${statement};`).join("\n\n")
        : migration.text.trimEnd();
      parts.push(`${text}\n\n${end}`);
    }
    if (parts.length > 0 && found === null) parts.unshift(`${journalText(o.dialect)};\n`);
    return parts.join("\n");
  }, w);
}

/** The statements of a migration that was begun which have not been run. */
function* leftOf(dialect: SqlDialect, migration: Migration): Work<string[]> {
  const left: string[] = [];
  for (const statement of statementsOf(migration)) if (!(yield* stands(dialect, statement))) left.push(statement);
  return left;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function* applyPending(o: Applying, { nowMs, at }: { readonly nowMs: number; readonly at: Place }): Work<string[]> {
  const { dialect } = o;
  const before = yield* readJournal(dialect);
  if (before === null) yield plain(journalText(dialect));
  const pending = pendingOf(o, before);
  for (const migration of pending) {
    const isBegun = before?.begun.includes(migration.id) === true;
    if (!isBegun) yield written(dialect, sql`insert into ${sql.table(TABLE)} (applied_at_ms, id) values (${BEGUN}, ${migration.id})`);
    at.migration = migration.id;
    at.statement = 0;
    for (const text of statementsOf(migration)) {
      at.statement++;
      if (!isBegun || !(yield* stands(dialect, text))) yield plain(text);
    }
    yield written(dialect, sql`update ${sql.table(TABLE)} set applied_at_ms = ${nowMs} where id = ${migration.id}`);
  }
  return pending.map(({ id }) => id);
}

/** A statement of the journal. */
function written(dialect: SqlDialect, text: RawBuilder<unknown>): Query {
  const { sql: compiled, parameters } = text.compile(dialect.kysely);
  return { statement: { sql: compiled, gives: "nothing" }, parameters: parameters as readonly SqlValue[] };
}

/** A migration that makes every table of these entities: for tests, and the start of a reviewed one. */
export function derivedMigration(dialect: SqlDialect, entities: readonly (AnyEntity | AnyLogEntity)[]): Migration {
  const statements = wantedTables(dialect, entities).flatMap((wanted) => createTableTexts(dialect, wanted));
  return { id: "0001_derived", text: statements.map((statement) => `${statement};\n`).join("\n") };
}
