import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/**
 * Writes a small repository into a temporary folder that goes away with the test.
 * @param {Readonly<Record<string, string>>} files path → content
 * @returns {string} its root
 */
export function plantedTree(files) {
  const root = mkdtempSync(join(tmpdir(), "sallyport-tools-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}
