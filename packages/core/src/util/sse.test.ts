import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSse, sseFrameEnd, SseReader, SseSplitter, type SseEvent } from "./sse.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

function readAll(chunks: Uint8Array[]): SseEvent[] {
  const reader = new SseReader();
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
}
const data = (...texts: string[]) => texts.map((text) => ({ event: "message", data: text, id: undefined }));

describe("reading events", () => {
  it.each([
    ["LF", "data: a\n\ndata: b\n\n", data("a", "b")],
    ["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", data("a", "b")],
    ["CR", "data: a\r\rdata: b\r\r", data("a", "b")],
    ["mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\r\n\r\n", data("a", "b", "c", "d")],
    ["no space behind the colon", "data:a\n\ndata:  b\n\n", data("a", " b")],
    ["several lines", "data: a\ndata:\ndata\ndata: b\n\n", data("a\n\n\nb")],
    ["a byte order mark", "\ufeffdata: a\n\n", data("a")],
    ["comments and blank lines", ": hello\n\n\n\n:\n: a\ndata: a\n: b\n\n", data("a")],
    ["unknown fields", "retry: 10\nfoo\nbar: data: x\ndata: a\n\n", data("a")],
    ["names and ids", "event: ping\nid: 7\ndata: a\n\ndata: b\n\n", [{ event: "ping", data: "a", id: "7" }, ...data("b")]],
    ["an event without data", "event: ping\n\ndata: a\n\n", data("a")],
    ["no blank line at the end", "data: a\n\ndata: b", data("a", "b")],
    ["nothing", "", []],
    ["a NUL", "data: a\0b\n\n", data("a\0b")],
  ])("%s", (_name, text, events) => {
    expect(readAll([bytesOf(text)])).toEqual(events);
    expect(readAll(Array.from(bytesOf(text), (byte) => new Uint8Array([byte])))).toEqual(events);
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => new SseReader().push(new Uint8Array([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a]))).toThrow(
      expect.objectContaining({ code: "invalid_json" }),
    );
  });
});

describe("splitting", () => {
  const line = fc.constantFrom("data: é", "data:{}", ": c", "", "event: x", "😀", "data: \u2028");
  const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
  const stream = fc.array(fc.tuple(line, lineEnd), { maxLength: 12 }).map((lines) => lines.flat().join(""));

  it("keeps every byte in order and reads the same events wherever the chunks are split", () => {
    const property = fc.property(stream, fc.array(fc.nat({ max: 80 }), { maxLength: 12 }), (text, cuts) => {
      const bytes = bytesOf(text);
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
      const splitter = new SseSplitter();
      const out = [...chunks.map((chunk) => textOf(splitter.push(chunk))), textOf(splitter.rest())];
      expect(out.join("")).toBe(text);
      expect(readAll(chunks)).toEqual(readAll([bytes]));
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it("hands a chunk that ends with a blank line on as it is, without a copy", () => {
    const splitter = new SseSplitter();
    const chunk = bytesOf("data: a\n\ndata: b\r\n\r\n");
    expect(splitter.push(chunk)).toBe(chunk);
    expect(splitter.rest()).toHaveLength(0);
  });

  it("hands on a blank line, which keeps a connection alive, at once", () => {
    expect(textOf(new SseSplitter().push(bytesOf("\n")))).toBe("\n");
    expect(textOf(new SseSplitter().push(bytesOf(": ping\n\n")))).toBe(": ping\n\n");
  });

  it("waits for the line feed of a CRLF that was split, and not for one that never comes", () => {
    const splitter = new SseSplitter();
    expect(textOf(splitter.push(bytesOf("data: a\r\n\r")))).toBe("");
    expect(textOf(splitter.push(bytesOf("\ndata: b\r\n\r")))).toBe("data: a\r\n\r\n");
    expect(textOf(splitter.push(bytesOf("data: c")))).toBe("data: b\r\n\r");
    expect(textOf(splitter.rest())).toBe("data: c");
  });

  it("refuses a frame that grows past the limit, however it is dribbled", () => {
    const splitter = new SseSplitter(1000);
    const push = () => {
      for (let i = 0; i < 1001; i++) splitter.push(bytesOf("x"));
    };
    expect(push).toThrow(expect.objectContaining({ code: "upstream_protocol" }));
  });

  it("finds the end of each frame", () => {
    const bytes = bytesOf("data: a\n\nx\r\n\r\ny\r\rz");
    const ends: number[] = [];
    for (let at = 0; at < bytes.length; at = ends.at(-1) as number) ends.push(sseFrameEnd(bytes, at));
    expect(ends).toEqual([9, 14, 17, 18]);
    expect(parseSse("data: a\n\n")).toEqual(data("a"));
  });
});
