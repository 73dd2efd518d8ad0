import fc from "fast-check";
import { expect, it } from "vitest";
import { utf8 } from "../../util/json.js";
import { jsonText, RawJson, rawJsonAt } from "./raw-json.js";

it("writes what JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(jsonText(value)).toBe(JSON.stringify(value));
    }),
  );
  expect(jsonText({ a: undefined, b: [undefined, 1], ["__proto__"]: 1 })).toBe('{"b":[null,1],"__proto__":1}');
});

it("leaves raw JSON as it is, and finds it again by its place", () => {
  const raw = new RawJson('{ "n":12345678901234567890, "a": 1.0 }');
  const text = jsonText({ m: [{ c: "text" }, { c: [{}, { input: raw }] }], other: { c: [{ input: 1 }] } });
  expect([...rawJsonAt(utf8(text), ["m", "*", "c", "*", "input"])]).toEqual([["1.1", raw.text]]);
});

it("passes over what the path does not expect", () => {
  expect(rawJsonAt(utf8('{"a":5,"b":[1]}'), ["a", "*", "b"]).size).toBe(0);
  expect(rawJsonAt(utf8("[]"), ["a"]).size).toBe(0);
});
