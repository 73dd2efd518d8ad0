import { expect, test } from "vitest";
import { checkSizes } from "./check-sizes.mjs";
import { plantedTree } from "./planted-tree.mjs";

/** @param {number} lines */
const file = (lines) => `${"// line\n".repeat(lines)}`;

test("a tree of short, well-named files passes, and files past the aim are named", () => {
  const root = plantedTree({
    "packages/a/src/one-idea.ts": file(10),
    "packages/a/src/two.test.ts": file(900),
    "packages/b/src/longer.ts": file(251),
  });
  expect(checkSizes(root, {})).toEqual({ faults: [], largest: [{ path: "packages/b/src/longer.ts", lines: 251 }] });
});

test("a file past 400 lines needs a reason", () => {
  const root = plantedTree({ "packages/a/src/big.ts": file(401) });
  expect(checkSizes(root, {}).faults).toEqual(["packages/a/src/big.ts has 401 lines: past 400, split it or say why in check-sizes.mjs"]);
  expect(checkSizes(root, { "packages/a/src/big.ts": { why: "one grammar" } }).faults).toEqual([]);
});

test("past 500 lines a reason is not enough, unless the file is a table", () => {
  const root = plantedTree({ "packages/a/src/huge.ts": file(501) });
  expect(checkSizes(root, { "packages/a/src/huge.ts": { why: "one grammar" } }).faults).toEqual([
    "packages/a/src/huge.ts has 501 lines: past 500, split it",
  ]);
  expect(checkSizes(root, { "packages/a/src/huge.ts": { why: "prices", table: true } }).faults).toEqual([]);
});

test("a reason for a file that became short is refused", () => {
  const root = plantedTree({ "packages/a/src/short.ts": file(20) });
  expect(checkSizes(root, { "packages/a/src/short.ts": { why: "it was long" } }).faults).toHaveLength(1);
});

test("a folder holds fifteen source files, tests beside them not counted", () => {
  const sources = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`packages/a/src/file-${n}.ts`, ""]));
  const tests = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`packages/a/src/file-${n}.test.ts`, ""]));
  expect(checkSizes(plantedTree({ ...sources, ...tests }), {}).faults).toEqual([]);
  expect(checkSizes(plantedTree({ ...sources, "packages/a/src/one-more.ts": "" }), {}).faults).toEqual([
    "packages/a/src/ holds 16 source files: at most 15",
  ]);
});

test.each(["camelCase.ts", "Pascal.ts", "snake_case.ts", "utils.ts", "helpers.ts", "types.ts", "common/a.ts", "utils/a.ts"])(
  "the name %s is refused",
  (name) => {
    expect(checkSizes(plantedTree({ [`packages/a/src/${name}`]: "" }), {}).faults).toHaveLength(1);
  },
);
