import { expect, test } from "vitest";
import { checkBoundaries } from "./check-boundaries.mjs";
import { folders, mayImportAllButNode, packages, typesOnly } from "./rules.mjs";
import { plantedTree } from "../planted-tree.mjs";

const core = "packages/core/src";
const manifest = JSON.stringify({
  name: "@sallyport/core",
  dependencies: {
    zod: "1",
    hono: "1",
    undici: "1",
    "@modelcontextprotocol/client": "1",
    "@modelcontextprotocol/server": "1",
    eventemitter3: "1",
  },
  peerDependencies: { openai: "1" },
});

/**
 * What the check says of a tree that has these files in it, next to an empty module `a.ts` in every folder of core.
 * @param {Readonly<Record<string, string>>} files
 */
function faultsIn(files) {
  const targets = Object.fromEntries([...Object.keys(folders), "testing"].map((folder) => [`${core}/${folder}/a.ts`, "export {};"]));
  return checkBoundaries(plantedTree({ "packages/core/package.json": manifest, [`${core}/gateway.ts`]: "", ...targets, ...files }));
}

test("a tree that keeps the rules passes", () => {
  const clean = faultsIn({
    [`${core}/gateway.ts`]: 'import "./mcp/b.js"; import { platform } from "#platform"; import "./testing/a.js";',
    [`${core}/mcp/b.ts`]: 'import "../seams/a.js"; import { z } from "@modelcontextprotocol/client"; import "./c.js";',
    [`${core}/mcp/c.ts`]: 'import { readable } from "../policy/a.js";',
    [`${core}/wire/chat.ts`]: 'import type { OpenAI } from "openai"; export * from "../calls/a.js";',
    [`${core}/http/face.ts`]: 'import { Hono } from "hono"; import type { McpProxy } from "../mcp/a.js";',
    [`${core}/platform/node.ts`]: 'import { createHash } from "node:crypto"; const undici = () => import("undici");',
    [`${core}/agents/loop.test.ts`]:
      'import { tool } from "../mcp/a.js"; import { x } from "@sallyport/adapter-kit"; import "node:fs"; const vendor = "openai";',
    "packages/cli/package.json": '{ "name": "sallyport", "dependencies": { "@sallyport/core": "1" } }',
    "packages/cli/src/bin.ts":
      'import { Gateway } from "@sallyport/core"; import { serve } from "@sallyport/core/node"; import "node:process";',
    "examples/story/main.ts": 'import "./src/app.js";',
    "examples/story/src/app.ts": 'import express from "express"; import { Gateway } from "@sallyport/core";',
  });
  expect(clean).toEqual([]);
});

const everyFolder = [...Object.keys(folders), "testing"];

test.each(Object.keys(folders))("from %s every arrow that the table does not name is refused, as a value and as a type", (from) => {
  const forbidden = everyFolder.filter((to) => to !== from && !folders[from].includes(to));
  const asTypes = forbidden.filter((to) => !typesOnly[from]?.includes(to));
  const faults = faultsIn({
    ...Object.fromEntries(forbidden.map((to) => [`${core}/${from}/b-${to}.ts`, `import { x } from "../${to}/a.js";`])),
    ...Object.fromEntries(asTypes.map((to) => [`${core}/${from}/c-${to}.ts`, `import type { X } from "../${to}/a.js";`])),
  });
  const refused = faults.map((fault) => fault.replace(/ is forbidden.*/, "")).sort();
  const expected = [
    ...forbidden.map((to) => `${core}/${from}/b-${to}.ts:1 ${from} → ${to}`),
    ...asTypes.map((to) => `${core}/${from}/c-${to}.ts:1 ${from} → ${to}`),
  ];
  expect(refused).toEqual(expected.sort());
});

test.each(mayImportAllButNode)("%s may not import node", (from) => {
  const file = from.endsWith(".ts") ? `${core}/${from}` : `${core}/${from}/b.ts`;
  const faults = faultsIn({ [file]: `export * from "${from.endsWith(".ts") ? "." : ".."}/node/a.js";` });
  expect(faults).toEqual([expect.stringContaining(`${from} → node is forbidden`)]);
});

const spellings = [
  'import { x } from "../mcp/a.js";',
  'import type { X } from "../mcp/a.js";',
  'import { type X } from "../mcp/a.js";',
  'export { x } from "../mcp/a.js";',
  'export type { X } from "../mcp/a.js";',
  'export * from "../mcp/a.js";',
  'const mcp = () => import("../mcp/a.js");',
  'let mcp: import("../mcp/a.js").McpProxy;',
  'const mcp = require("../mcp/a.js");',
];
test.each(spellings)("a domain that imports another is caught however it is written: %s", (text) => {
  expect(faultsIn({ [`${core}/agents/b.ts`]: text })).toEqual([expect.stringContaining("agents → mcp is forbidden")]);
});

test("what may be named in types only is refused as a value", () => {
  expect(faultsIn({ [`${core}/http/b.ts`]: 'import { McpProxy } from "../mcp/a.js";' })).toEqual([expect.stringContaining("http → mcp")]);
  expect(faultsIn({ [`${core}/wire/b.ts`]: 'const sdk = () => import("openai");' })).toEqual([
    expect.stringContaining("imports openai in wire"),
  ]);
});

