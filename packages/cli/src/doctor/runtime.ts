import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fail, ok, warn, type Finding } from "./finding.js";

/** The oldest release of each line with the fixes that matter to a server. */
const advised: Readonly<Record<number, readonly [number, number]>> = { 22: [23, 4], 24: [22, 1] };

/** Which Node runs this, and whether the packages belong together. */
export function checkRuntime(version = process.versions.node): Finding[] {
  return [nodeFinding(version), packagesFinding(packageVersions())];
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    return fail("node", `Node ${version} is too old`, "Install Node 22 or 24; 20.19 is the least.");
  if (major < 22)
    return warn("node", `Node ${version} works, but gets no more security fixes (since 30 April 2026)`, "Install Node 22 or 24.");
  const least = advised[major];
  if (least !== undefined && (minor < least[0] || (minor === least[0] && patch < least[1])))
    return warn("node", `Node ${version} works, but misses security fixes of its line`, `Update to ${major}.${least.join(".")} or newer.`);
  return ok("node", `Node ${version}`);
}

function packagesFinding(versions: ReadonlyMap<string, string | null>): Finding {
  const listed = [...versions].map(([name, version]) => `${name} ${version ?? "not found"}`).join(", ");
  const missing = [...versions].filter(([, version]) => version === null).map(([name]) => name);
  if (missing.length > 0) return fail("packages", listed, `Install again: npm install ${missing.join(" ")}`);
  if (new Set(versions.values()).size > 1)
    return warn("packages", `${listed}: of different versions`, "Install the same version of all of them.");
  return ok("packages", listed);
}

/** By package; null: it cannot be found from here. */
export function packageVersions(): ReadonlyMap<string, string | null> {
  const require = createRequire(import.meta.url);
  const manifests: readonly (readonly [string, () => string])[] = [
    ["sallyport", () => require.resolve("sallyport/package.json")],
    ["@sallyport/core", () => require.resolve("@sallyport/core/package.json")],
    ["@sallyport/adapters-sqlite", () => require.resolve("@sallyport/adapters-sqlite/package.json")],
  ];
  return new Map(manifests.map(([name, resolve]) => [name, versionIn(resolve)]));
}

export function ownVersion(): string {
  return packageVersions().get("sallyport") ?? "unknown";
}

function versionIn(resolve: () => string): string | null {
  try {
    return (JSON.parse(readFileSync(resolve(), "utf8")) as { version: string }).version;
  } catch {
    return null; // not being there is the answer
  }
}
