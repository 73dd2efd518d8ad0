import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseReader } from "../../util/sse.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { SseStream, oneLine, sseFrame } from "./sse-stream.js";
import { utf8 } from "./splice.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("SseStream", () => {
  it("hands out what was pushed, in order, and then ends", async () => {
    const stream = new SseStream(new FakeClock(), () => expect.unreachable());
    stream.push(utf8('{"a":\n1}'));
    stream.push(utf8("{}"));
    const seen: string[] = [];
    setImmediate(() => {
      stream.push(utf8("[]"));
      stream.end();
    });
    for await (const frame of stream) seen.push(text(frame));
    expect(seen.join("")).toBe('event: message\ndata: {"a": 1}\n\nevent: message\ndata: {}\n\nevent: message\ndata: []\n\n');
  });

  it("says a comment when nothing else is said", async () => {
    const clock = new FakeClock();
    const stream = new SseStream(clock, () => undefined);
    const first = stream[Symbol.asyncIterator]().next();
    await clock.advance(15_000);
    expect(text((await first).value as Uint8Array)).toBe(": keep-alive\n\n");
  });

  it("tells when the reader leaves, once, and takes nothing more", async () => {
    let left = 0;
    const stream = new SseStream(new FakeClock(), () => left++);
    stream.push(utf8("{}"));
    for await (const frame of stream) if (frame.length > 0) break;
    stream.push(utf8("{}"));
    expect(left).toBe(1);
    expect(stream.ended).toBe(true);
  });

  it("gives a reader up that lets too much wait", () => {
    let left = 0;
    const stream = new SseStream(new FakeClock(), () => left++);
    const big = new Uint8Array(20 * 1024 * 1024).fill(32);
    stream.push(big);
    expect(left).toBe(0);
    stream.push(big);
    expect(left).toBe(1);
  });

  it("keeps a JSON text on one line without changing its value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const pretty = utf8(JSON.stringify(value, null, 2));
        expect(text(oneLine(pretty))).not.toMatch(/[\n\r]/);
        expect(JSON.parse(text(oneLine(pretty)))).toEqual(JSON.parse(text(pretty)));
        const back = new SseReader(1e6).push(joinBytes([sseFrame(pretty), sseFrame(pretty)]));
        expect(back.map((event) => JSON.parse(event.data) as unknown)).toEqual([JSON.parse(text(pretty)), JSON.parse(text(pretty))]);
      }),
    );
  });
});
