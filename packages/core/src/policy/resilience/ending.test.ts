import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { Ending } from "./ending.js";

it("ends what is under way, each by a signal of its own, and what begins later; nothing is kept of what is over", async () => {
  const ending = new Ending();
  const signals: AbortSignal[] = [];
  const until = (signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve) => {
      signals.push(signal);
      if (signal.aborted) resolve(signal.reason);
      else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
    });
  expect(await ending.run(() => Promise.resolve("done"))).toBe("done");
  await expect(ending.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(ending.size).toBe(0);
  const running = Array.from({ length: 20 }, () => ending.run(until));
  expect([ending.size, new Set(signals).size, ...signals.map((signal) => getEventListeners(signal, "abort").length)]).toEqual([
    20,
    20,
    ...signals.map(() => 1),
  ]);
  const why = new Error("over");
  ending.end(why);
  ending.end(new Error("again"));
  expect(new Set(await Promise.all([...running, ending.run(until)]))).toEqual(new Set([why]));
  expect(ending.size).toBe(0);
});
