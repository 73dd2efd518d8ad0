import { kitEntities, recordStoreCases } from "@sallyport/adapter-kit";
import { migrate, sqlRecordStore, derivedMigration, type Begin, type Query, type SqlDriver } from "@sallyport/sql";
import { expect, it } from "vitest";
import { sqliteDialect } from "./dialect.js";
import { LibsqlDriver } from "./libsql-driver.js";
import { openDatabase } from "./open-database.js";

/** A driver that notes every query on its way. */
function listening(driver: SqlDriver, heard: (query: Query) => void): SqlDriver {
  const noting = <T>(begin: Begin<T>): Begin<T> =>
    function* (nowMs) {
      const work = begin(nowMs);
      let step = work.next();
      while (step.done !== true) {
        heard(step.value);
        step = work.next(yield step.value);
      }
      return step.value;
    };
  return {
    read: (begin, w) => driver.read(noting(begin), w),
    write: (begin, w) => driver.write(noting(begin), w),
    exclusively: (begin, w) => driver.exclusively(begin, w),
    close: () => driver.close(),
  };
}

it("no value is ever part of a text: the whole contract runs on a few hundred texts without a quoted string (T03)", async () => {
  const texts = new Map<string, number>();
  for (const one of recordStoreCases) {
    const driver = new LibsqlDriver(openDatabase({ path: ":memory:", synchronous: "normal" }), Date.now);
    const migrations = [derivedMigration(sqliteDialect, kitEntities)];
    await migrate({ dialect: sqliteDialect, driver, migrations, entities: kitEntities, mode: "auto" }, { deadlineMs: Date.now() + 15_000 });
    const store = sqlRecordStore(
      sqliteDialect,
      listening(driver, ({ statement }) => texts.set(statement.sql, (texts.get(statement.sql) ?? 0) + 1)),
    );
    await one.run({ store });
    await store.close();
  }
  const uses = [...texts.values()].reduce((sum, count) => sum + count, 0);
  expect(uses).toBeGreaterThan(10_000);
  expect(texts.size).toBeLessThan(400);
  for (const text of texts.keys()) {
    expect(text, text).not.toContain("'");
    // Numbers in a text are of the language: places of a group, halves and bounds of an integer.
    for (const [number] of text.replaceAll(/"[^"]*"/g, "").matchAll(/\d+/g))
      expect(["0", "1", "2", "3", "32", "4294967295", "9007199254740991"], text).toContain(number);
  }
});
