import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

const root = fileURLToPath(new URL("../../", import.meta.url));
const outDir = `${root}node_modules/.cache/sallyport-e2e/`;

/**
 * A program as one file that plain Node runs, made of the sources as they stand now: a build that changes while processes are killed and started again is no part of a test. What npm
 * installed stays outside. Resolves to the file.
 */
export async function bundled(source: URL): Promise<string> {
  const name = `${basename(source.pathname, ".ts")}-${process.pid}`;
  await build({
    entry: { [name]: fileURLToPath(source) },
    outDir,
    ...{ format: "esm", platform: "node", target: "node20", splitting: false, sourcemap: false, clean: false },
    ...{ config: false, silent: true, dts: false, minify: true },
    noExternal: [/^@sallyport\//, "#platform"],
    external: [/^(?![./#]|@sallyport\/)/],
    esbuildPlugins: [
      {
        name: "sources",
        setup: (made) => {
          made.onResolve({ filter: /^#platform$/ }, () => ({ path: `${root}packages/core/src/platform/node.ts` }));
          made.onResolve({ filter: /^@sallyport\// }, ({ path }) => {
            const [, own = "", inner] = path.split("/");
            return { path: `${root}packages/${own}/src/${inner === undefined ? "" : `${inner}/`}index.ts` };
          });
        },
      },
    ],
  });
  return `${outDir}${name}.js`;
}
