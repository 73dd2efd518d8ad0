import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as node from "./node.js";
import * as web from "./web.js";

/** Every module that a file leads to, its own relative imports followed. */
function reached(file: URL, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file.href)) return seen;
  const specifiers = [...readFileSync(file, "utf8").matchAll(/^(?:import|export)(?! type\b)[^;]*? from "([^"]+)";/gm)].map(
    (match) => match[1]!,
  );
  seen.set(
    file.href,
    specifiers.filter((specifier) => !specifier.startsWith(".")),
  );
  for (const specifier of specifiers.filter((found) => found.startsWith(".")))
    reached(new URL(specifier.replace(/\.js$/, ".ts"), file), seen);
  return seen;
}

it("needs nothing that only Node has", () => {
  const outside = [...reached(new URL("./web.ts", import.meta.url)).values()].flat();
  expect(outside.length).toBeGreaterThan(0);
  expect(outside.filter((specifier) => specifier.startsWith("node:") || specifier === "undici")).toEqual([]);
});

it("offers the same names on every platform", () => {
  expect(Object.keys(web).sort()).toEqual(Object.keys(node).sort());
});
