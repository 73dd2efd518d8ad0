import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { faultList, notYetShown } from "./fault-list.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `F${String(from + i).padStart(2, "0")}`);
/** Those that tasks, stores, Redis and the MCP proxy have to survive. */
const wanted = [...range(1, 12), ...range(18, 43), ...range(66, 78)];

it("every fault has a test, or is said to have none and why", () => {
  expect([...Object.keys(faultList), ...Object.keys(notYetShown)].sort()).toEqual(wanted);
  expect(Object.entries(faultList).filter(([, tests]) => tests.length === 0)).toEqual([]);
  for (const reason of Object.values(notYetShown)) expect(reason.length).toBeGreaterThan(40);
});

it("every test of the list stands in the file that it is said to be in", () => {
  const missing = Object.entries(faultList).flatMap(([id, tests]) =>
    tests
      .filter(({ file, title }) => !existsSync(root + file) || !readFileSync(root + file, "utf8").includes(title))
      .map((test) => ({ id, ...test })),
  );
  expect(missing).toEqual([]);
});
