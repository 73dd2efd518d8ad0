import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kitEntities, recordStoreContract, type StoreSubject } from "@sallyport/adapter-kit";
import { derivedMigration } from "@sallyport/sql";
import { describe, test } from "vitest";
import { sqliteDialect } from "./dialect.js";
import { sqlite } from "./sqlite.js";

const migrations = [derivedMigration(sqliteDialect, kitEntities)];

describe("the record store in a SQLite file, with a second connection to it", () => {
  recordStoreContract({
    test,
    make: async () => {
      const folder = mkdtempSync(join(tmpdir(), "sallyport-sqlite-"));
      const adapter = sqlite(join(folder, "test.db"), { migrations });
      const store = await adapter.open({ entities: kitEntities });
      const subject: StoreSubject = { store, another: () => adapter.open({ entities: kitEntities }) };
      return {
        subject,
        dispose: async () => {
          await store.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
  });
});

describe("the record store in SQLite's memory", () => {
  recordStoreContract({
    test,
    make: async () => {
      const store = await sqlite(":memory:", { migrations }).open({ entities: kitEntities });
      return { subject: { store }, dispose: () => store.close() };
    },
  });
});
