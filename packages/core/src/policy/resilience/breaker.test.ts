import { expect, it } from "vitest";
import { Breaker, FAILURES_TO_OPEN } from "./breaker.js";

const failing = (times: number, nowMs = 0): Breaker => {
  const breaker = new Breaker();
  for (let i = 0; i < times; i++) breaker.failed(nowMs);
  return breaker;
};

it("lets everybody through until failures come in a row", () => {
  const breaker = failing(FAILURES_TO_OPEN - 1);
  expect([breaker.state(0), breaker.admit(0)]).toEqual(["closed", "pass"]);
  breaker.succeeded();
  breaker.failed(0);
  expect(breaker.state(0)).toBe("closed");
});

it("opens for five seconds, then lets one call at a time try", () => {
  const breaker = failing(FAILURES_TO_OPEN);
  expect([breaker.state(4_999), breaker.admit(4_999)]).toEqual(["open", null]);
  expect(breaker.state(5_000)).toBe("half-open");
  expect([breaker.admit(5_000), breaker.admit(5_000)]).toEqual(["probe", null]);
  breaker.succeeded();
  expect([breaker.state(5_000), breaker.failures, breaker.admit(5_000)]).toEqual(["closed", 0, "pass"]);
});

it("opens for longer each time that the probe fails, up to a minute", () => {
  const breaker = failing(FAILURES_TO_OPEN);
  const lasted: number[] = [];
  for (let nowMs = breaker.openUntilMs; lasted.length < 6; nowMs = breaker.openUntilMs) {
    expect(breaker.admit(nowMs)).toBe("probe");
    breaker.failed(nowMs);
    lasted.push(breaker.openUntilMs - nowMs);
  }
  expect(lasted).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
});

it("lets another try when the caller of the probe went", () => {
  const breaker = failing(FAILURES_TO_OPEN);
  expect(breaker.admit(5_000)).toBe("probe");
  breaker.probeLeft();
  expect(breaker.admit(5_000)).toBe("probe");
});

it("is not held open by calls that were under way when it opened", () => {
  const breaker = failing(FAILURES_TO_OPEN);
  for (let i = 0; i < 100; i++) breaker.failed(1_000);
  expect(breaker.state(5_000)).toBe("half-open");
});
