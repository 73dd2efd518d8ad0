import { expect, it } from "vitest";
import { Meter } from "../../policy/meter.js";
import { answerHeaders } from "./answer-headers.js";

function meterOf(model: string, costNanoUsd: number | null = null): Meter {
  const meter = new Meter();
  return Object.assign(meter, { provider: "lab", model, attempts: 2, costNanoUsd });
}
const header = (name: string, o: Parameters<typeof answerHeaders>[0]) => answerHeaders(o).find(([given]) => given === name)?.[1];

it("say who answered, after how many attempts", () => {
  expect(answerHeaders({ stream: false, meter: meterOf("org/m"), vendor: null })).toEqual([
    ["content-type", "application/json"],
    ["x-sallyport-provider", "lab"],
    ["x-sallyport-model", "lab/org/m"],
    ["x-sallyport-attempts", "2"],
  ]);
});

it("keep proxies from holding a stream back", () => {
  const o = { stream: true, meter: meterOf("m", 5), vendor: null };
  expect(header("content-type", o)).toBe("text/event-stream; charset=utf-8");
  expect(header("cache-control", o)).toBe("no-cache, no-transform");
  expect(header("x-accel-buffering", o)).toBe("no");
  expect(header("x-sallyport-cost-usd", o)).toBeUndefined();
});

it.each([
  [0, "0"],
  [1, "0.000000001"],
  [1_500_000_000, "1.5"],
  [2_000_000_000, "2"],
  [1_234_567_890_123, "1234.567890123"],
])("write %d nano-dollars as %s dollars", (nano, usd) => {
  expect(header("x-sallyport-cost-usd", { stream: false, meter: meterOf("m", nano), vendor: null })).toBe(usd);
});

it("cannot be broken by a model's name", () => {
  expect(header("x-sallyport-model", { stream: false, meter: meterOf("a\r\nx-evil: 1 é\ud800"), vendor: null })).toBe(
    "lab/a%0D%0Ax-evil:%201%20%C3%A9%EF%BF%BD",
  );
});

it("pass on the vendor's rate limits and nothing else of the vendor's", () => {
  const vendor = [
    ["set-cookie", "a=b"],
    ["x-ratelimit-remaining-tokens", "99"],
    ["openai-organization", "secret-org"],
    ["content-length", "5"],
    ["x-request-id", "theirs"],
  ] as const;
  const added = answerHeaders({ stream: false, meter: meterOf("m"), vendor }).slice(4);
  expect(added).toEqual([["x-ratelimit-remaining-tokens", "99"]]);
});
