import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../errors/index.js";
import { JsonScanner, KeyTable, maxJsonDepth } from "./json-scanner.js";
import { utf8 } from "./json.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function accepts(bytes: Uint8Array): boolean {
  const scanner = new JsonScanner(bytes);
  try {
    scanner.skip();
    scanner.finish();
    return true;
  } catch (error) {
    if (!GatewayError.is(error, "invalid_json")) throw error;
    return false;
  }
}

function engineAccepts(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** Whether it is taken with values of any depth, and where those begin that are too deep. */
function acceptsDeep(bytes: Uint8Array): { readonly accepted: boolean; readonly deepAt: readonly number[] } {
  const scanner = new JsonScanner(bytes, { walksDeep: true });
  try {
    scanner.skip();
    scanner.finish();
    return { accepted: true, deepAt: scanner.deepAt };
  } catch (error) {
    if (!GatewayError.is(error, "invalid_json")) throw error;
    return { accepted: false, deepAt: scanner.deepAt };
  }
}

/** Spans of the top-level keys that the table knows, and all keys in order of sight. */
function topLevel(text: string, names: string[]): { spans: Record<string, string>; keys: number } {
  const bytes = bytesOf(text);
  const table = new KeyTable(names);
  const scanner = new JsonScanner(bytes);
  const spans: Record<string, string> = {};
  scanner.enterObject();
  for (let key = scanner.nextKey(table); key !== JsonScanner.end; key = scanner.nextKey(table)) {
    const start = scanner.pos;
    scanner.skip();
    if (key !== JsonScanner.other) spans[names[key] as string] = new TextDecoder().decode(bytes.subarray(start, scanner.pos));
  }
  scanner.finish();
  return { spans, keys: scanner.keys };
}

describe("what it accepts", () => {
  const valid = [
    "{}",
    "[]",
    "0",
    "-0",
    "-0.5e+10",
    "1E3",
    "1e-7",
    '""',
    '"\\u12aF\\n\\/\\\\"',
    "true",
    "false",
    "null",
    ' \t\r\n{ "a" : [ 1 , { } , [ ] ] } \n',
  ];
  const invalid = [
    ...[
      "",
      " ",
      "{",
      "[",
      "}",
      "]",
      "{]",
      "[}",
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      "[1,]",
      "[,1]",
      '{,"a":1}',
      "{a:1}",
      "{'a':1}",
      "1 2",
      "{}{}",
      "[1 2]",
    ],
    ...["01", "-", "+1", ".5", "1.", "1e", "1e+", "--1", "0x10", "Infinity", "NaN", "undefined", "tru", "truee", "True", "nul"],
    ...['"', '"a', '"\\"', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\', '"\n"', '"\t"', '"\0"', "/**/1", "\ufeff{}"],
  ];
  it.each(valid)("valid: %j", (text) => {
    expect(accepts(bytesOf(text))).toBe(true);
  });
  it.each(invalid)("not valid: %j", (text) => {
    expect(accepts(bytesOf(text))).toBe(false);
  });

  const sequences: [string, number[], boolean][] = [
    ["two bytes", [0xc3, 0xa9], true],
    ["three bytes", [0xe2, 0x82, 0xac], true],
    ["four bytes", [0xf0, 0x9f, 0x98, 0x80], true],
    ["the last code point", [0xf4, 0x8f, 0xbf, 0xbf], true],
    ["a lone continuation", [0x80], false],
    ["a sequence cut by the text's end", [0xe2, 0x82], false],
    ["two bytes for ASCII", [0xc1, 0xbf], false],
    ["three bytes for two", [0xe0, 0x9f, 0xbf], false],
    ["four bytes for three", [0xf0, 0x8f, 0xbf, 0xbf], false],
    ["a surrogate", [0xed, 0xa0, 0x80], false],
    ["beyond the last code point", [0xf4, 0x90, 0x80, 0x80], false],
    ["a byte that UTF-8 never has", [0xff], false],
  ];
  it.each(sequences)("UTF-8: %s", (_name, sequence, fine) => {
    const bytes = new Uint8Array([0x22, ...sequence, 0x22]);
    expect(accepts(bytes)).toBe(fine);
    expect(engineAccepts(bytes)).toBe(fine);
    expect(accepts(new Uint8Array([0x22, ...sequence]))).toBe(false);
  });

  it("is what the engine's own parser accepts, also of mutated texts", () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), kind: fc.constantFrom("set", "drop", "insert") });
    const property = fc.property(fc.json({ maxDepth: 6 }), fc.array(mutation, { maxLength: 3 }), (text, mutations) => {
      let bytes = Array.from(bytesOf(text));
      for (const { at, byte, kind } of mutations) {
        const place = at % (bytes.length + 1);
        if (kind === "set") bytes[place] = byte;
        else if (kind === "drop") bytes = bytes.filter((_, i) => i !== place);
        else bytes.splice(place, 0, byte);
      }
      const mutated = new Uint8Array(bytes);
      expect(accepts(mutated)).toBe(engineAccepts(mutated));
    });
    fc.assert(property, { numRuns: 3000 });
  });

  it("sees each special character wherever it stands in a long text, whatever the alignment", () => {
    const specials: [string, boolean][] = [
      ['\\"', true],
      ["\\\\", true],
      ["é", true],
      ["😀", true],
      ["\u007f", true],
      ["\n", false],
      ["\u0000", false],
      ["\u001f", false],
      ['"', false],
      ["\\", false],
    ];
    for (let offset = 0; offset < 8; offset++)
      for (const [special, fine] of specials)
        for (let at = 0; at < 48; at++) {
          const text = bytesOf(`"${"a".repeat(at)}${special}${"#!~".repeat(12)}x"`);
          const buffer = new Uint8Array(text.length + 16);
          buffer.set(text, offset);
          expect(accepts(buffer.subarray(offset, offset + text.length))).toBe(fine);
        }
  });

  it("stops at the end of its part of a larger buffer", () => {
    const buffer = bytesOf(`xx${JSON.stringify({ a: "y".repeat(200) })}"}`);
    expect(accepts(buffer.subarray(2, buffer.length - 2))).toBe(true);
    expect(accepts(buffer.subarray(2, buffer.length - 4))).toBe(false);
  });

  it("refuses what is nested deeper than the limit, and does not run out of stack", () => {
    expect(accepts(bytesOf("[".repeat(maxJsonDepth) + "]".repeat(maxJsonDepth)))).toBe(true);
    expect(accepts(bytesOf("[".repeat(maxJsonDepth + 1) + "]".repeat(maxJsonDepth + 1)))).toBe(false);
    expect(accepts(bytesOf('{"a":'.repeat(1_000_000)))).toBe(false);
  });

  it("counts what is entered and what is skipped towards the same limit", () => {
    const nested = (entered: number, skipped: number) => {
      const text = '{"a":'.repeat(entered) + "[".repeat(skipped) + "]".repeat(skipped) + "}".repeat(entered);
      const scanner = new JsonScanner(bytesOf(text));
      const table = new KeyTable(["a"]);
      for (let i = 0; i < entered; i++) {
        scanner.enterObject();
        scanner.nextKey(table);
      }
      scanner.skip();
      for (let i = 0; i < entered; i++) expect(scanner.nextKey(table)).toBe(JsonScanner.end);
      scanner.finish();
    };
    nested(3, maxJsonDepth - 3);
    expect(() => nested(3, maxJsonDepth - 2)).toThrow(GatewayError);
    expect(() => nested(maxJsonDepth + 1, 0)).toThrow(GatewayError);
  });

  it("says where, and nothing of the text", () => {
    const scanner = new JsonScanner(bytesOf('{"secret": tru }'));
    expect(() => scanner.skip()).toThrow(expect.objectContaining({ code: "invalid_json", details: { offset: 11 } }));
    expect(() => new JsonScanner(bytesOf('{"secret": tru }')).skip()).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
  });
});

