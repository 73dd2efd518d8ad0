import { answerOf, hasService, kitEntities, privateMariadb, storeQuestions, type PrivateMariadb } from "@sallyport/adapter-kit";
import { memoryStore } from "@sallyport/core/memory";
import type { RecordStore } from "@sallyport/core/ports";
import { derivedMigration } from "@sallyport/sql";
import fc from "fast-check";
import driver, { type Pool } from "mysql2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mysqlDialect } from "../src/dialect.js";
import { mysql } from "../src/index.js";

describe.skipIf(!hasService("mariadb"))("MariaDB beside memory", () => {
  let db: PrivateMariadb;
  let name: string;
  let pool: Pool;
  let store: RecordStore;
  beforeAll(async () => {
    db = await privateMariadb({ settings: ["--innodb-flush-log-at-trx-commit=0"] });
    name = await db.database();
    pool = driver.createPool({ uri: db.url(name), connectionLimit: 1, multipleStatements: true });
    store = await mysql({ pool, connections: 1, migrations: [derivedMigration(mysqlDialect(), kitEntities)] }).open({
      entities: kitEntities,
    });
  });
  afterAll(async () => {
    await store.close();
    await new Promise<void>((resolve) => pool.end(() => resolve()));
    await db.dispose();
  });
  const ask = (sql: string) =>
    new Promise<void>((resolve, reject) => pool.query(sql, (error) => (error === null ? resolve() : reject(error))));
  const tables = [...kitEntities.map(({ table }) => table).reverse(), "sallyport_changes", "sallyport_log_heads"];

  it("answers every question alike", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(storeQuestions, { minLength: 5, maxLength: 40 }), async (asked) => {
        await ask(tables.map((table) => `delete from ${table};`).join(" "));
        // The database's clock of this session; 0 would be the real one.
        let nowMs = 1_000;
        const clock = { now: () => nowMs, monotonic: () => nowMs, at: () => () => undefined };
        const memory = memoryStore({ clock });
        for (const question of asked) {
          nowMs += 100;
          await ask(`set timestamp = ${nowMs / 1000}`);
          expect(await answerOf(store, question)).toEqual(await answerOf(memory, question));
        }
        await memory.close();
      }),
      { numRuns: Number(process.env["SALLYPORT_FUZZ_RUNS"] ?? 100) },
    );
  });
});
