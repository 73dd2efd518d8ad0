import { expect, it } from "vitest";
import { cutText, isWellFormed, toWellFormed, toWellFormedJson } from "./well-formed.js";

it("tells text from half a pair, and mends it", () => {
  expect(isWellFormed("a😀")).toBe(true);
  expect(isWellFormed("a\ud83d")).toBe(false);
  expect(toWellFormed("a\ud83db")).toBe("a\ufffdb");
});

it("cuts between characters, never inside one", () => {
  expect(cutText("abc", 3)).toBe("abc");
  expect(cutText("abcd", 3)).toBe("abc");
  expect(cutText("ab😀", 3)).toBe("ab");
  expect(cutText("ab😀", 4)).toBe("ab😀");
  expect(cutText("\ud83dab", 5)).toBe("\ufffdab");
});

it("mends a JSON value, and gives back what needs no mending", () => {
  const good = { a: ["x", 1, null, { b: "😀" }] };
  expect(toWellFormedJson(good)).toBe(good);
  expect(toWellFormedJson({ "k\ud800": ["\udc00", { deep: "a\ud83d" }], n: 1 })).toEqual({
    "k\ufffd": ["\ufffd", { deep: "a\ufffd" }],
    n: 1,
  });
});
