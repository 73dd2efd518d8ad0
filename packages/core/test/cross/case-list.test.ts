import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { caseList, notYet, type Covered } from "./case-list.js";

const packages = fileURLToPath(new URL("../../../", import.meta.url));
const cases = Array.from({ length: 118 }, (_, i) => i + 1);

function isThere(number: number, covered: Covered): boolean {
  if (typeof covered !== "string") return readFileSync(packages + covered.file, "utf8").includes(covered.test);
  // Alone or among others at the beginning of a name.
  return new RegExp(`["'\`](?:\\d+, )*${number}(?:, \\d+)*: `).test(readFileSync(packages + covered, "utf8"));
}

it("every case is tested where the list says so", () => {
  expect(Object.keys(caseList).map(Number)).toEqual(cases);
  const missing = cases.flatMap((number) =>
    (caseList[number] ?? []).filter((covered) => !isThere(number, covered)).map((covered) => [number, covered]),
  );
  expect(missing).toEqual([]);
  expect(cases.filter((number) => caseList[number]?.length === 0)).toEqual([...notYet]);
});
