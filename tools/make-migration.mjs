// `node tools/make-migration.mjs [sqlite|mysql]` prints the migration that the entities want beyond those in packages/adapters-<dialect>/migrations; sqlite when left out.
// A person reviews it, saves it there as NNNN_name.sql and runs `node tools/make-migration.mjs --embed`, which writes the texts of both into the sources:
// so they are in the build, wherever it is bundled to.
// `node tools/make-migration.mjs mysql --initial` writes MySQL's first migration anew from the entities, as long as nothing is released, and embeds it.
// MySQL's are tried on a MariaDB of the tool's own, which has to be installed; --initial and --embed need none.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
/** @typedef {"sqlite" | "mysql"} Dialect */
/** @type {readonly Dialect[]} */
export const dialects = ["sqlite", "mysql"];
const packageOf = (/** @type {Dialect} */ dialect) => join(root, `packages/adapters-${dialect}`);

/**
 * @param {Dialect} dialect
 * @returns {{ id: string, text: string }[]} the reviewed migrations in their order
 */
export function reviewedMigrations(dialect = "sqlite") {
  const folder = join(packageOf(dialect), "migrations");
  const files = readdirSync(folder).filter((file) => /^\d{4}_[a-z0-9_]+\.sql$/.test(file));
  return files.sort().map((file) => ({ id: file.slice(0, -4), text: readFileSync(join(folder, file), "utf8") }));
}

/**
 * The source that holds the migrations' texts. Backticks are how MySQL quotes names.
 * @param {readonly { id: string, text: string }[]} migrations
 */
export function embedded(migrations) {
  const rows = migrations.map(({ id, text }) => {
    if (/\\|\$\{/.test(text)) throw new Error(`${id}.sql has a backslash or \${`);
    return `  {\n    id: "${id}",\n    text: \`${text.replaceAll("`", "\\`")}\`,\n  },\n`;
  });
  return `// Made by tools/make-migration.mjs --embed from migrations/*.sql.\nimport type { Migration } from "@sallyport/sql";\n\nexport const shippedMigrations: readonly Migration[] = [\n${rows.join("")}];\n`;
}

/** @param {Dialect} dialect */
function embed(dialect) {
  writeFileSync(join(packageOf(dialect), "src/shipped-migrations.ts"), embedded(reviewedMigrations(dialect)));
}

/**
 * Bundles a source as it is: the tool needs no build.
 * @param {string} source
 */
export async function bundled(source) {
  const folder = join(root, "node_modules/.cache");
  const outfile = join(folder, `${source.replaceAll(/\W+/g, "-")}.mjs`);
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(root, source)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["libsql", "kysely", "zod", "mysql2"],
    tsconfig: join(root, "tsconfig.base.json"),
    logLevel: "warning",
  });
  return import(pathToFileURL(outfile).href);
}

/**
 * Runs with the URL of an empty database in a MariaDB of its own.
 * @template T
 * @param {(url: string, db: { sql(text: string): Promise<string> }) => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function onMariadb(body) {
  const { privateMariadb } = await bundled("packages/adapter-kit/src/servers/private-mariadb.ts");
  const db = await privateMariadb();
  try {
    return await body(db.url(await db.database()), db);
  } finally {
    await db.dispose();
  }
}

/** @param {Dialect} dialect */
async function neededMigration(dialect) {
  const made = await bundled(`packages/adapters-${dialect}/src/needed-migration.ts`);
  const migrations = reviewedMigrations(dialect);
  return dialect === "sqlite" ? made.neededMigration(migrations) : onMariadb((url) => made.neededMigration(migrations, url));
}

const INITIAL =
  "-- Everything that Sallyport 0.1 stores. Instants are Unix ms, booleans 0 or 1. Each statement may be repeated: one that was applied does nothing.\n\n";

async function writeInitial() {
  const made = await bundled("packages/adapters-mysql/src/needed-migration.ts");
  const folder = join(packageOf("mysql"), "migrations");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "0001_initial.sql"), `${INITIAL}${made.initialMigration()}`);
  embed("mysql");
}

async function main() {
  const dialect = process.argv.includes("mysql") ? "mysql" : "sqlite";
  if (process.argv.includes("--initial")) {
    if (dialect !== "mysql") throw new Error("Only MySQL's first migration is made anew: SQLite's are edited.");
    return writeInitial();
  }
  if (process.argv.includes("--embed")) return dialects.forEach(embed);
  const drifts = await neededMigration(dialect);
  if (drifts.length === 0) console.error("The migrations make what the entities declare.");
  for (const { what, statements } of drifts) {
    const hand = statements.length === 0 ? " Write this by hand." : "";
    console.log(`-- ${what}${hand}`);
    for (const statement of statements) console.log(`${statement};\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
