import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { allEntities, team } from "@sallyport/core/entities";
import { insert, type GatewayError } from "@sallyport/core/ports";
import { hasService, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import { isCheckable, statementsOf, type Migration } from "@sallyport/sql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mysqlDialect } from "./dialect.js";
import { mysql } from "./mysql.js";
import { driftOf, initialMigration, neededMigration } from "./needed-migration.js";
import { databaseSql } from "./schema-reference.js";
import { shippedMigrations } from "./shipped-migrations.js";

const reviewed = fileURLToPath(new URL("../migrations/", import.meta.url));

it("the build holds the reviewed migrations, word for word", () => {
  const files = readdirSync(reviewed).filter((file) => file.endsWith(".sql"));
  const texts = files.sort().map((file) => ({ id: file.slice(0, -4), text: readFileSync(`${reviewed}${file}`, "utf8") }));
  expect(shippedMigrations, "run tools/make-migration.mjs --embed").toEqual(texts);
});

it("every statement may meet what it made: after a stop half-way it is passed over, or does nothing", () => {
  const statements = shippedMigrations.flatMap(statementsOf);
  expect(statements.length).toBeGreaterThan(30);
  expect(statements.filter((statement) => !isCheckable(statement))).toEqual([]);
});

describe.skipIf(!hasService("mariadb"))("migrations on MariaDB", () => {
  let db: PrivateMariadb;
  beforeAll(async () => {
    db = await privateMariadb();
  });
  afterAll(() => db.dispose());

  const tablesOf = async (name: string): Promise<string[]> => (await db.sql(`show tables in ${name}`)).trim().split("\n").sort();
  const journalOf = (name: string, prefix = ""): Promise<string> =>
    db.sql(`select id, applied_at_ms > 0 from ${name}.${prefix}sallyport_migrations order by id`);

  it("the reviewed ones make exactly what the entities declare", async () => {
    const needed = await neededMigration(shippedMigrations, db.url(await db.database()));
    expect(
      needed.map(({ what }) => what),
      "run tools/make-migration.mjs mysql",
    ).toEqual([]);
  });

  it("docs/reference/database.sql shows them as they are", async () => {
    const name = await db.database();
    await mysql(db.url(name)).migrate();
    const file = fileURLToPath(new URL("../../../docs/reference/database.sql", import.meta.url));
    expect(readFileSync(file, "utf8"), "run node tools/database-sql.mjs").toBe(await databaseSql(db.url(name)));
  });

  it("every kind of difference is seen", async () => {
    const name = await db.database();
    await mysql(db.url(name)).migrate();
    await db.sql(`use ${name};
      drop table audit_entries;
      alter table runs drop column caller, add column extra text;
      alter table runs modify column model varchar(201) not null, modify column steps bigint;
      alter table users modify column username varchar(100) collate utf8mb4_unicode_ci not null;
      drop index ix_usage_entries_run_id on usage_entries;
      drop index uq_gateway_keys_digest on gateway_keys;
      create index uq_gateway_keys_digest on gateway_keys (digest);
      create index more on runs (model);
      alter table role_bindings drop foreign key fk_role_bindings_user_id;
      alter table web_sessions drop foreign key fk_web_sessions_user_id;
      alter table web_sessions add constraint other foreign key (user_id) references users (id) on delete cascade;
      alter table routes modify column targets longtext collate utf8mb4_bin not null;`);
    expect((await driftOf(db.url(name))).map(({ what }) => what)).toEqual([
      "The index uq_gateway_keys_digest is missing.",
      "The index uq_gateway_keys_digest was not declared.",
      "The column users.username is varchar(100) collate utf8mb4_unicode_ci, not varchar(100).",
      "The foreign key role_bindings.user_id to users.id is missing.",
      "The foreign key web_sessions.user_id to users.id is missing.",
      "The foreign key web_sessions.user_id to users.id on delete cascade was not declared.",
      "The column runs.model is varchar(201), not varchar(200).",
      "The column runs.caller is missing.",
      "The column runs.steps accepts null.",
      "The column runs.extra was not declared.",
      "The index more was not declared.",
      "The index ix_usage_entries_run_id is missing.",
      "The table audit_entries is missing.",
      "The column routes.targets is longtext collate utf8mb4_bin, not json.",
    ]);
  });

  it("the first one is what the declarations make", () => {
    const text = (shippedMigrations[0] as Migration).text;
    expect(text.slice(text.indexOf("create")), "run tools/make-migration.mjs mysql --initial").toBe(initialMigration());
  });

  it("with a prefix every table has it, beside the tables of another", async () => {
    const name = await db.database();
    await mysql(db.url(name), { tablePrefix: "ai_" }).migrate();
    const tables = await tablesOf(name);
    expect(tables.filter((table) => !table.startsWith("ai_"))).toEqual([]);
    await mysql(db.url(name)).migrate();
    expect((await tablesOf(name)).length).toBe(tables.length * 2);
    expect(await mysql(db.url(name), { tablePrefix: "ai_" }).migrate()).toEqual([]);
    for (const prefix of ["", "ai_"]) expect(await driftOf(db.url(name), mysqlDialect(prefix))).toEqual([]);
  });

  it("one that fails half-way says where, and goes on there when it is mended", async () => {
    const name = await db.database();
    const text = (last: string): Migration => ({
      id: "0001_tables",
      text: `create table \`one\` (\`id\` bigint);\ncreate index \`ix_one\` on \`one\` (\`id\`);\nalter table \`one\` add column \`more\` bigint;\n${last};\n`,
    });
    const broken = mysql(db.url(name), { migrations: [text("create table `two` (`id` nonsense)")] });
    await expect(broken.migrate()).rejects.toMatchObject({
      message: expect.stringMatching(/^The migration 0001_tables, statement 4: /),
      hint: expect.stringMatching(/Then run `sallyport migrate` again: it goes on where it stopped\.$/),
      details: { migration: "0001_tables", statement: 4 },
    });
    expect(await journalOf(name)).toBe("0001_tables\t0\n");
    const mended = mysql(db.url(name), { migrations: [text("create table `two` (`id` bigint)")] });
    expect(await mended.migrationState()).toEqual({ applied: [], pending: ["0001_tables"] });
    const script = await mended.migrationScript();
    expect(script).not.toContain("`one`");
    expect(script).toMatch(/create table `two` .*\n\nupdate `sallyport_migrations` set applied_at_ms = \d+ where id = '0001_tables';/);
    expect(await mended.migrate()).toEqual(["0001_tables"]);
    expect(await journalOf(name)).toBe("0001_tables\t1\n");
    expect(await tablesOf(name)).toEqual(["one", "sallyport_migrations", "two"]);
    expect(await mended.migrate()).toEqual([]);
  });

  it("what a process that was killed had made stands, and the next makes the rest", async () => {
    const name = await db.database();
    await mysql(db.url(name)).migrate();
    await db.sql(`use ${name};
      insert into teams (id, version, created_at_ms, updated_at_ms, project_id, name) values ('t', 1, 1, 1, 'p', 'kept');
      update sallyport_migrations set applied_at_ms = 0;
      drop table web_sessions, role_bindings, users;`);
    const adapter = mysql(db.url(name));
    await expect(mysql(db.url(name), { migrate: "check" }).open({ entities: allEntities })).rejects.toMatchObject({
      code: "misconfigured",
    });
    expect((await adapter.migrationScript()).match(/create table/g)).toHaveLength(3);
    expect(await adapter.migrate()).toEqual(shippedMigrations.map(({ id }) => id));
    expect(await driftOf(db.url(name))).toEqual([]);
    expect(await db.sql(`select name from ${name}.teams`)).toBe("kept\n");
  });

  it("a role that may change no table is served once another has run the script", async () => {
    const name = await db.database();
    await db.sql(`create user '${name}'@'%' identified by 'p'; grant select, insert, update, delete on ${name}.* to '${name}'@'%'`);
    const url = db.url(name).replace("root@", `${name}:p@`);
    const denied = await mysql(url)
      .migrate()
      .catch((error: unknown) => error);
    expect(denied).toMatchObject({ code: "misconfigured", message: expect.stringMatching(/denied|may not/i) });
    expect(String((denied as GatewayError).message + JSON.stringify(denied))).not.toContain(":p@");
    const script = await mysql(url).migrationScript();
    await db.sql(`use ${name}; ${script}`);
    const store = await mysql(url, { migrate: "check" }).open({ entities: allEntities });
    const within = { deadlineMs: Date.now() + 15_000 };
    const writes = [insert(team, { id: "t", projectId: "p", name: "of the narrow role", description: null })];
    expect(await store.commit([{ scope: { projects: ["p"] }, writes }], within)).toMatchObject([{ ok: true }]);
    expect(await store.get(team, "t", { projects: ["p"] }, within)).toMatchObject({ name: "of the narrow role" });
    await store.close();
    expect(await driftOf(db.url(name))).toEqual([]);
  });
});
