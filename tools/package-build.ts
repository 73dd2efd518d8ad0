import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";

const repositoryRoot = fileURLToPath(new URL("..", import.meta.url));

/**
 * How every package is built: ESM for Node 20, one output per entry, shared code in chunks, nothing of another package bundled in.
 * `entries` are output names without extension; `core/src/ports/index.ts` is the entry `ports/index`.
 * With SALLYPORT_BUILD=js the declarations are left out: `npm start` and `npm test` need none and they take most of the time.
 */
export function packageBuild(entries: readonly string[]) {
  return defineConfig({
    entry: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
    format: "esm",
    platform: "node",
    target: "node20",
    outDir: "dist",
    clean: true,
    splitting: true,
    sourcemap: false,
    treeshake: false,
    silent: true,
    external: ["#platform", /^@sallyport\//],
    // The paths of tsconfig.base.json are relative to the repository root; tsup would take them as relative to the package.
    dts: process.env["SALLYPORT_BUILD"] === "js" ? false : { compilerOptions: { baseUrl: repositoryRoot } },
  });
}
