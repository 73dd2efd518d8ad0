import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mysql } from "@sallyport/adapters-mysql";
import { sqlite } from "@sallyport/adapters-sqlite";
import { hasService, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { asImported, body, contents, everything, exported, fill, imported, rowsOnly, writesOf } from "./stored-rows.js";

const all = { with: ["usage", "audit", "traces"] } as const;

describe.skipIf(!hasService("mariadb"))("SQLite and MariaDB", () => {
  let server: PrivateMariadb;
  beforeAll(async () => {
    server = await privateMariadb();
  });
  afterAll(() => server?.dispose());

  it("hold the same after a move from one to the other and back", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-backup-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const [n, given] of fc.sample(contents, { numRuns: 1, seed: 28 }).entries()) {
      const first = await sqlite(join(folder, `${n}-a.db`)).open({ entities: everything });
      const second = await mysql(server.url(await server.database())).open({ entities: everything });
      const third = await sqlite(join(folder, `${n}-b.db`)).open({ entities: everything });
      await fill(first, writesOf(given));
      const one = await exported(first, all);
      expect((await imported(second, one)).refused).toEqual([]);
      const two = await exported(second, all);
      expect(rowsOnly(body(two))).toEqual(asImported(rowsOnly(body(one))));
      expect((await imported(second, two)).entities.every(({ created, refused }) => created + refused === 0)).toBe(true);
      expect((await imported(third, two)).refused).toEqual([]);
      expect(body(await exported(third, all))).toEqual(body(two));
      for (const store of [first, second, third]) await store.close();
    }
  });
});
