import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { notYetShown, threatList } from "./threat-list.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `T${String(from + i).padStart(2, "0")}`);
/** Those that identity, money, safety, telemetry and the MCP proxy have to withstand. */
const wanted = [...range(1, 21), "T26", "T27", ...range(28, 32), ...range(36, 48)];

/** The titles of the tests of a file, and of what holds them together. */
function titles(text: string): string[] {
  return [
    ...text.matchAll(
      /\b(?:it|test|describe)(?:\.\w+(?:<[^(]*>)?\((?:[^()]|\([^()]*\)|\((?:[^()]|\([^()]*\))*\))*\))?\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g,
    ),
  ].map((found) => found[2] ?? "");
}
/** Titles of tables stand behind values that no pattern reads: any text of the file in which the id stands in parentheses, or begins it. */
const named = (text: string, id: string): boolean =>
  titles(text).some((title) => title.includes(id)) ||
  new RegExp(`["'\`][^"'\`\\n]*\\((?:[\\w ]+, )*${id}\\b[^)\\n]*\\)[^"\\n]*["'\`],? ?(?:async )?\\(`).test(text);

it("every threat is named by a test in each file that the list says", () => {
  expect(Object.keys(threatList)).toEqual(wanted);
  const missing = Object.entries(threatList).flatMap(([id, files]) =>
    files.filter((file) => !existsSync(root + file) || !named(readFileSync(root + file, "utf8"), id)).map((file) => `${id}: ${file}`),
  );
  expect(missing).toEqual([]);
  expect(Object.entries(threatList).filter(([, files]) => files.length === 0)).toEqual([]);
});

it("what is not shown yet is said of threats of the list, with a reason", () => {
  for (const [id, reason] of Object.entries(notYetShown)) {
    expect(wanted).toContain(id);
    expect(reason.length).toBeGreaterThan(40);
  }
});
