import { describe, expect, it } from "vitest";
import type { Headers } from "../../calls/index.js";
import { durationMs, retryAfterMs } from "./retry-after.js";

const nowMs = Date.parse("2026-11-20T12:00:00Z");
const wait = (...headers: [string, string][]) => retryAfterMs(headers as Headers, nowMs);

describe("when a vendor says to come back", () => {
  it.each([
    ["seconds", [["retry-after", "7"]], 7000],
    ["part of a second", [["retry-after", "0.25"]], 250],
    ["a date", [["retry-after", "Fri, 20 Nov 2026 12:00:30 GMT"]], 30_000],
    ["a date that has passed", [["retry-after", "Fri, 20 Nov 2026 11:00:00 GMT"]], 0],
    [
      "milliseconds, which are the most exact",
      [
        ["retry-after", "7"],
        ["retry-after-ms", "1234.5"],
      ],
      1235,
    ],
    [
      "the reset of an empty bucket",
      [
        ["x-ratelimit-remaining-tokens", "0"],
        ["x-ratelimit-reset-tokens", "6m0s"],
      ],
      360_000,
    ],
    [
      "the instant at which an empty bucket is full again",
      [
        ["anthropic-ratelimit-input-tokens-remaining", "0"],
        ["anthropic-ratelimit-input-tokens-reset", "2026-11-20T12:00:09Z"],
        ["anthropic-ratelimit-requests-remaining", "3"],
        ["anthropic-ratelimit-requests-reset", "2026-11-20T12:05:00Z"],
      ],
      9000,
    ],
    [
      "the longer of two empty buckets, not of one that has tokens left",
      [
        ["x-ratelimit-remaining-tokens", "0"],
        ["x-ratelimit-reset-tokens", "1s"],
        ["x-ratelimit-remaining-requests", "0"],
        ["x-ratelimit-reset-requests", "120ms"],
      ],
      1000,
    ],
    [
      "a bucket that is not empty",
      [
        ["x-ratelimit-remaining-requests", "5"],
        ["x-ratelimit-reset-requests", "1h"],
      ],
      undefined,
    ],
    ["a huge wait, which is cut to a day", [["retry-after", "99999999999"]], 86_400_000],
    ["a negative wait", [["retry-after", "-5"]], undefined],
    ["no wait that can be read", [["retry-after", "soon"]], undefined],
    ["an empty header", [["retry-after", ""]], undefined],
    ["no header", [], undefined],
  ] as [string, [string, string][], number | undefined][])("%s", (_name, headers, expected) => {
    expect(wait(...headers)).toBe(expected);
  });

  it.each([
    ["1h2m3.5s", 3_723_500],
    ["6m0s", 360_000],
    ["2d", 172_800_000],
    ["17ms", 17],
    ["12", 12_000],
    ["1x", undefined],
    ["", undefined],
  ])("the duration %j", (text, expected) => {
    expect(durationMs(text)).toBe(expected);
  });
});
