import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertHostileTextIsKept, listeningDriver } from "@sallyport/adapter-kit";
import { sqlRecordStore } from "@sallyport/sql";
import { it, onTestFinished } from "vitest";
import { sqliteDialect } from "../src/dialect.js";
import { sqlite } from "../src/index.js";
import { LibsqlDriver } from "../src/libsql-driver.js";
import { openDatabase } from "../src/open-database.js";

it("whatever stands in whichever text of whichever entity comes back as it was, and the statements stay the same few (T03)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-injection-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "injection.db");
  await sqlite(path).migrate();
  const texts = new Set<string>();
  const db = openDatabase({ path, synchronous: "normal" });
  db.pragma("foreign_keys = off"); // rows here refer to nothing
  const store = sqlRecordStore(
    sqliteDialect,
    listeningDriver(new LibsqlDriver(db, Date.now), (sql) => void texts.add(sql)),
  );
  onTestFinished(() => store.close());
  await assertHostileTextIsKept({ store, texts, runs: 1_500 });
});
