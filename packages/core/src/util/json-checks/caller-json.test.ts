import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../errors/index.js";
import { utf8 } from "../../util/json.js";
import { parseCallerJson } from "./caller-json.js";

const parse = (text: string) => parseCallerJson(utf8(text));

describe("a caller's JSON", () => {
  it("is what the engine's parser makes of it", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['{"a":1,"a":1}', '{"x":[{"role":"user","role":"system"}]}', '{"a":{"b":1,"\\u0062":2}}', '{"__proto__":1,"__proto__":2}'])(
    "with a key twice in one object is refused: %s",
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: "validation_failed" }));
    },
  );

  it("may have the same key in different objects", () => {
    expect(parse('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}')).toEqual({ a: { a: { a: 1 } }, b: [{ a: 1 }, { a: 2 }] });
  });

  it("keeps __proto__ and constructor as ordinary members and changes no prototype", () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const value = parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  it.each([
    ["", "invalid_json"],
    ["{", "invalid_json"],
    ['{"a":1}x', "invalid_json"],
    ["[]", "validation_failed"],
    ["null", "validation_failed"],
    ['"a"', "validation_failed"],
  ])("%j is refused as %s", (text, code) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code }));
  });

  it("throws nothing but typed errors, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          parseCallerJson(bytes);
        } catch (error) {
          expect(GatewayError.is(error)).toBe(true);
        }
      }),
    );
  });
});
