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

it("what was asked of people before there was an inbox is kept, is released to nobody, and wakes the runs that wait for it", async () => {
  const path = join(folder, "before.db");
  const before = shippedMigrations.filter(({ id }) => id < "0029");
  const driver = new LibsqlDriver(openDatabase({ path, synchronous: "normal" }), Date.now);
  await applyMigrations({ dialect: sqliteDialect, driver, migrations: before }, within());
  const db = new Database(path);
  const approval = (id: string, status: string, runId: string | null) =>
    db
      .prepare(
        `insert into approvals values (?, 1, 5, 6, 'lab', ?, 'ada', 'Ada', '["ada"]', 'files', 'remove', 'dangerous', ?, ?, 'sealed', 'sealed too', 'req_1', ?, 9, null, null, null)`,
      )
      .run(id, status, "a".repeat(64), `open ${id}`, runId);
  approval("apr_1", "pending", "run_1");
  approval("apr_2", "approved", null);
  approval("apr_3", "denied", null);
  db.exec(`insert into runs (id, version, created_at_ms, updated_at_ms, project_id, status, model, input, tools, options, caller, usage, steps, attempt, lease_until_ms, cancel_requested, payload_hash)
    values ('run_1', 1, 5, 6, 'lab', 'waiting', 'm', '[]', '[]', '{}', '{}', '{}', 1, 1, 0, 0, 'h'), ('run_2', 1, 5, 6, 'lab', 'succeeded', 'm', '[]', '[]', '{}', '{}', '{}', 1, 1, 0, 0, 'h')`);
  db.exec(
    `insert into idempotency_keys values ('idem_1', 1, 5, 6, 'lab', 'ada', 'k', '${"b".repeat(64)}', 'done', 201, '{"open":"to read"}', '["x"]', 7, 8)`,
  );
  await applyMigrations({ dialect: sqliteDialect, driver, migrations: shippedMigrations }, within());
  const rows = (text: string): unknown[] => db.prepare(text).all();
  expect(rows("select id, audience, kind, status, open_key, digest, arguments, edited, run_id from inbox_items order by id")).toEqual(
    [
      ["apr_1", "expired", "run_1"],
      ["apr_2", "expired", null],
      ["apr_3", "denied", null],
    ].map(([id, status, run_id]) => ({
      ...{ id, audience: "project:lab", kind: "approval", status, open_key: id, digest: "a".repeat(64) },
      ...{ arguments: null, edited: null, run_id },
    })),
  );
  expect(rows("select note is null as silent from inbox_items order by id")).toEqual([{ silent: 0 }, { silent: 0 }, { silent: 1 }]);
  expect(rows("select project_id, run_id from interrupts")).toEqual([{ project_id: "lab", run_id: "run_1" }]);
  // An answer that stood open is gone, and its call is not made again.
  expect(rows("select state, status, answer, withheld, lease_until_ms from idempotency_keys")).toEqual([
    { state: "running", status: null, answer: null, withheld: "[]", lease_until_ms: 0 },
  ]);
  db.close();
  await driver.close();
});
