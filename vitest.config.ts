import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));
const everywhere = ["packages", "examples", "e2e"];
const long = everywhere.map((folder) => `${folder}/**/*.long.test.ts`);
const services = everywhere.map((folder) => `${folder}/**/*.services.test.ts`);
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
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [...everywhere.map((folder) => `${folder}/**/*.test.ts`), "tools/**/*.test.mjs"],
          exclude: [...long, ...services, ...ignored],
        },
      },
      { extends: true, test: { name: "services", include: services, exclude: ignored } },
      { extends: true, test: { name: "long", include: long, exclude: ignored, testTimeout: 600_000 } },
    ],
  },
});
