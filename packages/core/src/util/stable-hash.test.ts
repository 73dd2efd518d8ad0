import { expect, it } from "vitest";
import { placeAt, rendezvous, stableHash } from "./stable-hash.js";

const nodes = [
  { name: "a", weight: 1 },
  { name: "b", weight: 3 },
  { name: "c", weight: 6 },
];
const first = (key: number, of = nodes) => rendezvous(key, of, (node) => node)[0]!.name;

it("is the same for ever: what other processes chose must be found again", () => {
  expect([stableHash(""), stableHash("a"), stableHash("conversation"), stableHash("a", 1)]).toEqual([
    3338908027751811, 7929297801672961, 4423495197297996, 5368154436228575,
  ]);
  expect(placeAt(7, "a")).toBeGreaterThan(0);
  expect(placeAt(7, "a")).toBeLessThan(1);
});

it("gives each node its share of the keys", () => {
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (let key = 0; key < 10_000; key++) counts[first(stableHash(String(key)))]!++;
  expect(counts["a"]! / 1_000).toBeCloseTo(1, 0);
  expect(counts["b"]! / 1_000).toBeCloseTo(3, 0);
  expect(counts["c"]! / 1_000).toBeCloseTo(6, 0);
});

it("moves only the keys of a node that goes", () => {
  const left = nodes.filter(({ name }) => name !== "b");
  for (let key = 0; key < 1_000; key++) if (first(key) !== "b") expect(first(key, left)).toBe(first(key));
});
