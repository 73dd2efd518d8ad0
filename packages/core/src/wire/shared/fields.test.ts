import { describe, expect, it } from "vitest";
import { Fields } from "./fields.js";

describe("the fields of a caller's object", () => {
  it("that were not read are the rest, as they came", () => {
    const fields = new Fields({ a: 1, b: null, c: { d: 2 }, e: "x" });
    expect(fields.optionalNumber("a")).toBe(1);
    expect(fields.optionalString("missing")).toBeUndefined();
    expect(fields.rest()).toEqual({ b: null, c: { d: 2 }, e: "x" });
    fields.raw("b");
    fields.raw("c");
    fields.raw("e");
    expect(fields.rest()).toBeUndefined();
  });

  it("are its own: a member of every object was not sent", () => {
    for (const name of ["constructor", "toString", "__proto__"]) expect(new Fields({}).raw(name)).toBeUndefined();
    const fields = new Fields(JSON.parse('{"__proto__":{"x":1}}'));
    expect(Object.hasOwn(fields.rest() as object, "__proto__")).toBe(true);
  });

  it("are named with their whole path", () => {
    const inner = new Fields({ b: {} }, "a[0]").fields("b");
    expect(() => inner.string("c")).toThrow(expect.objectContaining({ details: { param: "a[0].b.c" } }));
    expect(() => inner.list("c")).toThrow('The field "a[0].b.c" is missing.');
    expect(() => new Fields(3)).toThrow("The body must be an object.");
  });
});
