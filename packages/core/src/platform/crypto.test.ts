import { describe, expect, it } from "vitest";
import { crypto as node } from "./node-crypto.js";
import { crypto as web } from "./web-crypto.js";

const text = (value: string) => new TextEncoder().encode(value);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const key = new Uint8Array(32).map((_, i) => i);

describe.each([
  ["node", node, web],
  ["web", web, node],
] as const)("the crypto of the %s platform", (_name, crypto, other) => {
  it("computes SHA-256 and HMAC-SHA-256 as the standards' own examples say", () => {
    expect(hex(crypto.sha256(text("abc")))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-4
    expect(hex(crypto.hmac(text("Jefe"), text("what do ya want for nothing?")))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", // RFC 4231, case 2
    );
  });

  it("opens what it sealed, and what the other platform sealed", () => {
    const aad = text("project|table|row");
    for (const plain of [text(""), text("secret"), crypto.random(100_000)]) {
      expect(hex(crypto.open(key, crypto.seal(key, plain, aad), aad)!)).toBe(hex(plain));
      expect(hex(crypto.open(key, other.seal(key, plain, aad), aad)!)).toBe(hex(plain));
    }
  });

  it("opens nothing that was changed, cut short, moved to another row or sealed with another key", () => {
    const aad = text("row 1");
    const sealed = crypto.seal(key, text("secret"), aad);
    for (let bit = 0; bit < sealed.byteLength * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(crypto.open(key, changed, aad)).toBeNull();
    }
    for (let length = 0; length < sealed.byteLength; length++) expect(crypto.open(key, sealed.subarray(0, length), aad)).toBeNull();
    expect(crypto.open(key, sealed, text("row 2"))).toBeNull();
    expect(crypto.open(crypto.random(32), sealed, aad)).toBeNull();
  });

  it("never seals twice to the same bytes", () => {
    expect(hex(crypto.seal(key, text("x"), text("")))).not.toBe(hex(crypto.seal(key, text("x"), text(""))));
  });

  it("compares by content, and inputs of different length are not equal", () => {
    expect(crypto.equal(text("abc"), text("abc"))).toBe(true);
    expect(crypto.equal(text("abc"), text("abd"))).toBe(false);
    expect(crypto.equal(text("abc"), text("ab"))).toBe(false);
    expect(crypto.equal(text(""), text(""))).toBe(true);
  });

  it("gives as many random bytes as asked, however many", () => {
    expect(crypto.random(32).byteLength).toBe(32);
    const many = crypto.random(200_000);
    expect(many.byteLength).toBe(200_000);
    expect(many.subarray(150_000).some((byte) => byte !== 0)).toBe(true);
  });
});
