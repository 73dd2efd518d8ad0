import { encodeBase64 } from "../../wire/shared/base64.js";
import { wavOf } from "../media/wav.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

const SIDE = 64;
const SAMPLE_RATE = 8_000;
const MAX_SECONDS = 4;
const FRAMES = 8;
const FRAME_SIDE = 32;

/** FNV-1a: the same text always gives the same picture, sound and vector. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

/** A vector of length 1 in which texts with words in common are near each other. */
export function vectorOf(text: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) {
    let state = hashOf(word);
    for (let at = 0; at < dimensions; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      vector[at]! += state / 2 ** 31 - 1;
    }
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** A small picture of one colour that the text decides, with a lighter disc on it, as PNG in base64. Source: https://www.w3.org/TR/png-3/ */
export function pngOf(text: string): string {
  const [red, green, blue] = colourOf(text);
  const rows = new Uint8Array(SIDE * (1 + SIDE * 3));
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const isDisc = Math.hypot(x - SIDE / 2, y - SIDE / 2) < SIDE / 3;
      rows.set(isDisc ? [lighter(red), lighter(green), lighter(blue)] : [red, green, blue], y * (1 + SIDE * 3) + 1 + x * 3);
    }
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, SIDE);
  view.setUint32(4, SIDE);
  head.set([8, 2, 0, 0, 0], 8); // 8 bits, red-green-blue
  return encodeBase64(
    joinBytes([
      Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      pngChunk("IHDR", head),
      pngChunk("IDAT", zlibStored(rows)),
      pngChunk("IEND", new Uint8Array(0)),
    ]),
  );
}

/** A tone whose height the text decides and whose length grows with it, 16 bits, mono. */
export function toneOf(text: string, speed: number): { readonly samples: Uint8Array; readonly wav: Uint8Array; readonly seconds: number } {
  const seconds = Math.min(MAX_SECONDS, 0.25 + [...text].length / 40) / speed;
  const count = Math.round(seconds * SAMPLE_RATE);
  const samples = new Uint8Array(count * 2);
  const view = new DataView(samples.buffer);
  const frequency = 220 + (hashOf(text) % 440);
  for (let at = 0; at < count; at++)
    view.setInt16(at * 2, Math.round(Math.sin((2 * Math.PI * frequency * at) / SAMPLE_RATE) * 8_000), true);
  return { samples, wav: wavOf(samples, { sampleRate: SAMPLE_RATE, channels: 1, bits: 16 }), seconds };
}

/** A film of a second, uncompressed AVI: a bar that wanders over the text's colour. Source: https://learn.microsoft.com/windows/win32/directshow/avi-riff-file-reference */
export function aviOf(text: string): Uint8Array {
  const [red, green, blue] = colourOf(text);
  const frameBytes = FRAME_SIDE * FRAME_SIDE * 3;
  const frames = Array.from({ length: FRAMES }, (_each, number) => {
    const pixels = new Uint8Array(frameBytes);
    for (let at = 0; at < FRAME_SIDE * FRAME_SIDE; at++) {
      const isBar = Math.floor((at % FRAME_SIDE) / (FRAME_SIDE / FRAMES)) === number;
      pixels.set(isBar ? [255, 255, 255] : [blue, green, red], at * 3);
    }
    return riff("00db", pixels);
  });
  const header = numbers([1_000_000 / FRAMES, frameBytes * FRAMES, 0, 0, FRAMES, 0, 1, frameBytes, FRAME_SIDE, FRAME_SIDE, 0, 0, 0, 0]);
  const stream = joinBytes([ascii("vidsDIB "), numbers([0, 0, 0, 1, FRAMES, 0, FRAMES, frameBytes, 0xffffffff, 0, 0, 0])]);
  const format = numbers([40, FRAME_SIDE, FRAME_SIDE, 1 | (24 << 16), 0, frameBytes, 0, 0, 0, 0]);
  const streams = list("strl", [riff("strh", stream), riff("strf", format)]);
  const body = joinBytes([ascii("AVI "), list("hdrl", [riff("avih", header), streams]), list("movi", frames)]);
  return riff("RIFF", body);
}

function colourOf(text: string): [number, number, number] {
  const hash = hashOf(text);
  return [hash & 0xff, (hash >>> 8) & 0xff, (hash >>> 16) & 0xff];
}
function lighter(channel: number): number {
  return channel + Math.round((255 - channel) / 2);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
function numbers(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [at, value] of values.entries()) view.setUint32(at * 4, value >>> 0, true);
  return new Uint8Array(view.buffer);
}
function riff(name: string, body: Uint8Array): Uint8Array {
  return joinBytes([ascii(name), numbers([body.length]), body]);
}
function list(name: string, parts: readonly Uint8Array[]): Uint8Array {
  return riff("LIST", joinBytes([ascii(name), ...parts]));
}

function pngChunk(name: string, body: Uint8Array): Uint8Array {
  const checked = joinBytes([ascii(name), body]);
  const frame = new Uint8Array(checked.length + 8);
  const view = new DataView(frame.buffer);
  view.setUint32(0, body.length);
  frame.set(checked, 4);
  view.setUint32(frame.length - 4, crc32(checked));
  return frame;
}

/** zlib's container around one block that is not compressed: it holds up to 65,535 bytes. Sources: RFC 1950, RFC 1951 §3.2.4. */
function zlibStored(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const frame = new Uint8Array(length + 11);
  frame.set([0x78, 0x01, 0x01, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff]);
  frame.set(bytes, 7);
  new DataView(frame.buffer).setUint32(length + 7, adler32(bytes));
  return frame;
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
