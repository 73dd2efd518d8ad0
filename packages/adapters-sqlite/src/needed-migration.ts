import { allEntities } from "@sallyport/core/entities";
import { applyMigrations, schemaDrift, type Drift, type Migration } from "@sallyport/sql";
import { sqliteDialect } from "./dialect.js";
import { LibsqlDriver } from "./libsql-driver.js";
import { openDatabase } from "./open-database.js";

/** What the declarations want beyond the migrations given: for the tool that prints the next one, and the test that none is missing. */
export async function neededMigration(migrations: readonly Migration[]): Promise<readonly Drift[]> {
  const driver = new LibsqlDriver(openDatabase({ path: ":memory:", synchronous: "normal" }), Date.now);
  const within = { deadlineMs: Date.now() + 60_000 };
  try {
    await applyMigrations({ dialect: sqliteDialect, driver, migrations }, within);
    return await driver.read(() => schemaDrift(sqliteDialect, allEntities), within);
  } finally {
    await driver.close();
  }
}
