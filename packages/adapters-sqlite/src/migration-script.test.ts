import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sqlite } from "./sqlite.js";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sallyport-script-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("makes by hand exactly the database that a migration makes", async () => {
  const [byHand, migrated] = [join(folder, "by-hand.db"), join(folder, "migrated.db")];
  const script = await sqlite(":memory:").migrationScript();
  const db = new Database(byHand);
  db.exec(script);
  db.close();
  await sqlite(migrated).migrate();

  const schemaOf = (path: string) => {
    const open = new Database(path, { readonly: true });
    const rows = open.prepare("select name, sql from sqlite_master order by name").all();
    open.close();
    return rows;
  };
  expect(schemaOf(byHand)).toEqual(schemaOf(migrated));
  expect(await sqlite(byHand).migrationState()).toEqual(await sqlite(migrated).migrationState());
  expect(await sqlite(byHand).migrate()).toEqual([]);
  expect(await sqlite(byHand).migrationScript()).toBe("");
});

it("changes nothing", async () => {
  const path = join(folder, "new.db");
  await sqlite(path).migrationScript();
  expect((await sqlite(path).migrationState()).applied).toEqual([]);
});
