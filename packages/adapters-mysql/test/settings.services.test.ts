import { hasService, kitEntities, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import { GatewayError, type MigratableStorage } from "@sallyport/core/ports";
import { derivedMigration } from "@sallyport/sql";
import driver, { type PoolOptions } from "mysql2";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { mysqlDialect } from "../src/dialect.js";
import { mysql, type MysqlOptions } from "../src/index.js";
import { kitShared, scope, shared, within } from "./kit-rows.js";

const migrations = [derivedMigration(mysqlDialect(), kitEntities)];

/** What opening throws. */
async function refusal(adapter: MigratableStorage): Promise<GatewayError> {
  const opened = await adapter.open({ entities: kitEntities }).catch((error: unknown) => error);
  if (opened instanceof GatewayError) return opened;
  throw new Error("It opened.");
}

describe.skipIf(!hasService("mariadb"))("settings of the database (F34)", () => {
  let db: PrivateMariadb;
  beforeAll(async () => {
    db = await privateMariadb({ settings: ["--innodb-flush-log-at-trx-commit=0", "--sql-mode=", "--collation-server=utf8mb4_general_ci"] });
  });
  afterAll(() => db.dispose());

  const hostPool = (name: string, options: PoolOptions = {}) => {
    const pool = driver.createPool({ uri: db.url(name), connectionLimit: 3, ...options });
    onTestFinished(() => new Promise<void>((resolve) => pool.end(() => resolve())));
    return pool;
  };
  const withPool = async (init: string, options: PoolOptions = {}, more: MysqlOptions = {}): Promise<GatewayError> => {
    const pool = hostPool(await db.database(), options);
    if (init !== "") pool.on("connection", (connection) => void connection.query(init));
    return refusal(mysql({ pool, migrations, ...more }));
  };

  it("a server that would cut values is made strict for our own connections", async () => {
    const store = await mysql(db.url(await db.database()), { migrations }).open({ entities: kitEntities });
    onTestFinished(() => store.close());
    const [result] = await store.commit([shared("a")], within());
    expect(result).toMatchObject({ ok: true });
  });

  it.each([
    ["sql_mode", "set session sql_mode = ''", {}],
    ["sql_mode", "set session sql_mode = 'STRICT_ALL_TABLES,EMPTY_STRING_IS_NULL'", {}],
    ["autocommit", "set session sql_mode = 'STRICT_TRANS_TABLES', autocommit = 0", {}],
    ["character_set_client", "set session sql_mode = 'STRICT_TRANS_TABLES', character_set_results = latin1", {}],
    ["character_set_client", "set session sql_mode = 'STRICT_TRANS_TABLES'", { charset: "latin1" }],
  ])("a host's pool with the wrong %s is refused: %s", async (setting, init, options) => {
    const error = await withPool(init, options);
    expect(error.code).toBe("misconfigured");
    expect(error.details).toMatchObject({ setting });
    expect(error.hint).toBeTruthy();
  });

  it("packets too small for a row are refused, with the least that is wanted", async () => {
    await db.sql("set global max_allowed_packet = 1048576");
    try {
      const error = await refusal(mysql(db.url(await db.database()), { migrations }));
      expect(error).toMatchObject({ code: "misconfigured", details: { setting: "max_allowed_packet" } });
      expect(error.hint).toContain("16777216");
    } finally {
      await db.sql("set global max_allowed_packet = 16777216");
    }
  });

  it("a column whose text compares otherwise is refused", async () => {
    const name = await db.database();
    await mysql(db.url(name), { migrations }).migrate();
    await db.sql(`alter table ${name}.kit_shared modify name varchar(80) collate utf8mb4_general_ci not null`);
    const error = await refusal(mysql(db.url(name), { migrations }));
    expect(error.code).toBe("misconfigured");
    expect(error.message).toContain("utf8mb4_general_ci");
  });

  it("an unknown user, a wrong password or a missing database says whom and never the password", async () => {
    const url = db.url("nowhere").replace("root@", "root:hunter2secret@");
    for (const bad of [url, db.url("nowhere"), url.replace("root:", "nobody:")]) {
      const error = await refusal(mysql(bad, { migrations }));
      expect(error.code).toBe("misconfigured");
      expect(error.hint).toContain('database "nowhere"');
      expect(JSON.stringify(error) + String(error.stack) + JSON.stringify(error.cause)).not.toContain("hunter2secret");
    }
  });

  it("a role that may not create tables opens a migrated store, and is told so when it may not migrate", async () => {
    const name = await db.database();
    await db.sql(`create or replace user app@'127.0.0.1'; grant select, insert, update, delete on ${name}.* to app@'127.0.0.1'`);
    const url = db.url(name).replace("root@", "app@");
    expect(await refusal(mysql(url, { migrations }))).toMatchObject({ code: "misconfigured" });
    expect(await refusal(mysql(url, { migrations, migrate: "check" }))).toMatchObject({ code: "misconfigured" });
    await mysql(db.url(name), { migrations }).migrate();
    const store = await mysql(url, { migrations, migrate: "check" }).open({ entities: kitEntities });
    expect(await store.commit([shared("a")], within())).toMatchObject([{ ok: true }]);
    await store.close();
  });

  it("a host's pool is used as it is, and neither closed nor changed", async () => {
    const name = await db.database();
    const pool = hostPool(name, { typeCast: () => "host", bigNumberStrings: true, supportBigNumbers: true, timezone: "+09:00" });
    pool.on(
      "connection",
      (connection) => void connection.query("set session sql_mode = 'STRICT_TRANS_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"),
    );
    const store = await mysql({ pool, migrations }).open({ entities: kitEntities });
    expect(await store.commit([shared("a", { count: 7 }), shared("a")], within())).toMatchObject([
      { ok: true },
      { ok: false, why: "taken" },
    ]);
    expect(await store.get(kitShared, "a", scope, within())).toMatchObject({ id: "a", count: 7 });
    await store.close();
    const ask = (sql: string) =>
      new Promise((resolve, reject) => pool.query(sql, (error, rows) => (error ? reject(error) : resolve(rows))));
    expect(await ask("select @@tx_isolation as i")).toEqual([{ i: "host" }]);
    expect((await db.sql("select count(*) from information_schema.processlist where db = '" + name + "'")).trim()).not.toBe("0");
    const isolation = new Promise((resolve) =>
      pool.query({ sql: "select @@tx_isolation as i", typeCast: (_, next) => next() }, (_, rows) => resolve(rows)),
    );
    expect(await isolation).toEqual([{ i: "REPEATABLE-READ" }]);
  });

  it("a prefix stands before every table, so that two gateways share a database", async () => {
    const name = await db.database();
    const open = (tablePrefix: string) => mysql(db.url(name), { migrations, tablePrefix }).open({ entities: kitEntities });
    const [one, other, bare] = [await open("ai_"), await open("b2_"), await open("")];
    await one.commit([shared("a", { count: 1 })], within());
    await other.commit([shared("a", { count: 2 })], within());
    expect(await one.get(kitShared, "a", scope, within())).toMatchObject({ count: 1 });
    expect(await other.get(kitShared, "a", scope, within())).toMatchObject({ count: 2 });
    expect(await bare.get(kitShared, "a", scope, within())).toBeNull();
    for (const store of [one, other, bare]) await store.close();
    const tables = (await db.sql(`select table_name from information_schema.tables where table_schema = '${name}'`)).trim().split("\n");
    expect(tables.filter((table) => table.startsWith("ai_")).length).toBe(tables.length / 3);
    expect(await mysql(db.url(name), { migrations, tablePrefix: "ai_" }).migrationState()).toMatchObject({ pending: [] });
  });

  it("options that make no sense are refused at once", () => {
    for (const tablePrefix of ["a b", "x`; drop table t; --", "a-b", "a".repeat(40)])
      expect(() => mysql(db.url("d"), { tablePrefix })).toThrow("prefix");
    expect(() => mysql(db.url("d"), { connections: 0 })).toThrow("connections");
  });

  it.each([
    "postgres://a/b",
    "mysql://root@localhost",
    "not a url",
    "mysql://localhost/d?multipleStatements=true",
    "mysql://localhost/d?tls=perhaps",
  ])("the URL %s is refused", async (url) => {
    expect(await refusal(mysql(url))).toMatchObject({ code: "misconfigured", details: { setting: "storage.url" } });
  });
});
