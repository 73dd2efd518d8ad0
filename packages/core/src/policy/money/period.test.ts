import fc from "fast-check";
import { expect, it } from "vitest";
import { periodAt } from "./period.js";

const at = (text: string): number => Date.parse(text);
const shown = (text: string, period: "day" | "week" | "month" | "total", zone: string): (string | null)[] => {
  const { startMs, endMs } = periodAt(at(text), period, zone);
  return [new Date(startMs).toISOString(), endMs === null ? null : new Date(endMs).toISOString()];
};

it.each([
  ["2026-11-21T12:00:00Z", "day", "UTC", "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z"],
  ["2026-11-22T23:59:59Z", "week", "UTC", "2026-11-16T00:00:00.000Z", "2026-11-23T00:00:00.000Z"],
  ["2026-12-31T23:30:00Z", "month", "UTC", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
  ["2026-12-31T23:30:00Z", "month", "Europe/Berlin", "2026-12-31T23:00:00.000Z", "2027-01-31T23:00:00.000Z"],
  // The day on which the clock goes forward has 23 hours, the one on which it goes back 25.
  ["2026-03-29T12:00:00Z", "day", "Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"],
  ["2026-10-25T12:00:00Z", "day", "Europe/Berlin", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"],
  // Where midnight is skipped the day begins at one.
  ["2018-11-04T12:00:00Z", "day", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z", "2018-11-05T02:00:00.000Z"],
  ["2026-11-21T20:00:00Z", "day", "Asia/Kathmandu", "2026-11-21T18:15:00.000Z", "2026-11-22T18:15:00.000Z"],
] as const)("%s lies in the %s of %s that begins at %s", (text, period, zone, start, end) => {
  expect(shown(text, period, zone)).toEqual([start, end]);
});

it("all there is is one period", () => {
  expect(shown("2026-11-21T12:00:00Z", "total", "UTC")).toEqual(["1970-01-01T00:00:00.000Z", null]);
});

it("every instant lies in its period, and where that ends the next begins", () => {
  const zones = fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Asia/Beirut",
  );
  const instants = fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2035, 0) });
  fc.assert(
    fc.property(instants, zones, fc.constantFrom("day", "week", "month"), (ms, zone, period) => {
      const { startMs, endMs } = periodAt(ms, period, zone);
      expect(startMs).toBeLessThanOrEqual(ms);
      expect(endMs).toBeGreaterThan(ms);
      expect(periodAt(startMs, period, zone)).toEqual({ startMs, endMs });
      expect(periodAt(endMs! - 1, period, zone)).toEqual({ startMs, endMs });
      expect(periodAt(endMs!, period, zone).startMs).toBe(endMs);
    }),
    { numRuns: 3_000 },
  );
});
