// `npm run check:packages`: what would be published, as a user gets it. Packs every public package, lints the tarballs, installs them together in an empty folder, loads
// every entry by import and by require, type-checks a consumer, and holds the core's installed size against its limits. Wants `npm run build` first.
// `--node 22.23.3` (repeatable, Linux x64) runs the loaded entries under that version of Node too.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import ts from "typescript";
import { filesUnder, nodeBinary, packageFolders, root } from "./installed.mjs";

const limits = { packages: 25, megabytes: 40 };
const work = mkdtempSync(join(tmpdir(), "sallyport-packages-"));
/** @type {string[]} */
const faults = [];

/**
 * @typedef {{ name: string, version: string, private?: boolean, exports: Record<string, unknown>, bin?: Record<string, string> }} Manifest
 * @typedef {{ manifest: Manifest, tarball: string, entries: string[] }} Packed
 */

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

/**
 * @param {string} what
 * @param {readonly [string, ...string[]]} line
 * @param {string} [cwd]
 */
function attempt(what, [command, ...args], cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) faults.push(`${what} failed:\n${error ?? ""}${stdout}${stderr}`);
  return status === 0;
}

/** @returns {Packed[]} */
function packAll() {
  return packageFolders().flatMap((folder) => {
    /** @type {Manifest} */
    const manifest = readJson(join(folder, "package.json"));
    if (manifest.private) return [];
    const output = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], {
      cwd: folder,
      encoding: "utf8",
    });
    const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");
    return [
      { manifest, tarball: join(work, JSON.parse(output)[0].filename), entries: entries.map((entry) => manifest.name + entry.slice(1)) },
    ];
  });
}

/** @param {Packed} packed */
function lint({ manifest, tarball, entries }) {
  attempt(`publint ${manifest.name}`, ["npx", "--no-install", "publint", "run", tarball, "--strict"]);
  if (entries.length > 0) attempt(`attw ${manifest.name}`, ["npx", "--no-install", "attw", tarball, "--profile", "esm-only", "--no-color"]);
}

/**
 * Installs into an empty folder, without the workspace around it.
 * @param {string} name
 * @param {readonly string[]} packages
 */
function install(name, packages) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  if (!attempt(`installing ${name}`, ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", ...packages], folder)) fail();
  return folder;
}

/** @param {Packed[]} all */
function measureCore(all) {
  const core = all.find(({ manifest }) => manifest.name === "@sallyport/core");
  if (!core) return;
  const modules = join(install("core-alone", [core.tarball]), "node_modules");
  const count = Object.keys(readJson(join(modules, ".package-lock.json")).packages).length;
  const megabytes = filesUnder(modules).reduce((sum, file) => sum + statSync(file).size, 0) / 1_000_000;
  console.log(
    `@sallyport/core installs ${count} packages (at most ${limits.packages}), ${megabytes.toFixed(1)} MB (at most ${limits.megabytes})`,
  );
  if (count > limits.packages) faults.push(`@sallyport/core installs ${count} packages: at most ${limits.packages}`);
  if (megabytes > limits.megabytes) faults.push(`@sallyport/core installs ${megabytes.toFixed(1)} MB: at most ${limits.megabytes}`);
}

/**
 * Strict, and with the declarations of our packages checked as well: one that names a package which is not installed is an error here.
 * @param {string} folder
 * @param {readonly string[]} entries
 */
function typeCheck(folder, entries) {
  const consumer = join(folder, "consumer.ts");
  const everything = join(folder, "everything.ts");
  copyFileSync(join(root, "tools/consumer/consumer.ts"), consumer);
  writeFileSync(everything, entries.map((entry, n) => `export * as entry${n} from "${entry}";\n`).join(""));
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts"],
    types: ["node"],
    module: ts.ModuleKind.NodeNext,
  };
  const program = ts.createProgram([consumer, everything], { ...options, typeRoots: [join(folder, "node_modules/@types")] });
  const ours = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => !file || !/node_modules\/(?!@sallyport\/|sallyport\/)/.test(file.fileName));
  const host = { getCanonicalFileName: String, getCurrentDirectory: () => folder, getNewLine: () => "\n" };
  if (ours.length > 0) faults.push(`the consumer does not compile:\n${ts.formatDiagnostics(ours, host)}`);
}

/**
 * @param {string} folder
 * @param {Packed[]} all
 * @param {readonly string[]} versions
 */
function runUnderEach(folder, all, versions) {
  const smoke = join(folder, "smoke.cjs");
  copyFileSync(join(root, "tools/consumer/smoke.cjs"), smoke);
  // The contract kit loads inside vitest only.
  const entries = all.filter(({ manifest }) => manifest.name !== "@sallyport/adapter-kit").flatMap((packed) => packed.entries);
  const bins = all.flatMap(({ manifest }) =>
    Object.values(manifest.bin ?? {}).map((file) => join(folder, "node_modules", manifest.name, file)),
  );
  for (const node of [process.execPath, ...versions.map(nodeBinary)]) {
    if (attempt(`smoke under ${node}`, [node, smoke, ...entries], folder))
      console.log(`loads under ${execFileSync(node, ["--version"], { encoding: "utf8" }).trim()}`);
    for (const bin of bins) attempt(`${bin} --help under ${node}`, [node, bin, "--help"], folder);
  }
}

function fail() {
  for (const fault of faults) console.error(fault);
  rmSync(work, { recursive: true, force: true });
  process.exit(1);
}

const { values } = parseArgs({ options: { node: { type: "string", multiple: true, default: [] } } });
const missing = packageFolders().filter((folder) => !filesUnder(join(folder, "dist")).some((file) => file.endsWith(".d.ts")));
if (missing.length > 0) {
  console.error(`no declarations in ${missing.join(", ")}: run \`npm run build\` first`);
  process.exit(1);
}
const packed = packAll();
for (const one of packed) lint(one);
measureCore(packed);
const { devDependencies } = readJson(join(root, "package.json"));
const peers = ["express", "vitest", "@types/express", "@types/node"].map((name) => `${name}@${devDependencies[name]}`);
const folder = install("together", [...packed.map(({ tarball }) => tarball), ...peers]);
typeCheck(
  folder,
  packed.flatMap(({ entries }) => entries),
);
runUnderEach(folder, packed, values.node);
if (faults.length > 0) fail();
rmSync(work, { recursive: true, force: true });
console.log(`${packed.length} packages are fit to publish`);
