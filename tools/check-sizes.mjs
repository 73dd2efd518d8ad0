// `npm run sizes`: DESIGN.md §8. Aim at 250 lines a file; past 400 the reason stands in `reasons` below; past 500 only a table may go. At most 15 source files a
// folder (tests sit beside their source and do not count); names in kebab-case; no drawer for odds and ends.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const limits = { aim: 250, ask: 400, refuse: 500, filesPerFolder: 15 };

/**
 * Files past 400 lines and why they are not split. `table: true`: data that reads as one table, which may pass 500 too.
 * @type {Readonly<Record<string, { why: string, table?: true }>>}
 */
const reasons = {
  "packages/core/src/providers/provider.ts": { why: "a provider, what its options mean, and what is laid over its models: one idea" },
  "packages/adapters-sqlite/src/shipped-migrations.ts": { why: "the texts of migrations/*.sql, written by a tool", table: true },
  "packages/adapters-mysql/src/shipped-migrations.ts": { why: "the texts of migrations/*.sql, written by a tool", table: true },
};

const roots = ["packages", "examples", "e2e", "bench", "tools"];
const skipped = new Set(["node_modules", "dist", "coverage", "results"]);
const sourceName = /\.(ts|tsx|mts|mjs)$/;
const testName = /\.test\.(ts|tsx|mjs)$/;
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const drawers = new Set(["utils", "helpers", "types", "common", "misc"]);

/**
 * @typedef {{ faults: string[], largest: { path: string, lines: number }[] }} Report
 *   `largest`: the files past the aim, longest first
 */

/**
 * @param {string} root a repository
 * @param {Readonly<Record<string, { why: string, table?: true }>>} [exceptions]
 * @returns {Report}
 */
export function checkSizes(root, exceptions = reasons) {
  /** @type {Report} */
  const report = { faults: [], largest: [] };
  const seen = new Set();
  for (const folder of roots) if (existsSync(join(root, folder))) walk({ root, exceptions, report, seen }, folder);
  for (const path of Object.keys(exceptions))
    if (!seen.has(path)) report.faults.push(`${path} is listed in check-sizes.mjs and is not past ${limits.ask} lines`);
  report.largest.sort((a, b) => b.lines - a.lines);
  return report;
}

/**
 * @param {{ root: string, exceptions: Readonly<Record<string, { why: string, table?: true }>>, report: Report, seen: Set<string> }} check
 * @param {string} folder relative to the root
 */
function walk(check, folder) {
  const { root, report } = check;
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).filter(
    (entry) => !skipped.has(entry.name) && !entry.name.startsWith("."),
  );
  for (const entry of entries) {
    const path = relative(root, join(root, folder, entry.name))
      .split(sep)
      .join("/");
    if (entry.isDirectory()) {
      if (drawers.has(entry.name)) report.faults.push(`${path}/ is a drawer: name the folder after the one idea in it`);
      walk(check, path);
    } else if (sourceName.test(entry.name)) checkFile(check, path);
  }
  const sources = entries.filter(
    (entry) => entry.isFile() && sourceName.test(entry.name) && !testName.test(entry.name) && !/\.config\.ts$/.test(entry.name),
  );
  if (sources.length > limits.filesPerFolder)
    report.faults.push(`${folder}/ holds ${sources.length} source files: at most ${limits.filesPerFolder}`);
}

/**
 * @param {{ root: string, exceptions: Readonly<Record<string, { why: string, table?: true }>>, report: Report, seen: Set<string> }} check
 * @param {string} path
 */
function checkFile({ root, exceptions, report, seen }, path) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const words = name.replace(sourceName, "").split(".");
  if (!words.every((word) => kebab.test(word))) report.faults.push(`${path} is not in kebab-case`);
  if (drawers.has(words[0])) report.faults.push(`${path} is a drawer: name the file after its main export`);
  if (testName.test(name)) return;
  const lines = readFileSync(join(root, path), "utf8").trimEnd().split("\n").length;
  if (lines > limits.aim) report.largest.push({ path, lines });
  if (lines <= limits.ask) return;
  seen.add(path);
  const exception = exceptions[path];
  if (lines > limits.refuse && !exception?.table) report.faults.push(`${path} has ${lines} lines: past ${limits.refuse}, split it`);
  else if (!exception) report.faults.push(`${path} has ${lines} lines: past ${limits.ask}, split it or say why in check-sizes.mjs`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { faults, largest } = checkSizes(fileURLToPath(new URL("..", import.meta.url)));
  for (const { path, lines } of largest) console.log(`${String(lines).padStart(4)}  ${path}`);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
