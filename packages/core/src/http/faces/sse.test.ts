import { describe, expect, it } from "vitest";
import type { GatewayError } from "../../errors/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { sseFrames, type SseEvent } from "./sse.js";

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

/** A source that gives what it is told to, when it is told to. */
function told() {
  const waiting: { resolve: (r: IteratorResult<SseEvent>) => void; reject: (error: unknown) => void }[] = [];
  let returned = 0;
  const events: AsyncIterable<SseEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
      return: () => {
        returned++;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  return {
    events,
    give: (event: SseEvent) => waiting.shift()?.resolve({ done: false, value: event }),
    end: () => waiting.shift()?.resolve({ done: true, value: undefined }),
    fail: (error: unknown) => waiting.shift()?.reject(error),
    returned: () => returned,
  };
}

function setUp() {
  const clock = new FakeClock();
  const source = told();
  const errors: GatewayError[] = [];
  const frames = sseFrames(source.events, { clock, requestId: "req_1", heartbeatMs: 15_000, onError: (error) => errors.push(error) });
  return { clock, source, errors, frames };
}

describe("frames of run events", () => {
  it("are one line of id, of event and of data, whatever the data holds", async () => {
    const { source, frames } = setUp();
    const first = frames.next();
    source.give({ id: 3, event: "text.delta", data: { text: "a\nb\r\n\u2028" } });
    expect(text((await first).value as Uint8Array)).toBe('id: 3\nevent: text.delta\ndata: {"text":"a\\nb\\r\\n\u2028"}\n\n');
    const last = frames.next();
    source.end();
    expect(await last).toEqual({ done: true, value: undefined });
  });

  it("say that they live after each silence, lose nothing by it, and leave no timer behind", async () => {
    const { clock, source, frames } = setUp();
    for (let i = 0; i < 3; i++) {
      const beat = frames.next();
      await clock.advance(14_999);
      await clock.advance(1);
      expect(text((await beat).value as Uint8Array)).toBe(": keep-alive\n\n");
    }
    const event = frames.next();
    source.give({ id: 1, event: "run.started", data: {} });
    expect(text((await event).value as Uint8Array)).toContain("id: 1\n");
    const end = frames.next();
    source.end();
    await end;
    expect(clock.pending).toBe(0);
  });

  it("end with an error event when their source breaks, which tells nothing of the inside", async () => {
    const { source, errors, frames } = setUp();
    const broken = frames.next();
    source.fail(new TypeError("secret"));
    const frame = text((await broken).value as Uint8Array);
    expect(frame.startsWith("event: error\ndata: ")).toBe(true);
    expect(JSON.parse(frame.split("data: ")[1]!)).toMatchObject({ error: { code: "internal", request_id: "req_1" } });
    expect(frame).not.toContain("secret");
    expect(errors.map(({ code }) => code)).toEqual(["internal"]);
    expect((await frames.next()).done).toBe(true);
  });

  it("give their source back when the reader stops", async () => {
    const { source, frames } = setUp();
    const first = frames.next();
    source.give({ id: 1, event: "run.started", data: {} });
    await first;
    await frames.return();
    expect(source.returned()).toBe(1);
  });
});
