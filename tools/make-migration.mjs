// `node tools/make-migration.mjs` prints the SQLite migration that the entities want beyond those in packages/adapters-sqlite/migrations.
// A person reviews it, saves it there as NNNN_name.sql and runs `node tools/make-migration.mjs --embed`, which writes the texts into the sources:
// so they are in the build, wherever it is bundled to.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const sqlite = join(root, "packages/adapters-sqlite");

/** @returns {{ id: string, text: string }[]} the reviewed migrations in their order */
export function reviewedMigrations() {
  const folder = join(sqlite, "migrations");
  const files = readdirSync(folder).filter((file) => /^\d{4}_[a-z0-9_]+\.sql$/.test(file));
  return files.sort().map((file) => ({ id: file.slice(0, -4), text: readFileSync(join(folder, file), "utf8") }));
}

/**
 * The source that holds the migrations' texts.
 * @param {readonly { id: string, text: string }[]} migrations
 */
export function embedded(migrations) {
  const rows = migrations.map(({ id, text }) => {
    if (/[`\\]|\$\{/.test(text)) throw new Error(`${id}.sql has a backtick, a backslash or \${`);
    return `  {\n    id: "${id}",\n    text: \`${text}\`,\n  },\n`;
  });
  return `// Made by tools/make-migration.mjs --embed from migrations/*.sql.\nimport type { Migration } from "@sallyport/sql";\n\nexport const shippedMigrations: readonly Migration[] = [\n${rows.join("")}];\n`;
}

/** Bundles the sources as they are: the tool needs no build. */
async function neededMigration() {
  const outfile = join(root, "node_modules/.cache/needed-migration.mjs");
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  await build({
    entryPoints: [join(sqlite, "src/needed-migration.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["libsql", "kysely", "zod"],
    tsconfig: join(root, "tsconfig.base.json"),
    logLevel: "warning",
  });
  const made = await import(pathToFileURL(outfile).href);
  return made.neededMigration(reviewedMigrations());
}

async function main() {
  if (process.argv.includes("--embed")) {
    writeFileSync(join(sqlite, "src/shipped-migrations.ts"), embedded(reviewedMigrations()));
    return;
  }
  const drifts = await neededMigration();
  if (drifts.length === 0) console.error("The migrations make what the entities declare.");
  for (const { what, statements } of drifts) {
    const hand = statements.length === 0 ? " Write this by hand." : "";
    console.log(`-- ${what}${hand}`);
    for (const statement of statements) console.log(`${statement};\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
