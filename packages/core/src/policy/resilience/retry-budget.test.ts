import { expect, it } from "vitest";
import { RetryBudget } from "./retry-budget.js";

it("pays for one repetition with ten calls", () => {
  const budget = new RetryBudget();
  let repeated = 0;
  for (let call = 0; call < 1_000; call++) {
    budget.offered();
    for (let more = 0; more < 5; more++) if (budget.take()) repeated++;
  }
  expect(repeated).toBe(102);
});

it("lets the first failures of a process be repeated, and saves for no more than a burst", () => {
  const budget = new RetryBudget();
  expect([budget.left, budget.take(), budget.take(), budget.take()]).toEqual([2, true, true, false]);
  for (let call = 0; call < 100_000; call++) budget.offered();
  expect(budget.left).toBe(10);
});
