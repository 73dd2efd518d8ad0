import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sqlRecordStore, type Begin, type Query, type SqlDriver } from "@sallyport/sql";
import { sqlite } from "@sallyport/adapters-sqlite";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { sqliteDialect } from "../../../adapters-sqlite/src/dialect.js";
import { LibsqlDriver } from "../../../adapters-sqlite/src/libsql-driver.js";
import { openDatabase } from "../../../adapters-sqlite/src/open-database.js";
import { allEntities, storedColumns, type AnyEntity, type Column } from "../../src/entities/index.js";
import { insert } from "../../src/ports/index.js";
import { ownFolder } from "./whole-gateway.js";

const packages = fileURLToPath(new URL("../../../", import.meta.url));
const within = () => ({ deadlineMs: Number.MAX_SAFE_INTEGER });
const scope = { system: "test" };

/** SQL in a template with a hole, or in pieces that are put together. */
const statement = /(?:select\s+[^`"']*\sfrom|insert\s+(?:or\s+\w+\s+)?into|update\s+\S+\s+set|delete\s+from|drop\s+table|alter\s+table)\s/i;
const templates = (text: string) =>
  [...text.matchAll(/(\bsql)?`[^`]*`/g)].filter(([found]) => found.includes("${") && statement.test(found));
const faults = (text: string): string[] => [
  ...templates(text).map(([found]) => found),
  ...[...text.matchAll(/["'][^"'\n]*["']\s*\+|\+\s*["'][^"'\n]*["']/g)].map(([found]) => found).filter((found) => statement.test(found)),
  ...[...text.matchAll(/\bsql\.(?:raw|lit)\(.*|\.unsafe\(.*/g)].map(([found]) => found),
];
/** Of the SQL package: parts of the language itself, chosen among constants; never a value. */
const constants = [
  /^sql\.raw\((?:clock|c\.statements\.dialect\.lockAnd(?:Wait|Skip))\)/,
  /^sql\.raw\([\w.]+(?: === true)? \? "(?:desc|asc|max|min|<|>)" : "(?:desc|asc|max|min|<|>)"\)/,
  /^sql\.lit\((?:i \+ 1|-?MAX)\)/,
];

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((path) => !path.includes("/node_modules/") && !path.includes("/dist/"));
}

it("no statement is put together from texts anywhere: all of them are Kysely's, with parameters (T03)", () => {
  expect(faults("db.prepare(`select * from users where id = '${id}'`)")).toHaveLength(1);
  expect(faults('"delete from users where id = " + id')).toHaveLength(1);
  const all = sources(packages).filter((path) => path.includes("/src/"));
  const ofSql = all.filter((path) => path.startsWith(`${packages}sql/src/`));
  const found = all
    .filter((path) => !ofSql.includes(path))
    .flatMap((path) => faults(readFileSync(path, "utf8")).map((fault) => `${path.slice(packages.length)}: ${fault.slice(0, 120)}`));
  expect(found).toEqual([]);
  for (const path of ofSql) {
    const text = readFileSync(path, "utf8");
    const raw = [...text.matchAll(/\bsql\.(?:raw|lit)\(.*/g)]
      .map(([one]) => one)
      .filter((one) => !constants.some((form) => form.test(one)));
    // Migrations are texts for people to read, made of declarations; all else is Kysely's `sql`, whose holes become parameters or identifiers.
    const loose = path.includes("/schema/") ? [] : templates(text).flatMap(([one, tag]) => (tag === undefined ? [one] : []));
    expect([path.slice(packages.length), ...raw, ...loose]).toEqual([path.slice(packages.length)]);
  }
  // Who else than the SQL packages has statements prepared or run?
  const drivers = sources(packages)
    .filter(
      (path) => path.includes("/src/") && /from "(?:libsql|kysely|mysql2|better-sqlite3|node:sqlite)/.test(readFileSync(path, "utf8")),
    )
    .map((path) => path.slice(packages.length).split("/")[0]);
  expect([...new Set(drivers)].sort()).toEqual(["adapters-sqlite", "sql"]);
});

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
  const path = `${ownFolder()}/injection.db`;
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
