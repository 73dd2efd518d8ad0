// `npm test`: installs and builds what is missing, then runs vitest. Further arguments go to vitest. Without a `--project` it runs the unit tests, and those that need
// services too where SALLYPORT_REQUIRE_SERVICES=1 says that they are there.
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, root, run } from "./installed.mjs";

await ensureInstalled();
await ensureBuilt();

const given = process.argv.slice(2);
const projects = process.env.SALLYPORT_REQUIRE_SERVICES === "1" ? ["unit", "services"] : ["unit"];
const args = given.some((arg) => arg.startsWith("--project")) ? given : [...projects.map((name) => `--project=${name}`), ...given];
process.exitCode = await run(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...args]);
