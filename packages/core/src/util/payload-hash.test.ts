import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { canonicalJson, payloadHash } from "./payload-hash.js";

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

it("is the same for equal values, whatever the order of their keys", () => {
  expect(canonicalJson({ b: [{ d: 1, c: null }], a: "x", left: undefined })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  expect(payloadHash({ a: 1, b: { c: 2, d: 3 } }, sha256)).toBe(payloadHash({ b: { d: 3, c: 2 }, a: 1 }, sha256));
  expect(payloadHash({ a: "é" }, sha256)).toBe(createHash("sha256").update('{"a":"é"}').digest("hex"));
});

it("differs for different values, and survives keys that objects treat specially", () => {
  expect(payloadHash([1, 2], sha256)).not.toBe(payloadHash([2, 1], sha256));
  const hostile = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as unknown;
  expect(canonicalJson(hostile)).toBe('{"__proto__":{"x":1},"constructor":2}');
});
