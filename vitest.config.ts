import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));
const everywhere = ["packages", "examples", "e2e"];
const long = everywhere.map((folder) => `${folder}/**/*.long.test.ts`);
const services = everywhere.map((folder) => `${folder}/**/*.services.test.ts`);
const crash = everywhere.map((folder) => `${folder}/**/*.crash.test.ts`);
const conformance = ["e2e/**/*.conformance.test.ts"];
const ignored = ["**/node_modules/**", "**/dist/**"];

/** Tests run on the sources: no build needed, and a stack trace names the line that was written. */
const alias = [
  { find: /^#platform$/, replacement: source("core/src/platform/node.ts") },
  { find: /^@sallyport\/([^/]+)$/, replacement: source("$1/src/index.ts") },
  { find: /^@sallyport\/([^/]+)\/(.+)$/, replacement: source("$1/src/$2/index.ts") },
];

export default defineConfig({
  resolve: { alias },
  test: {
    pool: "forks",
    // Left to itself vitest leaves one core free.
    maxWorkers: "100%",
    // What fails fails by what it expects; these only end what hangs, also where others use the machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for may be late too: a second, which vitest gives by itself, is nothing where others use the machine.
    expect: { poll: { timeout: 30_000 } },
    // On a loaded machine one test of thousands may be late; what passes only at the second try is named by tools/test-count.mjs.
    retry: process.env["CI"] === "true" ? 1 : 0,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // One registry of modules for all files of a process: reading the sources anew for each took as long as the tests.
          isolate: false,
          include: [...everywhere.map((folder) => `${folder}/**/*.test.ts`), "tools/**/*.test.mjs"],
          exclude: [...long, ...services, ...crash, ...conformance, ...ignored],
        },
      },
      { extends: true, test: { name: "services", include: services, exclude: ignored } },
      { extends: true, test: { name: "crash", include: crash, exclude: ignored, testTimeout: 300_000, fileParallelism: false } },
      {
        extends: true,
        // The official suite of the protocol. It gives a server half a second here and there, which a busy machine may not have: what fails is tried twice more.
        test: { name: "conformance", include: conformance, exclude: ignored, testTimeout: 300_000, fileParallelism: false, retry: 2 },
      },
      { extends: true, test: { name: "long", include: long, exclude: ignored, testTimeout: 600_000 } },
    ],
  },
});
