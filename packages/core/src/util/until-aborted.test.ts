import { expect, it } from "vitest";
import { untilAborted } from "./until-aborted.js";

it("gives what the work gives while nobody aborts, and leaves no listener", async () => {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(untilAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  expect(listeners).toBe(0);
});

it("does not wait for work that heeds no signal, and drops what it comes to", async () => {
  const controller = new AbortController();
  let fail!: (error: Error) => void;
  const waiting = untilAborted(new Promise((_, reject) => (fail = reject)), controller.signal);
  controller.abort(new Error("stop"));
  await expect(waiting).rejects.toThrow("stop");
  fail(new Error("nobody hears this"));
  await expect(untilAborted(Promise.resolve(1), controller.signal)).rejects.toThrow("stop");
});
