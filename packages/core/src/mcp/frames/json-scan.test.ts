import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanJson, scanPlan, stringAt, textAt, type JsonNode } from "./json-scan.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("scanJson", () => {
  it("notes where every value stands that the plan names", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("a", "b", "other", "__proto__"), fc.jsonValue()),
        fc.constantFrom(undefined, 2),
        (value, space) => {
          const source = bytes(JSON.stringify(value, null, space));
          const root = scanJson(source, scanPlan({ a: {}, b: { "*": {} } }));
          const found = Object.fromEntries(
            root.kids!.filter((kid) => kid.key !== "").map((kid) => [kid.key, JSON.parse(textAt(source, kid)) as unknown]),
          );
          const { a, b } = value;
          expect(found).toEqual(JSON.parse(JSON.stringify({ a, b })));
          expect(root.kids).toHaveLength(Object.keys(value).length);
          for (const kid of root.kids!)
            expect(Object.keys(value)).toContain(stringAt(source, kid.keyStart, source.indexOf(0x3a, kid.keyStart)));
        },
      ),
    );
  });

  it("sees below arrays and behind escaped keys", () => {
    const source = bytes('{ "a" : {"b":[{"c":1e400},{"c":"x","\\u0063":2}]} , "d":[1,2]}');
    const root = scanJson(source, scanPlan({ a: { b: { "*": { c: {} } } }, d: {} }));
    const [a, d] = root.kids! as [JsonNode, JsonNode];
    expect(textAt(source, d)).toBe("[1,2]");
    expect(d.kids).toBeNull();
    const items = a.kids![0]!.kids!;
    expect(items.map((item) => item.kids!.map((kid) => [kid.key, textAt(source, kid)]))).toEqual([
      [["c", "1e400"]],
      [
        ["c", '"x"'],
        ["c", "2"],
      ],
    ]);
  });

  it.each(["", "{", '{"a":1,}', "{} {}", '{"a":tru}', "[".repeat(100_000)])("refuses %j", (text) => {
    expect(() => scanJson(bytes(text), scanPlan({ a: { "*": {} } }))).toThrow(expect.objectContaining({ code: "invalid_json" }));
  });

  it("reads strings back as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (value) => {
        const text = bytes(JSON.stringify(value));
        expect(stringAt(text, 0, text.length)).toBe(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
