import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allEntities } from "@sallyport/core/entities";
import { applyMigrations, derivedMigration, schemaDrift, type Migration } from "@sallyport/sql";
import Database from "libsql";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sqliteDialect } from "./dialect.js";
import { LibsqlDriver } from "./libsql-driver.js";
import { shippedMigrations } from "./shipped-migrations.js";
import { neededMigration } from "./needed-migration.js";
import { openDatabase } from "./open-database.js";

const reviewed = fileURLToPath(new URL("../migrations/", import.meta.url));
const within = () => ({ deadlineMs: Date.now() + 15_000 });

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sallyport-migrations-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What differs between the declarations and a database made by these migrations, then changed by hand. */
async function driftOf(migrations: readonly Migration[], byHand = ""): Promise<string[]> {
  const path = join(folder, "drift.db");
  const driver = new LibsqlDriver(openDatabase({ path, synchronous: "normal" }), Date.now);
  await applyMigrations({ dialect: sqliteDialect, driver, migrations }, within());
  const db = new Database(path);
  db.exec(byHand);
  db.close();
  const drifts = await driver.read(() => schemaDrift(sqliteDialect, allEntities), within());
  await driver.close();
  return drifts.map(({ what }) => what);
}

it("the reviewed migrations make exactly what the entities declare", async () => {
  expect(
    (await neededMigration(shippedMigrations)).map(({ what }) => what),
    "run tools/make-migration.mjs",
  ).toEqual([]);
});

it("the build holds the reviewed migrations, word for word", () => {
  const files = readdirSync(reviewed).filter((file) => file.endsWith(".sql"));
  const texts = files.sort().map((file) => ({ id: file.slice(0, -4), text: readFileSync(join(reviewed, file), "utf8") }));
  expect(shippedMigrations, "run tools/make-migration.mjs --embed").toEqual(texts);
});

it("every kind of difference is seen", async () => {
  const found = await driftOf(
    shippedMigrations,
    `drop table audit_entries;
     alter table runs drop column caller;
     alter table runs add column extra text;
     drop index ix_usage_entries_run_id;
     drop index uq_gateway_keys_digest;
     create index uq_gateway_keys_digest on gateway_keys (digest);
     create index more on runs (model);`,
  );
  expect(found).toEqual([
    "The index uq_gateway_keys_digest is missing.",
    "The index uq_gateway_keys_digest was not declared.",
    "The column runs.caller is missing.",
    "The column runs.extra was not declared.",
    "The index more was not declared.",
    "The index ix_usage_entries_run_id is missing.",
    "The table audit_entries is missing.",
  ]);
});

it("a column of another type, and one that accepts null, are seen", async () => {
  const text = derivedMigration(sqliteDialect, allEntities).text;
  const wrong = text.replace(`"digest" text not null`, `"digest" text`).replace(`"enabled" integer not null`, `"enabled" text not null`);
  expect(await driftOf([{ id: "0001_wrong", text: wrong }])).toEqual([
    "The column gateway_keys.digest accepts null.",
    "The column gateway_keys.enabled is text, not integer.",
  ]);
});

it("a foreign key that is missing, or deletes along, is seen", async () => {
  const text = derivedMigration(sqliteDialect, allEntities).text;
  const [, of] = /"fk_web_sessions_user_id" (foreign key [^\n]+)/.exec(text) as unknown as [string, string];
  const wrong = text
    .replace(`constraint "fk_web_sessions_user_id" ${of}`, `constraint "other" ${of} on delete cascade`)
    .replace(/,\n *constraint "fk_role_bindings_user_id"[^\n]+/, "");
  expect(await driftOf([{ id: "0001_wrong", text: wrong }])).toEqual([
    "The foreign key role_bindings.user_id to users.id is missing.",
    "The foreign key web_sessions.user_id to users.id is missing.",
    "The foreign key web_sessions.user_id to users.id on delete cascade was not declared.",
  ]);
});

it("what is missing comes with the statements that mend it", async () => {
  const [first] = shippedMigrations;
  const text = (first as Migration).text.replace(/create index "ix_runs_[^;]*;/g, "").replace(/  "cancel_reason" text,\n/, "");
  const needed = await neededMigration([{ id: "0001_initial", text }]);
  const mending = needed.flatMap(({ statements }) => statements.map((statement) => `${statement};`)).join("\n");
  expect(mending).toContain(`alter table "runs" add column "cancel_reason" text;`);
  const left = await neededMigration([
    { id: "0001_initial", text },
    { id: "0002_mend", text: mending },
  ]);
  // What no statement mends is for a person: what an old database has too much of, and a column that needs a value.
  expect(left.filter(({ statements }) => statements.length > 0)).toEqual([]);
});
