import { expect, it } from "vitest";
import { makeRows } from "./make-catalogue.mjs";

const fact = { vendor: "a", id: "m", name: "M", kind: "chat", input: ["text"], output: ["text"], as_of: "2026-01-01", source: "somewhere" };
/** @param {string} text */
const rowsOf = (text) => [...text.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line));

it("keeps each row's source and date", () => {
  const text = makeRows([fact, { ...fact, id: "n", source: "elsewhere" }]);
  expect(text).toContain('["elsewhere, 2026-01-01", "somewhere, 2026-01-01"]');
  expect(rowsOf(text).map((row) => [row.id, row.from])).toEqual([
    ["m", 1],
    ["n", 0],
  ]);
});

it("leaves out prices that are zero, and writes the others as decimals", () => {
  const price = { input: 0.1, output: 0, cache_read: 0.0000028, tiers: [{ inputTokensAbove: 1000, input: 0.2, cacheWrite: 0.5 }] };
  expect(rowsOf(makeRows([{ ...fact, price_usd_per_million: price }]))[0].prices).toEqual({
    input: "0.1",
    cacheRead: "0.0000028",
    tiers: [{ aboveInputTokens: 1000, input: "0.2", cacheWrite: "0.5" }],
  });
  expect(rowsOf(makeRows([{ ...fact, price_usd_per_million: { input: 0, output: 0 } }]))[0].prices).toBeUndefined();
});

it("refuses a price tier that it does not understand", () => {
  const price = { input: 1, tiers: [{ weekday: "sunday", input: 2 }] };
  expect(() => makeRows([{ ...fact, price_usd_per_million: price }])).toThrow("unknown shape");
});

it("lets the chat model stand when two rows have one id, then the newer", () => {
  const other = { ...fact, kind: "classifier", as_of: "2026-02-02" };
  expect(rowsOf(makeRows([other, fact])).map((row) => row.kind)).toEqual([undefined]);
  expect(rowsOf(makeRows([fact, { ...fact, name: "Newer", as_of: "2026-02-02" }])).map((row) => row.name)).toEqual(["Newer"]);
});

it("survives ids that would end a template", () => {
  const text = makeRows([{ ...fact, id: "a`${b}\\c" }]);
  expect(text).toContain("a\\`\\${b}\\\\\\\\c");
});

it("117: lists a model once that its sources know by two ids, and keeps two rows apart that say different things", () => {
  const [latest, dated] = [
    { ...fact, id: "m-4", name: "M 4 (latest)" },
    { ...fact, id: "m-4-20260101", name: "M 4" },
  ];
  expect(rowsOf(makeRows([latest, dated])).map(({ id, aliases }) => [id, aliases])).toEqual([["m-4-20260101", ["m-4"]]]);
  expect(rowsOf(makeRows([{ ...latest, context: 5 }, dated])).map(({ id, aliases }) => [id, aliases])).toEqual([
    ["m-4", undefined],
    ["m-4-20260101", undefined],
  ]);
});

it("117: knows from which day a vendor refuses a model, and nothing of models that nobody lists", () => {
  const end = { vendor: "a", ids: ["m"], retires: "2026-12-01", successor: "n", source: "a notice" };
  expect(rowsOf(makeRows([fact], [end]))[0]).toMatchObject({ id: "m", retires: "2026-12-01", successor: "n", ended: "a notice" });
  expect(() => makeRows([fact], [{ ...end, ids: ["gone"] }])).toThrow("which no source lists");
  expect(() => makeRows([fact], [{ ...end, retires: "soon" }])).toThrow("is no day");
});
