import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";

/** Recordings and schemas of vendors. They are kept outside the repository and read from where they are, never copied into it. */
const root = process.env["SALLYPORT_TEST_DATA"] ?? fileURLToPath(new URL("../../../../../shared/data", import.meta.url));
const found = existsSync(root);

if (!found) {
  const missing = `The test data is not at ${root}; SALLYPORT_TEST_DATA says where it is.`;
  if (process.env["SALLYPORT_REQUIRE_DATA"] === "1") throw new Error(missing);
  // eslint-disable-next-line no-console -- whoever reads "passed" has to know what was not run
  console.warn(`${missing} The tests that need it are skipped.`);
}

/** Skips the test, with the reason, when there is no data; tests that are made one a file are then not made at all. */
export function needsData(context: TestContext): void {
  context.skip(!found, "the test data is not there (SALLYPORT_TEST_DATA)");
}

/** Files below a folder of the data whose names end so, as paths relative to it, sorted; none when there is no data. */
export function dataFiles(folder: string, ending: string): string[] {
  if (!found) return [];
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

export function readData(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(root, path)));
}
export function readDataText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
