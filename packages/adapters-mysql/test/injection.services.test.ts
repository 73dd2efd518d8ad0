import { assertHostileTextIsKept, hasService, listeningDriver, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import { sqlRecordStore } from "@sallyport/sql";
import { afterAll, beforeAll, describe, it, onTestFinished } from "vitest";
import { mysqlDialect } from "../src/dialect.js";
import { mysql } from "../src/index.js";
import { openDriver } from "../src/driver/open-driver.js";

describe.skipIf(!hasService("mariadb"))("hostile text in MariaDB", () => {
  let db: PrivateMariadb;
  beforeAll(async () => {
    db = await privateMariadb({ settings: ["--innodb-flush-log-at-trx-commit=0"] });
  });
  afterAll(() => db.dispose());

  it("comes back as it was, whichever text of whichever entity it stands in, and the statements stay the same few (T03)", async () => {
    const name = await db.database();
    await mysql(db.url(name)).migrate();
    // Rows here refer to nothing.
    await db.sql("set global foreign_key_checks = 0");
    const texts = new Set<string>();
    const bounds = { connections: 2, maxWaiting: 100, waitMs: 5_000, workMs: 10_000 };
    const { driver } = openDriver({ url: db.url(name), bounds, prefix: "" });
    const store = sqlRecordStore(
      mysqlDialect(),
      listeningDriver(driver, (sql) => void texts.add(sql)),
    );
    onTestFinished(() => store.close());
    await assertHostileTextIsKept({ store, texts, runs: 250 });
  });
});
