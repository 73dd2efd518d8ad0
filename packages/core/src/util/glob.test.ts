import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesGlob } from "./glob.js";

describe("matchesGlob", () => {
  it.each([
    ["*", "anything", true],
    ["files__*", "files__read", true],
    ["files__*", "file__read", false],
    ["*__read", "files__read", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["", "", true],
    ["", "a", false],
    ["a.c", "abc", false],
  ])("%s against %s: %s", (glob, name, expected) => {
    expect(matchesGlob(glob, name)).toBe(expected);
  });

  it("agrees with a regular expression on any input", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), (glob, name) => {
        expect(matchesGlob(glob, name)).toBe(new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(name));
      }),
    );
  });

  it("stays quick on a pattern made to backtrack", () => {
    expect(matchesGlob(`${"a*".repeat(50)}b`, "a".repeat(5000))).toBe(false);
  });
});
