import { expect, it } from "vitest";
import type { HttpAnswer } from "../calls/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { withHeartbeats } from "./heartbeats.js";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream that a test feeds. */
function fed(contentType = "text/event-stream; charset=utf-8") {
  const waiting: ((result: IteratorResult<Uint8Array>) => void)[] = [];
  const state = { asked: 0, returned: 0 };
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => (state.asked++, new Promise((resolve) => void waiting.push(resolve))),
    return: () => (state.returned++, Promise.resolve({ done: true, value: undefined })),
  };
  const answer: HttpAnswer = {
    ...{ status: 200, headers: [["content-type", contentType]], done: () => undefined },
    body: { kind: "frames", frames: { [Symbol.asyncIterator]: () => iterator } },
  };
  const give = (text: string | null) =>
    waiting.shift()!(text === null ? { done: true, value: undefined } : { done: false, value: bytes(text) });
  return { answer, give, state };
}
function read(answer: HttpAnswer) {
  if (answer.body.kind !== "frames") throw new Error("no stream");
  const iterator = answer.body.frames[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  const next = async () => {
    const result = await iterator.next();
    return result.done === true ? null : decoder.decode(result.value);
  };
  return { next, leave: () => iterator.return!() };
}

it("59: a stream that is silent says that it lives, loses no frame by it, and asks its source for one at a time", async () => {
  const clock = new FakeClock();
  const { answer, give, state } = fed();
  const { next } = read(withHeartbeats(answer, clock));
  const first = next();
  give("data: 1\n\n");
  expect(await first).toBe("data: 1\n\n");
  const second = next();
  await clock.advance(14_999);
  await clock.advance(15_001);
  expect(await second).toBe(": keep-alive\n\n");
  // The frame comes while nobody waits.
  give("data: 2\n\n");
  await Promise.resolve();
  expect(await next()).toBe("data: 2\n\n");
  const third = next();
  expect(state.asked).toBe(3);
  await clock.advance(30_000);
  expect(await third).toBe(": keep-alive\n\n");
  const last = next();
  expect(state.asked).toBe(3);
  give(null);
  expect(await last).toBeNull();
  expect(clock.pending).toBe(0);
});

it("frames that come in time are given as they are, and nothing else", async () => {
  const clock = new FakeClock();
  const { answer, give } = fed();
  const { next } = read(withHeartbeats(answer, clock));
  for (let n = 0; n < 20; n++) {
    const frame = next();
    await clock.advance(10_000);
    give(`data: ${n}\n\n`);
    expect(await frame).toBe(`data: ${n}\n\n`);
  }
});

it("a reader that leaves ends the source and the timer; a failure is the reader's", async () => {
  const clock = new FakeClock();
  const left = fed();
  const { next, leave } = read(withHeartbeats(left.answer, clock));
  void next();
  await leave();
  expect([left.state.returned, clock.pending]).toEqual([1, 0]);
  const failing: HttpAnswer = {
    ...left.answer,
    body: { kind: "frames", frames: { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("broken")) }) } },
  };
  await expect(read(withHeartbeats(failing, clock)).next()).rejects.toThrow("broken");
  expect(clock.pending).toBe(0);
});

it("what is no stream of events is left alone", () => {
  const { answer } = fed("application/json");
  expect(withHeartbeats(answer, new FakeClock())).toBe(answer);
});
