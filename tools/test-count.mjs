// Prints `N passed, N failed` from vitest's JSON report; a file that could not be loaded counts as one failure. Exits 1 if anything failed or nothing ran.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @param {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} report
 * @returns {{ passed: number, failed: number }}
 */
export function countTests(report) {
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed } = countTests(JSON.parse(readFileSync(process.argv[2], "utf8")));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
