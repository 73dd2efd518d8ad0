import { describe, expect, it } from "vitest";
import { joinBase64 } from "./base64.js";
import { readDataUrl } from "./data-url.js";
import { spliceBytes } from "./splice-bytes.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const splice = (text: string, ...splices: [number, number, string][]) =>
  new TextDecoder().decode(
    spliceBytes(
      bytesOf(text),
      splices.map(([start, end, put]) => ({ start, end, bytes: bytesOf(put) })),
    ),
  );

describe("splicing", () => {
  it("replaces, inserts and removes in one copy", () => {
    expect(splice("0123456789", [0, 1, "a"], [3, 3, "bcd"], [5, 8, ""], [10, 10, "z"])).toBe("a12bcd3489z");
  });
  it("gives the same array when there is nothing to do", () => {
    const bytes = bytesOf("abc");
    expect(spliceBytes(bytes, [])).toBe(bytes);
  });
});

describe("base64", () => {
  it("is joined as text where no padding stands between, and else anew", () => {
    expect(joinBase64(["YWJj", "ZGVm"])).toBe("YWJjZGVm");
    expect(joinBase64(["YQ==", "YmM="])).toBe(btoa("abc"));
    expect(joinBase64([])).toBe("");
  });
  it.each([
    ["data:image/png;base64,AAAA", { mediaType: "image/png", data: "AAAA" }],
    ["DATA:image/svg+xml;charset=utf-8;BASE64,AA==", { mediaType: "image/svg+xml;charset=utf-8", data: "AA==" }],
    ["data:,hello", null],
    ["data:image/png;base64", null],
    ["https://example.com/a.png", null],
  ])("is read from the URL %s", (url, expected) => {
    expect(readDataUrl(url)).toEqual(expected);
  });
});