/** @type {[string, string, string][]} */
const strays = [
  ["routing", 'import { createHash } from "node:crypto";', "node: modules only in"],
  ["routing", 'import { createHash } from "crypto";', "node: modules only in"],
  ["routing", 'import { z } from "zod";', "imports zod in routing"],
  ["routes", 'import type { Hono } from "hono";', "imports hono in routes"],
  ["agents", 'const mcp = () => import("@modelcontextprotocol/client");', "imports @modelcontextprotocol/client in agents"],
  ["routing", 'const sdk = () => import("openai");', "imports openai in routing"],
  ["providers", 'const http = () => import("undici");', "imports undici in providers"],
  ["util", 'import leftPad from "left-pad";', "no home"],
  ["util", "const load = (name: string) => import(name);", "computed name"],
  ["util", 'import { Gateway } from "@sallyport/core";', "core imports itself by relative paths"],
  ["util", 'import { Gateway } from "../../dist/index.js";', "never dist/ or src/"],
  ["util", 'import { x } from "../../../sql/src/index.js";', "reaches into packages/sql/src/index.ts"],
  ["util", 'import { x } from "../../../sql/index.js";', "reaches into packages/sql/index.ts"],
  ["drawer", "export {};", "rules.mjs does not know"],
];
test.each(strays)("in %s, %s is refused", (folder, text, message) => {
  const faults = faultsIn({ [`${core}/${folder}/b.ts`]: folder === "drawer" ? 'import "./c.js";' : text });
  expect(faults.join("\n")).toContain(message);
});

test("a loose file of core is refused", () => {
  expect(faultsIn({ [`${core}/loose.ts`]: 'import "./calls/a.js";' }).join()).toContain("rules.mjs does not know");
});

/** @type {[string, string, string][]} */
const others = [
  ["sql", 'import { Gateway } from "@sallyport/core";', "packages/sql sees"],
  ["sql", 'import { x } from "@sallyport/adapters-sqlite";', "packages/sql sees"],
  ["sql", 'import { x } from "node:fs";', "is to run anywhere"],
  ["adapters-sqlite", 'import { Gateway } from "@sallyport/core/testing";', "packages/adapters-sqlite sees"],
  ["adapters-sqlite", 'import { mount } from "@sallyport/host-express";', "packages/adapters-sqlite sees"],
  ["host-express", 'import { RecordStore } from "@sallyport/core/ports";', "packages/host-express sees"],
  ["host-express", 'import { Hono } from "hono";', "imports hono"],
  ["cli", 'import { z } from "zod";', "imports zod"],
  ["cli", 'import { entity } from "@sallyport/core/entities";', "packages/cli sees"],
  ["adapter-kit", 'import { sqlite } from "@sallyport/adapters-sqlite";', "packages/adapter-kit sees"],
  ["stranger", 'import { x } from "left-pad";', "rules.mjs does not know"],
];
test.each(others)("in the package %s, %s is refused", (name, text, message) => {
  const declares = JSON.stringify({
    name,
    dependencies: { ...Object.fromEntries(packagesNamedIn(text).map((dependency) => [dependency, "1"])) },
  });
  const faults = faultsIn({ [`packages/${name}/package.json`]: declares, [`packages/${name}/src/index.ts`]: text });
  expect(faults).toEqual([expect.stringContaining(message)]);
});

/** @param {string} text */
function packagesNamedIn(text) {
  return [...text.matchAll(/"(@[^/"]+\/[^/"]+|[^/"]+)/g)].map((match) => match[1]);
}

test("tests and examples use public entries as everybody does", () => {
  expect(faultsIn({ [`${core}/util/a.test.ts`]: 'import "../../../sql/src/index.js";' })).toEqual([
    expect.stringContaining("reaches into packages/sql"),
  ]);
  expect(faultsIn({ "examples/a/main.ts": 'import "../../packages/core/src/gateway.js";' })).toEqual([
    expect.stringContaining("reaches into packages/core"),
  ]);
  expect(faultsIn({ "examples/a/main.ts": 'import "@sallyport/core/src/gateway.js";' })).toEqual([
    expect.stringContaining("never dist/ or src/"),
  ]);
});

test("a package imports only what it declares", () => {
  const files = { "packages/cli/package.json": '{ "name": "sallyport" }', "packages/cli/src/bin.ts": 'import "@sallyport/core";' };
  expect(faultsIn(files)).toEqual([expect.stringContaining("does not declare")]);
});

test("a cycle of files is refused, also one of types", () => {
  const files = { [`${core}/util/b.ts`]: 'import { c } from "./c.js";', [`${core}/util/c.ts`]: 'import type { B } from "./b.js";' };
  expect(faultsIn(files)).toEqual([
    expect.stringContaining("cycle: packages/core/src/util/b.ts → packages/core/src/util/c.ts → packages/core/src/util/b.ts"),
  ]);
});

test("a package that loads on first use is refused on the static path from an entry, and allowed behind import()", () => {
  const files = {
    [`${core}/index.ts`]: 'export * from "./gateway.js";',
    [`${core}/mcp/b.ts`]: 'import { Client } from "@modelcontextprotocol/client";',
  };
  expect(faultsIn({ ...files, [`${core}/gateway.ts`]: 'import "./mcp/b.js";' })).toEqual([
    expect.stringContaining("loads @modelcontextprotocol/client"),
  ]);
  expect(faultsIn({ ...files, [`${core}/gateway.ts`]: 'const mcp = () => import("./mcp/b.js");' })).toEqual([]);
});

test("a vendor's name in shared code is refused, in a row it is not", () => {
  expect(faultsIn({ [`${core}/routing/b.ts`]: 'export const special = (vendor: string) => vendor === "xai";' })).toEqual([
    expect.stringContaining('names the vendor "xai"'),
  ]);
  expect(faultsIn({ [`${core}/providers/b.ts`]: 'export const row = { id: "xai" };' })).toEqual([]);
});

test("every package of the table is in its own home", () => {
  expect(Object.keys(packages).sort()).toEqual([
    "adapter-kit",
    "adapters-mysql",
    "adapters-redis",
    "adapters-sqlite",
    "cli",
    "host-express",
    "sql",
  ]);
});
