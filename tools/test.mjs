// `npm test`: installs and builds what is missing, then runs vitest. Further arguments go to vitest. Without a `--project` it runs the unit tests and those against MariaDB and Redis, which
// start servers of their own from what is installed, and say so when nothing is; SALLYPORT_REQUIRE_SERVICES=1 makes that an error.
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, ensurePeers, nodeBinary, root, run } from "./installed.mjs";

await ensureInstalled();
await ensureBuilt();

const given = process.argv.slice(2);
const args = given.some((arg) => arg.startsWith("--project")) ? given : ["--project=unit", "--project=services", ...given];
let env = process.env;
if (args.some((arg) => arg.endsWith("conformance"))) {
  await ensurePeers();
  // The official suite does not start on Node 20.
  const hasOwn = process.platform === "linux" && process.arch === "x64";
  env = { ...env, SALLYPORT_SUITE_NODE: hasOwn ? nodeBinary("24.21.0") : process.execPath };
}
process.exitCode = await run(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...args], { env });
