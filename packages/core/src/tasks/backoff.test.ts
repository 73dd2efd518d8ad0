import { expect, it } from "vitest";
import { MAX_BACKOFF_MS, retryDelayMs } from "./backoff.js";

const most = (failures: number, backoffMs = 1000) => retryDelayMs({ failures, backoffMs, random: () => 0.999999 });

it("doubles the longest wait with each failure, up to an hour", () => {
  expect([1, 2, 3, 4].map((failures) => Math.ceil(most(failures) / 1000))).toEqual([1, 2, 4, 8]);
  expect(most(100)).toBeLessThanOrEqual(MAX_BACKOFF_MS);
  expect(most(100, 86_400_000)).toBeLessThanOrEqual(MAX_BACKOFF_MS);
  expect(most(3, 0)).toBe(0);
});

it("spreads waits over the whole time", () => {
  expect(retryDelayMs({ failures: 5, backoffMs: 1000, random: () => 0 })).toBe(0);
  expect(retryDelayMs({ failures: 5, backoffMs: 1000, random: () => 0.5 })).toBe(8000);
});

it("waits at least as long as it was asked to, up to an hour", () => {
  const asked = (retryAfterMs: number) => retryDelayMs({ failures: 1, backoffMs: 1000, retryAfterMs, random: () => 0.5 });
  expect([asked(200), asked(7000), asked(-5), asked(1e12)]).toEqual([500, 7000, 500, MAX_BACKOFF_MS]);
});
