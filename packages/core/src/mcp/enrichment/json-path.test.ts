import { expect, it } from "vitest";
import { bind, follow, mergeAt, mergeInto } from "./json-path.js";

it("follows keys and numbers, and nothing that an object does not have itself", () => {
  const root = { items: [{ id: 7 }], "odd key": null };
  expect(follow("$", root)).toBe(root);
  expect(follow("$.items[0].id", root)).toBe(7);
  expect(follow("$.items[1].id", root)).toBeUndefined();
  expect(follow("$.items.length", root)).toBeUndefined();
  expect(follow("$.constructor", root)).toBeUndefined();
  expect(follow("$.__proto__", root)).toBeUndefined();
  expect(follow("$[0]", [1])).toBe(1);
});

it("binds paths at any depth and leaves other texts alone", () => {
  const scope = { args: { id: 1 }, response: { list: [{ a: "x" }] }, user: { id: "u" } };
  expect(bind({ id: "$.args.id", deep: [{ a: "$.response.list[0]" }], price: "$5", dollar: "$$.args", n: 3 }, scope)).toEqual({
    id: 1,
    deep: [{ a: { a: "x" } }],
    price: "$5",
    dollar: "$.args",
    n: 3,
  });
  expect(() => bind(["$.args.no"], scope)).toThrow("$.args.no leads to nothing");
});

it("merges at a path without changing what it was given", () => {
  const given = Object.freeze({ a: Object.freeze({ b: 1 }) });
  expect(mergeAt(given, "a.c.d", 2)).toEqual({ a: { b: 1, c: { d: 2 } } });
  expect(given).toEqual({ a: { b: 1 } });
  expect(() => mergeAt({ a: "text" }, "a.b", 1)).toThrow('"a"');
  expect(mergeInto([1], "enrichment", 2)).toEqual({ upstream: [1], enrichment: 2 });
});