describe("walking", () => {
  it("gives the spans of the keys that the table knows, and counts the keys of every depth", () => {
    const seen = topLevel('{"a" : {"x":[{"y":1}]} , "model":"gpt" ,"b":[1,2], "stream":true}', ["model", "stream", "absent"]);
    expect(seen).toEqual({ spans: { model: '"gpt"', stream: "true" }, keys: 6 });
  });

  it("matches a key that is written with escapes by what it means", () => {
    expect(topLevel('{"mod\\u0065l":1,"\\u006d":2}', ["model", "m"]).spans).toEqual({ model: "1", m: "2" });
  });

  it("does not take one key for another of the same length, or for a member of every object", () => {
    expect(topLevel('{"models":1,"modem":2,"__proto__":3,"toString":4}', ["model"]).spans).toEqual({});
  });

  it("enters what the caller cares for and skips the rest", () => {
    const table = new KeyTable(["choices", "finish"]);
    const scanner = new JsonScanner(bytesOf('{"choices":[{"finish":null},{"x":1,"finish":"stop"}],"y":[]}'));
    const found: string[] = [];
    scanner.enterObject();
    for (let key = scanner.nextKey(table); key !== JsonScanner.end; key = scanner.nextKey(table)) {
      if (key !== 0) {
        scanner.skip();
        continue;
      }
      scanner.enterArray();
      while (scanner.nextElement()) {
        scanner.enterObject();
        for (let inner = scanner.nextKey(table); inner !== JsonScanner.end; inner = scanner.nextKey(table)) {
          if (inner === 1) found.push(String.fromCharCode(scanner.peek()));
          scanner.skip();
        }
      }
    }
    scanner.finish();
    expect(found).toEqual(["n", '"']);
  });

  it.each([
    ["7", 7],
    ["0", 0],
    ["123456789012345", 123456789012345],
    ["9007199254740993", 9007199254740992],
    ["-3", -3],
    ["1.5", 1.5],
    ["1e3", 1000],
    ['"7"', undefined],
    ["null", undefined],
    ["[7]", undefined],
  ])("reads the number %s", (text, value) => {
    const scanner = new JsonScanner(bytesOf(` ${text} `));
    expect(scanner.skipNumber()).toBe(value);
    scanner.finish();
  });

  it("reads a number of any length as the engine does", () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,29}$/);
    fc.assert(
      fc.property(digits, (text) => {
        expect(new JsonScanner(bytesOf(text)).skipNumber()).toBe(Number(text));
      }),
    );
  });

  it("refuses a list where an object is due", () => {
    expect(() => new JsonScanner(utf8("[]")).enterObject()).toThrow(GatewayError);
    expect(() => new JsonScanner(utf8("{}")).enterArray()).toThrow(GatewayError);
  });
});

describe("what is nested too deeply", () => {
  const around = (depth: number, inner: string) => `${'[{"k":'.repeat(depth / 2)}${inner}${"}]".repeat(depth / 2)}`;

  it("is walked as strictly as the rest, where that is asked for", () => {
    const piece = fc.oneof(
      fc.json({ maxDepth: 6 }),
      fc.array(fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', "1", "true", " "), { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(piece, fc.constantFrom(maxJsonDepth, maxJsonDepth + 2, 200), (inner, depth) => {
        const bytes = bytesOf(around(depth, inner));
        expect(acceptsDeep(bytes).accepted).toBe(engineAccepts(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("is found where it begins, at any depth, without running out of stack", () => {
    const deep = around(200_000, "0");
    const { accepted, deepAt } = acceptsDeep(bytesOf(`[0,${deep},1,${around(20, "0")},${deep}]`));
    // The list around it is a level as well.
    const first = 3 + '[{"k":'.repeat(63).length + 1;
    expect([accepted, deepAt[0], deepAt.length]).toEqual([true, first, 2]);
    expect(acceptsDeep(bytesOf(deep.slice(0, -1))).accepted).toBe(false);
    expect(accepts(bytesOf(around(maxJsonDepth + 2, "0")))).toBe(false);
  });
});
