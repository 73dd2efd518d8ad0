// Prints what failed, what passed only when it was tried again, and last `N passed, N failed`, from vitest's JSON reports together; a file that could not be loaded counts
// as one failure. Exits 1 if anything failed or nothing ran.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @typedef {{ status: string, fullName?: string, failureMessages?: string[] }} Test */
/** @typedef {{ status: string, name?: string, message?: string, assertionResults: Test[] }} TestFile */

/**
 * @param {{ numPassedTests: number, numFailedTests: number, testResults: TestFile[] }} report
 * @returns {{ passed: number, failed: number }}
 */
export function countTests(report) {
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

/**
 * A line for each test that failed, and for each that failed first and passed when it was tried again.
 * @param {{ testResults: TestFile[] }} report
 * @returns {string[]}
 */
export function troubles(report) {
  return report.testResults.flatMap((file) => {
    const of = (/** @type {string} */ what, /** @type {Test} */ test) =>
      `${what}: ${file.name ?? "?"}: ${test.fullName ?? "?"}: ${(test.failureMessages ?? [""])[0]?.split("\n")[0] ?? ""}`;
    const failed = file.assertionResults.filter((test) => test.status === "failed").map((test) => of("failed", test));
    const again = file.assertionResults.filter((test) => test.status === "passed" && (test.failureMessages ?? []).length > 0);
    const broken = file.status === "failed" && failed.length === 0 ? [`failed: ${file.name ?? "?"}: ${file.message ?? ""}`] : [];
    return [...broken, ...failed, ...again.map((test) => of("passed only at the second try", test))];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reports = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
  for (const line of reports.flatMap(troubles)) console.log(line);
  const counts = reports.map(countTests);
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
