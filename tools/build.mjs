// Builds every package that has sources, two at a time: `npm run build`. With --js only the JavaScript, without declarations.
import { basename, join } from "node:path";
import { packageFolders, root, run, stampBuild } from "./installed.mjs";

const env = { ...process.env, SALLYPORT_BUILD: process.argv.includes("--js") ? "js" : "full" };
const tsup = join(root, "node_modules/tsup/dist/cli-default.js");
const waiting = packageFolders();
/** @type {string[]} */
const failed = [];

async function buildInTurn() {
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    if ((await run(process.execPath, [tsup], { cwd: folder, env })) !== 0) failed.push(basename(folder));
  }
}

await Promise.all([buildInTurn(), buildInTurn()]);
if (failed.length > 0) {
  console.error(`build failed: ${failed.join(", ")}`);
  process.exit(1);
}
stampBuild();
