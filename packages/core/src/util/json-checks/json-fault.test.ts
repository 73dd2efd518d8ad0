import * as fc from "fast-check";
import { expect, it } from "vitest";
import { findJsonFault } from "./json-fault.js";

it.each([
  ['{\n  "a": 1,\n}', "3:1 a comma stands before"],
  ["[1,2,]", "1:6 a comma stands before"],
  ['{"a": 1 "b": 2}', '1:9 "," or "}" was expected'],
  ["{'a': 1}", "1:2 a key in double quotes was expected"],
  ["{\"a\": 'b'}", "1:7 text in single quotes"],
  ["{a: 1}", "1:2 a key in double quotes was expected"],
  ['{\n  // note\n  "a": 1}', "2:3 a comment"],
  ['{"a": 1 /* x */}', "1:9 a comment"],
  ['{"a" 1}', '1:6 a ":" was expected'],
  ['{"a": tru}', "1:7 a value was expected"],
  ['{"a": 01}', '1:8 "," or "}" was expected'],
  ['{"a": "b\nc"}', "1:9 a line break"],
  ['{"a": "\\x"}', "1:8 a backslash"],
  ['{"a": "b', "1:7 text that is never closed"],
  ['{"a": [1', "1:9 the text ends too early"],
  ['{"a": 1, ', "1:10 the text ends too early"],
  ["", "1:1 the text ends too early"],
  ["{} {}", "1:4 there is more after the end"],
  ['{"a": 1, "b": {"a": 2}, "a": 3}', '1:25 the key "a" stands twice'],
  ["[".repeat(100), "1:66 is nested too deep"],
])("finds the fault in %s", (text, expected) => {
  const fault = findJsonFault(text);
  expect(`${fault?.line}:${fault?.column} ${fault?.what}`).toContain(expected);
  expect(fault?.fix).not.toBe("");
});

it("finds no fault in any JSON", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(findJsonFault(text)).toBeNull();
      expect(findJsonFault(JSON.stringify(JSON.parse(text), null, 2))).toBeNull();
    }),
  );
});

it("agrees with JSON.parse on damaged text, but for keys that stand twice (T43)", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom("", ",", '"', "}", "1", "\\", "t", " ", "\n"), (text, at, inserted) => {
      const place = at % (text.length + 1);
      const damaged = text.slice(0, place) + inserted + text.slice(place + 1);
      const fault = findJsonFault(damaged);
      let valid = true;
      try {
        JSON.parse(damaged);
      } catch {
        valid = false;
      }
      expect(fault === null || (valid && fault.what.includes("stands twice"))).toBe(valid);
    }),
    { numRuns: 500 },
  );
});
