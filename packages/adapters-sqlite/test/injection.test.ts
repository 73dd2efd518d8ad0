import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allEntities, storedColumns, type AnyEntity, type Column } from "@sallyport/core/entities";
import { insert } from "@sallyport/core/ports";
import { sqlRecordStore, type Begin, type Query, type SqlDriver } from "@sallyport/sql";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { sqliteDialect } from "../src/dialect.js";
import { sqlite } from "../src/index.js";
import { LibsqlDriver } from "../src/libsql-driver.js";
import { openDatabase } from "../src/open-database.js";

const within = () => ({ deadlineMs: Number.MAX_SAFE_INTEGER });
const scope = { system: "test" };

const pieces = [
  "'",
  '"',
  "`",
  ";",
  "--",
  "/*",
  "*/",
  "\\",
  "\u0000",
  "%",
  "_",
  "?",
  "?1",
  ":a",
  "$1",
  "@p",
  "\n",
  "') or 1=1 --",
  "'; drop table users; --",
  "union select",
  "é",
  "😀",
  "x'41'",
];
const hostile = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 }).map((list) => list.join(""));

function valueOf(column: Column, text: string, unique: string): unknown {
  if (column.kind === "text")
    return unique.length >= column.maxLength
      ? unique.slice(-column.maxLength)
      : (unique + text).slice(0, column.maxLength).replace(/[\ud800-\udbff]$/, "");
  if (column.kind === "long-text") return text;
  if (column.kind === "int") return text.length;
  if (column.kind === "bool") return text.length % 2 === 0;
  return { [text]: [text, { "' or 1=1": text }] };
}

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

it("whatever stands in whichever text of whichever entity comes back as it was, and the statements stay the same few (T03)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-injection-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "injection.db");
  await sqlite(path).migrate();
  const texts = new Set<string>();
  const driver = new LibsqlDriver(openDatabase({ path, synchronous: "normal" }), Date.now);
  const store = sqlRecordStore(
    sqliteDialect,
    listening(driver, ({ statement: { sql } }) => void texts.add(sql)),
  );
  onTestFinished(() => store.close());
  const entities = allEntities.filter((entity): entity is AnyEntity => entity.kind !== "log");
  let count = 0;
  const round = async (entity: AnyEntity, text: string): Promise<void> => {
    const id = `id-${++count}`;
    const columns = storedColumns(entity).filter(({ kept, name }) => !kept && name !== "id");
    const row = Object.fromEntries(columns.map(({ name, column }) => [name, name === "atMs" ? 1 : valueOf(column, text, String(count))]));
    await store.commit([{ scope, writes: [insert(entity as never, { id, ...row } as never)] }], within());
    expect(await store.get(entity, id, scope, within())).toMatchObject(row);
    for (const { name, column } of columns) {
      if (column.kind !== "text") continue;
      const where = { [name]: row[name] };
      const { rows } = await store
        .find(entity, { where: where as never, orderBy: "id" as never, limit: 1_000 }, scope, within())
        .catch((error: { code?: string }) => {
          // No index: refused before any statement is made.
          expect(error.code).toBe("internal");
          return { rows: [{ id }] };
        });
      expect((rows as { id: string }[]).some((found) => found.id === id)).toBe(true);
    }
  };
  for (const entity of entities) await round(entity, "plain");
  const shapes = new Set(texts);
  expect(shapes.size).toBeGreaterThan(entities.length);
  await fc.assert(fc.asyncProperty(fc.constantFrom(...entities), hostile, round), { numRuns: 1_500 });
  expect([...texts].filter((text) => !shapes.has(text))).toEqual([]);
  for (const text of texts) expect(text).not.toContain("'");
}, 60_000);
