import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { aviOf, pngOf, toneOf, vectorOf } from "./demo-media.js";

const text = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);

describe("what the demo makes", () => {
  it("are PNGs that others can read: chunks with their lengths, pixels for every row", () => {
    const png = new Uint8Array(Buffer.from(pngOf("a red square"), "base64"));
    const view = new DataView(png.buffer);
    const chunks: Record<string, Uint8Array> = {};
    let at = 8;
    while (at < png.length) {
      const length = view.getUint32(at);
      chunks[text(png, at + 4, at + 8)] = png.subarray(at + 8, at + 8 + length);
      at += 12 + length;
    }
    expect(at).toBe(png.length);
    expect(Object.keys(chunks)).toEqual(["IHDR", "IDAT", "IEND"]);
    // Inflating checks the sum over all pixels.
    expect(inflateSync(chunks["IDAT"]!)).toHaveLength(64 * (1 + 64 * 3));
    // The sum of an empty chunk is the same in every PNG there is.
    expect([...png.subarray(-4)]).toEqual([0xae, 0x42, 0x60, 0x82]);
    expect(pngOf("a red square")).not.toBe(pngOf("another"));
  });

  it("are films whose parts are as long as they say", () => {
    const avi = aviOf("x");
    const view = new DataView(avi.buffer, avi.byteOffset);
    expect(text(avi, 0, 4) + text(avi, 8, 12)).toBe("RIFFAVI ");
    expect(view.getUint32(4, true)).toBe(avi.length - 8);
    const headers = view.getUint32(16, true);
    expect(text(avi, 20 + headers, 24 + headers)).toBe("LIST");
    expect(view.getUint32(24 + headers, true)).toBe(avi.length - (28 + headers));
  });

  it("are tones that grow with the text, shorter when faster", () => {
    const { wav, samples, seconds } = toneOf("hello", 1);
    expect(wav).toHaveLength(44 + samples.length);
    expect(samples.length / 2 / 8_000).toBeCloseTo(seconds, 3);
    expect(toneOf("hello", 2).seconds).toBeCloseTo(seconds / 2, 6);
    expect(toneOf("a much longer text", 1).seconds).toBeGreaterThan(seconds);
  });

  it("are vectors of length 1, nearer for texts with words in common", () => {
    const [cat, cats, ship] = ["the cat sat", "the cat slept", "a ship at sea"].map((each) => vectorOf(each, 64)) as [
      number[],
      number[],
      number[],
    ];
    expect(dot(cat, cat)).toBeCloseTo(1, 9);
    expect(dot(cat, cats)).toBeGreaterThan(dot(cat, ship));
    expect(vectorOf("", 8)).toHaveLength(8);
  });
});
