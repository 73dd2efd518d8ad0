import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const source = (path) => fileURLToPath(new URL(`../../packages/${path}`, import.meta.url));
/** Packages of the house, as they are written: not as they were built last. */
const houses = {
  "#platform": source("core/src/platform/node.ts"),
  "@sallyport/core/ports": source("core/src/ports/index.ts"),
  "@sallyport/core/entities": source("core/src/entities/index.ts"),
  "@sallyport/core": source("core/src/index.ts"),
  "@sallyport/sql": source("sql/src/index.ts"),
  "@sallyport/adapters-sqlite": source("adapters-sqlite/src/index.ts"),
  "@sallyport/adapters-mysql": source("adapters-mysql/src/index.ts"),
  "@sallyport/adapters-redis": source("adapters-redis/src/index.ts"),
};

/** Bundles TypeScript of bench/subjects with the sources of the packages; what they need from outside is loaded from node_modules. */
export async function bundle(subjects, outdir) {
  await build({
    ...{ entryPoints: subjects.map((name) => fileURLToPath(new URL(`../subjects/${name}`, import.meta.url))), outdir, bundle: true },
    ...{ platform: "node", format: "esm", target: "node20", logLevel: "error", outExtension: { ".js": ".mjs" }, splitting: true },
    alias: houses,
    plugins: [
      {
        name: "outside",
        setup: (b) =>
          b.onResolve({ filter: /^[^./#]/ }, ({ path }) => (path in houses || path.startsWith("/") ? undefined : { path, external: true })),
      },
    ],
  });
}
