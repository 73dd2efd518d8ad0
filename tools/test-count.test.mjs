import { expect, test } from "vitest";
import { countTests } from "./test-count.mjs";

const passing = { status: "passed", assertionResults: [{ status: "passed" }] };
const failing = { status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] };
const unloadable = { status: "failed", assertionResults: [] };

test("passed and failed tests are counted as vitest counts them", () => {
  expect(countTests({ numPassedTests: 2, numFailedTests: 1, testResults: [passing, failing] })).toEqual({ passed: 2, failed: 1 });
});

test("a file that could not be loaded is a failure", () => {
  expect(countTests({ numPassedTests: 1, numFailedTests: 0, testResults: [passing, unloadable] })).toEqual({ passed: 1, failed: 1 });
});
