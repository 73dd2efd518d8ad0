import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.js";

describe("nearest", () => {
  const fields = ["model", "input", "tools", "max_steps", "timeout_ms", "idempotency_key"];

  it.each([
    ["modle", "model"],
    ["Model", "model"],
    ["inputs", "input"],
    ["tool", "tools"],
    ["maxSteps", "max_steps"],
    ["max-step", "max_steps"],
    ["timeoutMs", "timeout_ms"],
    ["idempotencyKey", "idempotency_key"],
  ])("says that %s was meant to be %s", (typed, meant) => {
    expect(nearest(typed, fields)).toBe(meant);
  });

  it("says nothing when no name is near", () => {
    expect(nearest("temperature", fields)).toBeNull();
    expect(nearest("x", fields)).toBeNull();
    expect(nearest("model", [])).toBeNull();
  });

  it("does not compare names that are too long to have been a slip", () => {
    expect(nearest("m".repeat(100_000), ["m".repeat(100_000)])).toBeNull();
  });
});
