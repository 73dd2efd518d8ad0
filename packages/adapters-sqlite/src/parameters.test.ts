import { kitEntities, listeningDriver, recordStoreCases } from "@sallyport/adapter-kit";
import { migrate, sqlRecordStore, derivedMigration } from "@sallyport/sql";
import { expect, it } from "vitest";
import { sqliteDialect } from "./dialect.js";
import { LibsqlDriver } from "./libsql-driver.js";
import { openDatabase } from "./open-database.js";

it("no value is ever part of a text: the whole contract runs on a few hundred texts without a quoted string (T03)", async () => {
  const texts = new Map<string, number>();
  for (const one of recordStoreCases) {
    const driver = new LibsqlDriver(openDatabase({ path: ":memory:", synchronous: "normal" }), Date.now);
    const migrations = [derivedMigration(sqliteDialect, kitEntities)];
    await migrate({ dialect: sqliteDialect, driver, migrations, entities: kitEntities, mode: "auto" }, { deadlineMs: Date.now() + 15_000 });
    const store = sqlRecordStore(
      sqliteDialect,
      listeningDriver(driver, (text) => texts.set(text, (texts.get(text) ?? 0) + 1)),
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
