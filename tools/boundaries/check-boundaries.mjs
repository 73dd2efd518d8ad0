// `npm run boundaries`: fails on every import that DESIGN.md §5 forbids. The rules are in rules.mjs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as rules from "./rules.mjs";
import { readSource } from "./source-imports.mjs";

/**
 * @typedef {import("./source-imports.mjs").Import & { target: string | null }} Arrow `target` is the file that a relative import means
 * @typedef {{ path: string, owner: string, inside: string, isTest: boolean, arrows: Arrow[], strings: { text: string, line: number }[] }} Source
 *   `path` is relative to the repository, `owner` the folder of the package (`packages/core`), `inside` the path below its `src`
 */

/**
 * @param {string} root a repository: packages/, examples/ and e2e/ are looked at
 * @returns {string[]} one sentence for each forbidden arrow; empty if all is well
 */
export function checkBoundaries(root) {
  const sources = readSources(root);
  const byPath = new Map(sources.map((source) => [source.path, source]));
  return [
    ...sources.flatMap((source) =>
      source.arrows.flatMap((arrow) => faultsOf(source, arrow).map((why) => `${source.path}:${arrow.line} ${why}`)),
    ),
    ...sources.flatMap(vendorFaults),
    ...cycles(sources, byPath),
    ...firstUseFaults(byPath),
    ...undeclared(root, sources),
  ];
}

/**
 * @param {string} root
 * @returns {Source[]}
 */
function readSources(root) {
  const owners = ["packages", "examples"].flatMap((group) => subfolders(join(root, group)).map((name) => `${group}/${name}`));
  return [...owners, "e2e"].flatMap((owner) =>
    sourceFiles(join(root, owner)).map((file) => {
      const path = relative(root, file).split(sep).join("/");
      const inside = path.startsWith(`${owner}/src/`) ? path.slice(owner.length + 5) : "";
      const isTest = owner === "e2e" || /\.test\.ts$/.test(path) || path.startsWith(`${owner}/test/`);
      const { imports, strings } = readSource(file, readFileSync(file, "utf8"));
      const arrows = imports.map((found) => ({ ...found, target: targetOf(root, file, found.specifier) }));
      return { path, owner, inside, isTest, arrows, strings };
    }),
  );
}

/** @param {string} folder */
function subfolders(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function sourceFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" || entry.name === "dist" ? [] : sourceFiles(path);
    return /\.(ts|tsx|mts)$/.test(entry.name) && !/\.config\.ts$/.test(entry.name) ? [path] : [];
  });
}

/**
 * @param {string} root
 * @param {string} from
 * @param {string | null} specifier
 */
function targetOf(root, from, specifier) {
  if (specifier === "#platform") return "packages/core/src/platform/node.ts";
  if (!specifier?.startsWith(".")) return null;
  return relative(root, resolve(dirname(from), specifier.replace(/\.js$/, ".ts")))
    .split(sep)
    .join("/");
}

/**
 * @param {Source} source
 * @param {Arrow} arrow
 * @returns {string[]}
 */
function faultsOf(source, arrow) {
  const { specifier, target } = arrow;
  if (specifier === null) return source.isTest ? [] : ["import() of a computed name: name the module, so that readers and bundlers see it"];
  if (target !== null && !target.startsWith(`${source.owner}/`)) return [`reaches into ${target}: import the package's public entry`];
  // Packages from outside may name a public entry so, as ajv does (`ajv/dist/2020.js`); ours may not.
  const inner = target === null ? /^(?:@sallyport\/[^/]+|sallyport)\/(dist|src)\// : /\/dist\//;
  if (inner.test(target ?? specifier)) return [`imports ${specifier}: sources import public entries, never dist/ or src/`];
  if (source.isTest || source.owner === "e2e" || source.owner.startsWith("examples/")) return houseFault(source, specifier, null);
  return source.owner === "packages/core" ? coreFaults(source, arrow) : packageFaults(source, specifier);
}

/**
 * @param {Source} source
 * @param {Arrow} arrow
 */
function coreFaults(source, { specifier, target, typeOnly }) {
  const folder = folderOf(source.inside);
  if (!(folder in rules.folders) && !rules.mayImportAllButNode.includes(folder)) return [`is in ${folder}, which rules.mjs does not know`];
  if (target !== null) return folderFault(folder, folderOf(target.slice("packages/core/src/".length)), typeOnly);
  const name = packageNameOf(String(specifier));
  if (isNode(name))
    return rules.nodeFolders.includes(folder) ? [] : [`imports ${specifier}: node: modules only in ${rules.nodeFolders.join("/ and ")}/`];
  if (rules.loadedByCore[name] === source.inside) return [];
  if (isHouse(name)) return [`imports ${specifier}: core imports itself by relative paths and no other package of the house`];
  const rule = rules.outside[name];
  if (!rule) return [`imports ${name}, which has no home in rules.mjs`];
  if (rule.home.includes(folder) || (typeOnly && rule.types?.includes(folder))) return [];
  return [
    `imports ${name} in ${folder}: its home is ${rule.home.join(", ")}${rule.types ? `; its types also in ${rule.types.join(", ")}` : ""}`,
  ];
}

/**
 * @param {string} from
 * @param {string} to
 * @param {boolean} typeOnly
 */
