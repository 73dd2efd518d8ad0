import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyTable } from "../../util/json-scanner.js";
import { JsonFields } from "./json-fields.js";

const table = new KeyTable(["a", "b", "c"]);
const encoder = new TextEncoder();
const parsed = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

describe("fields of an object in its bytes", () => {
  it("are replaced or added, and nothing else is touched", () => {
    const spaces = fc.constantFrom("", " ", "\n\t");
    const object = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "é"), fc.jsonValue(), { maxKeys: 5 });
    const changes = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue());
    fc.assert(
      fc.property(object, changes, spaces, (given, changed, space) => {
        const text = `${space}{${space}${Object.entries(given)
          .map(([name, value]) => `${JSON.stringify(name)}${space}:${space}${JSON.stringify(value)}`)
          .join(`${space},${space}`)}${space}}${space}`;
        const fields = new JsonFields(encoder.encode(text), table);
        const texts = Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, JSON.stringify(value)]));
        // Through JSON, in which there is no -0.
        expect(parsed(fields.with(texts))).toEqual(JSON.parse(JSON.stringify({ ...given, ...changed })));
        expect(new TextDecoder().decode(fields.with({}))).toBe(text);
        for (const name of ["a", "b", "c"])
          expect(fields.value(name)).toEqual(JSON.parse(JSON.stringify(given[name] ?? null)) ?? undefined);
      }),
    );
  });

  it.each([
    ["[]", "validation_failed"],
    ['{"a":1,"a":2}', "validation_failed"],
    ['{"a":1', "invalid_json"],
    ['{"a":1}{}', "invalid_json"],
    ["", "invalid_json"],
  ])("are refused in %s", (text, code) => {
    expect(() => new JsonFields(encoder.encode(text), table)).toThrow(expect.objectContaining({ code }));
  });
});
