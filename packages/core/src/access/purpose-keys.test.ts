import { hkdfSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { crypto } from "../platform/node.js";
import { purposeKeys } from "./purpose-keys.js";

const secret = new Uint8Array(Buffer.from("WmA0b1vYF1ZrVuQ3xq0u8m9ZC0oJ0m5q7rVb3C9u1fE=", "base64"));

describe("purpose keys", () => {
  it("are HKDF-SHA-256 of the secret, one for each purpose, made once (T10)", () => {
    const keyFor = purposeKeys(crypto, secret);
    const expected = Buffer.from(hkdfSync("sha256", secret, "sallyport/v1", "gateway-keys", 32));
    expect(Buffer.from(keyFor("gateway-keys")).equals(expected)).toBe(true);
    expect(keyFor("gateway-keys")).toBe(keyFor("gateway-keys"));
    expect(Buffer.from(keyFor("sealed-values")).equals(expected)).toBe(false);
  });

  it("are other ones for another secret", () => {
    expect(purposeKeys(crypto, secret)("sealed-values")).not.toEqual(purposeKeys(crypto, new Uint8Array(randomBytes(32)))("sealed-values"));
  });

  it("are not made of a secret that is not random, or not 32 bytes (T10)", () => {
    const text = (value: string) => new TextEncoder().encode(value);
    const weak: Uint8Array[] = [
      new Uint8Array(0),
      new Uint8Array(randomBytes(31)),
      new Uint8Array(randomBytes(33)),
      new Uint8Array(32),
      new Uint8Array(32).fill(7),
      Uint8Array.from({ length: 32 }, (_, i) => i),
      Uint8Array.from({ length: 32 }, (_, i) => i % 8),
      Uint8Array.from({ length: 32 }, (_, i) => 255 - 3 * i),
      text("changemechangemechangemechangeme"),
      text("0123456789abcdef0123456789abcdef"),
      text("please-change-this-secret-key-!!"),
    ];
    for (const bytes of weak) expect(() => purposeKeys(crypto, bytes)).toThrow(expect.objectContaining({ code: "invalid_config" }));
  });

  it("accept every random secret", () => {
    for (let i = 0; i < 1_000; i++) expect(() => purposeKeys(crypto, new Uint8Array(randomBytes(32)))).not.toThrow();
  });
});
