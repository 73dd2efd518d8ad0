import { expect, it, vi } from "vitest";
import { clock } from "./system-clock.js";

const DAY_MS = 86_400_000;

it("calls back once at the instant, at once when it is past, and never when cancelled", async () => {
  const calls: string[] = [];
  const cancel = clock.at(clock.now() + 5, () => calls.push("cancelled"));
  await new Promise<void>((resolve) => {
    clock.at(clock.now() - 1000, () => calls.push("past"));
    clock.at(clock.now() + 20, () => {
      calls.push("later");
      resolve();
    });
    cancel();
  });
  expect(calls).toEqual(["past", "later"]);
});

it("waits for instants that are farther away than a timer reaches", () => {
  vi.useFakeTimers();
  try {
    let called = false;
    clock.at(clock.now() + 40 * DAY_MS, () => (called = true));
    vi.advanceTimersByTime(40 * DAY_MS - 1);
    expect(called).toBe(false);
    vi.advanceTimersByTime(1);
    expect(called).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

it("has a monotonic time that does not go back", () => {
  const first = clock.monotonic();
  expect(clock.monotonic()).toBeGreaterThanOrEqual(first);
});
