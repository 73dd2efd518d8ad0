import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const packages = fileURLToPath(new URL("../../../", import.meta.url));

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
  expect([...new Set(drivers)].sort()).toEqual(["adapters-mysql", "adapters-sqlite", "sql"]);
});
