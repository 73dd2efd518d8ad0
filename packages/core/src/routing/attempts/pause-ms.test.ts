import { expect, it } from "vitest";
import { GatewayError } from "../../errors/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { pause } from "../../policy/resilience/pause.js";
import { pauseMs } from "./pause-ms.js";

const retries = { baseMs: 100, maxMs: 1_000 };
const failing = (retryAfterMs?: number) =>
  new GatewayError("upstream_unavailable", "It failed.", retryAfterMs === undefined ? {} : { retryAfterMs });
const wait = (retry: number, random: number, retryAfterMs?: number) =>
  pauseMs(retry, failing(retryAfterMs), { retries, random: () => random });

it("draws anything between nothing and a bound that doubles, up to the route's", () => {
  expect([0, 1, 2, 3, 4, 9].map((retry) => wait(retry, 0.5))).toEqual([50, 100, 200, 400, 500, 500]);
  expect([wait(3, 0), wait(3, 0.999)]).toEqual([0, 799.2]);
});

it("comes after what the vendor asked for, spread as well, so that nobody comes back together", () => {
  expect([wait(0, 0, 600), wait(0, 0.5, 600)]).toEqual([600, 650]);
});

it.each([
  [-5_000, 50],
  [0, 50],
  [1_000, 1_050],
  [1_001, null],
  [86_400_000, null],
])("with a wish of %d ms is %s", (asked, ms) => expect(wait(0, 0.5, asked)).toBe(ms));

it("ends early when the caller goes, and leaves no timer", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const waited = pause(1_000, clock, controller.signal);
  controller.abort();
  await waited;
  await pause(1_000, clock, controller.signal);
  expect(clock.pending).toBe(0);
});
