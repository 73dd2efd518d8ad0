// `npm start`: installs and builds what is missing, then becomes `sallyport start` in this very process, so that signals and exit codes are its own.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, ensureInstalled, root } from "./installed.mjs";

await ensureInstalled();
await ensureBuilt();

const cli = join(root, "packages/cli/dist/bin.js");
if (!existsSync(cli)) {
  console.error("packages/cli has no dist/bin.js: run `npm run build` and look at its messages.");
  process.exit(1);
}
process.argv = [process.execPath, cli, "start", ...process.argv.slice(2)];
await import(pathToFileURL(cli).href);
