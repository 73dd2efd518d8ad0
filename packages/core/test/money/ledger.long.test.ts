import fc from "fast-check";
import { expect, it } from "vitest";
import { history, live } from "./histories.js";

it("over many histories of calls, crashes and clocks the windows say what the rows say, and each call has one row (T30, G15)", async () => {
  await fc.assert(fc.asyncProperty(history, live), { numRuns: 15_000 });
  expect(true).toBe(true);
});