function folderFault(from, to, typeOnly) {
  if (from === to) return [];
  const allowed = rules.mayImportAllButNode.includes(from)
    ? to !== "node"
    : rules.folders[from]?.includes(to) || (typeOnly && rules.typesOnly[from]?.includes(to));
  if (allowed) return [];
  return [
    `${from} → ${to} is forbidden${typeOnly ? " (import type counts)" : ""}: ${from} may import ${rules.folders[from]?.join(", ") || "nothing"}`,
  ];
}

/**
 * @param {Source} source
 * @param {string} specifier
 */
function packageFaults(source, specifier) {
  if (specifier.startsWith(".")) return [];
  const own = source.owner.slice("packages/".length);
  const rule = rules.packages[own];
  if (!rule) return [`is in ${source.owner}, which rules.mjs does not know`];
  const name = packageNameOf(specifier);
  if (isNode(name)) return rule.node ? [] : [`imports ${specifier}: ${own} is to run anywhere`];
  if (isHouse(name)) return houseFault(source, specifier, rule.house);
  return rule.outside.includes(name) ? [] : [`imports ${name}: ${own} sees ${[...rule.house, ...rule.outside].join(", ")}`];
}

/**
 * @param {Source} source
 * @param {string} specifier
 * @param {readonly string[] | null} seen null: every public entry
 */
function houseFault(source, specifier, seen) {
  if (!isHouse(packageNameOf(specifier)) || seen === null || seen.includes(specifier)) return [];
  return [`imports ${specifier}: ${source.owner} sees ${seen.join(", ")}`];
}

/** @param {Source} source */
function vendorFaults(source) {
  if (source.isTest || !/^packages\/(core|cli|host-express)\//.test(source.path)) return [];
  if (rules.vendorIdsAllowedIn.some((place) => source.path.startsWith(place))) return [];
  const named = source.strings.filter(({ text }) => rules.vendorIds.includes(text));
  return named.map(
    ({ text, line }) => `${source.path}:${line} names the vendor "${text}": let its row in providers/ declare what is needed here`,
  );
}

/**
 * @param {Source[]} sources
 * @param {Map<string, Source>} byPath
 */
function cycles(sources, byPath) {
  /** @type {Map<string, "open" | "done">} */
  const state = new Map();
  /** @type {string[]} */
  const trail = [];
  /** @type {string[]} */
  const faults = [];
  /** @param {Source} source */
  const walk = (source) => {
    state.set(source.path, "open");
    trail.push(source.path);
    for (const { target } of source.arrows) {
      const next = target === null ? undefined : byPath.get(target);
      if (!next) continue;
      if (state.get(next.path) === "open") faults.push(`cycle: ${[...trail.slice(trail.indexOf(next.path)), next.path].join(" → ")}`);
      else if (!state.has(next.path)) walk(next);
    }
    trail.pop();
    state.set(source.path, "done");
  };
  for (const source of sources) if (!state.has(source.path)) walk(source);
  return faults;
}

/** @param {Map<string, Source>} byPath */
function firstUseFaults(byPath) {
  const seen = new Map(rules.loadedOnFirstUse.entries.map((entry) => [`packages/core/src/${entry}`, entry]));
  /** @type {string[]} */
  const faults = [];
  for (const [path, entry] of seen) {
    for (const { specifier, target, typeOnly, dynamic, line } of byPath.get(path)?.arrows ?? []) {
      if (typeOnly || dynamic || specifier === null) continue;
      if (target !== null && !seen.has(target)) seen.set(target, entry);
      const name = packageNameOf(specifier);
      if (rules.loadedOnFirstUse.packages.test(name))
        faults.push(`${path}:${line} loads ${name} as soon as ${entry} is imported: reach it by import()`);
    }
  }
  return faults;
}

/**
 * @param {string} root
 * @param {Source[]} sources
 */
function undeclared(root, sources) {
  /** @type {Map<string, Set<string>>} */
  const declared = new Map();
  return sources.flatMap((source) => {
    if (source.isTest || !source.owner.startsWith("packages/")) return [];
    const known = declared.get(source.owner) ?? declaredBy(join(root, source.owner, "package.json"));
    declared.set(source.owner, known);
    const names = source.arrows.map(({ specifier, line }) => ({ name: packageNameOf(specifier ?? "."), line }));
    const missing = names.filter(({ name }) => name !== "." && !name.startsWith("#") && !isNode(name) && !known.has(name));
    return missing.map(({ name, line }) => `${source.path}:${line} imports ${name}, which ${source.owner}/package.json does not declare`);
  });
}

/** @param {string} manifest */
function declaredBy(manifest) {
  const { name, dependencies, peerDependencies } = JSON.parse(readFileSync(manifest, "utf8"));
  return new Set([name, ...Object.keys(dependencies ?? {}), ...Object.keys(peerDependencies ?? {})]);
}

/** @param {string} inside */
function folderOf(inside) {
  return inside.split("/")[0] ?? inside;
}

/** @param {string} specifier */
function packageNameOf(specifier) {
  if (specifier.startsWith(".")) return ".";
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** @param {string} name */
function isNode(name) {
  return isBuiltin(name);
}

/** @param {string} name */
function isHouse(name) {
  return name === "sallyport" || name.startsWith("@sallyport/");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = checkBoundaries(fileURLToPath(new URL("../..", import.meta.url)));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0)
    console.error(
      `\n${faults.length} forbidden import${faults.length === 1 ? "" : "s"} (tools/boundaries/rules.mjs says who may import whom)`,
    );
  process.exitCode = faults.length > 0 ? 1 : 0;
}
