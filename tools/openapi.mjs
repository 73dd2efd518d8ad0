// `node tools/openapi.mjs` writes docs/reference/openapi.json from the routes; a test holds that it is what the gateway serves.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Bundles the sources as they are: the tool needs no build. */
async function document() {
  const outfile = join(root, "node_modules/.cache/openapi-routes.mjs");
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  await build({
    entryPoints: [join(root, "packages/core/src/routes/index.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["zod"],
    tsconfig: join(root, "tsconfig.base.json"),
    logLevel: "warning",
  });
  const { openApi } = await import(pathToFileURL(outfile).href);
  return openApi("/");
}

writeFileSync(join(root, "docs/reference/openapi.json"), `${JSON.stringify(await document(), null, 1)}\n`);
