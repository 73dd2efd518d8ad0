// `npm run lockfile` completes the lockfiles of what is tested (the workspace's, and that of e2e/peers); with --check it only says what is wrong with them.
//
// npm leaves an optional dependency out of the lockfile when the registry it was written with does not carry it (mirrors often lack the
// binaries of other platforms), and `npm ci` then refuses the whole file. The entries that npm would have written follow from their parent,
// which names an exact version, and from their own name, which names the platform; only their integrity is unknown.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el"];

/**
 * @param {string} name of a package that holds one platform's binary, such as `@rollup/rollup-linux-arm64-musl`
 * @returns {{ os: string[], cpu: string[], libc?: string[] } | null} null if the name names no platform
 */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  const system = systems.find((known) => words.includes(known));
  const processor = processors.find((known) => words.includes(known));
  if (!system || !processor) return null;
  const libc = words.includes("musl") ? ["musl"] : words.includes("gnu") && system === "linux" ? ["glibc"] : null;
  return { os: [system], cpu: [processor], ...(libc && { libc }) };
}

/**
 * Adds the missing platform entries to a lockfile's `packages`, in place.
 * @param {Record<string, any>} packages
 * @returns {string[]} the names that were added
 */
export function addMissingPlatforms(packages) {
  const added = [];
  for (const parent of Object.values(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      const platform = platformOf(name);
      if (packages[path] || !platform || !/^\d/.test(version)) continue;
      packages[path] = { version, ...platform, ...(parent.dev && { dev: true }), optional: true };
      added.push(name);
    }
  }
  return added;
}

/**
 * @param {Record<string, any>} packages
 * @returns {string[]} what must not be in a lockfile: the address of a registry, a package without an integrity that is no platform's binary
 */
export function faultsOf(packages) {
  const faults = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (!path.includes("node_modules/") || entry.link) continue;
    if (entry.resolved) faults.push(`${path} names a registry: ${entry.resolved}`);
    if (!entry.integrity && !entry.inBundle && !(entry.optional && entry.os)) faults.push(`${path} has no integrity`);
  }
  return faults;
}

const files = ["package-lock.json", "e2e/peers/package-lock.json"];

/** @param {string} name of a lockfile, from the root */
function complete(name) {
  const file = join(root, name);
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const added = addMissingPlatforms(lock.packages);
  const faults = faultsOf(lock.packages);
  if (process.argv.includes("--check")) {
    if (added.length > 0) faults.push(`no entry for ${added.join(", ")}: run \`npm run lockfile\``);
    for (const fault of faults) console.error(`${name}: ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
    return;
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")));
  if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(added.length > 0 ? `${name}: added ${added.length} platform entries` : `${name} is complete`);
  for (const fault of faults) console.error(`${name}: ${fault}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const name of files) complete(name);
