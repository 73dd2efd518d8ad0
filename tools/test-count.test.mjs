import { expect, test } from "vitest";
import { countTests, troubles } from "./test-count.mjs";

const passing = { status: "passed", assertionResults: [{ status: "passed" }] };
const failing = { status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] };
const unloadable = { status: "failed", assertionResults: [] };

test("passed and failed tests are counted as vitest counts them", () => {
  expect(countTests({ numPassedTests: 2, numFailedTests: 1, testResults: [passing, failing] })).toEqual({ passed: 2, failed: 1 });
});

test("a file that could not be loaded is a failure", () => {
  expect(countTests({ numPassedTests: 1, numFailedTests: 0, testResults: [passing, unloadable] })).toEqual({ passed: 1, failed: 1 });
});

test("what failed is named, and what passed only when it was tried again", () => {
  const first = { status: "passed", fullName: "is quick", failureMessages: [] };
  const second = { status: "passed", fullName: "is sure", failureMessages: ["Error: it was not\n  at x"] };
  const third = { status: "failed", fullName: "is right", failureMessages: ["Error: it is wrong"] };
  expect(
    troubles({
      testResults: [
        { name: "a.test.ts", status: "passed", assertionResults: [first, second] },
        { name: "b.test.ts", status: "failed", assertionResults: [third] },
        { name: "c.test.ts", status: "failed", message: "no such module", assertionResults: [] },
      ],
    }),
  ).toEqual([
    "passed only at the second try: a.test.ts: is sure: Error: it was not",
    "failed: b.test.ts: is right: Error: it is wrong",
    "failed: c.test.ts: no such module",
  ]);
});
