import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { table } from "../lib/table.mjs";

/** What the whole chain may cost a request, µs of CPU. */
const AIM = 40;

/** The policy chain in process, step by step: CPU µs above a call without steps. */
export async function policy({ count }) {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-policy-"));
  try {
    const outfile = join(folder, "steps.mjs");
    await build({
      ...{ entryPoints: [new URL("../subjects/policy-steps.ts", import.meta.url).pathname], outfile, bundle: true, logLevel: "error" },
      ...{ platform: "node", format: "esm", target: "node20" },
      alias: { "#platform": new URL("../../packages/core/src/platform/node.ts", import.meta.url).pathname },
      external: ["@orama/orama", "undici", "re2js", "ajv", "validator", "libphonenumber-js"],
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    });
    const { policySteps } = await import(pathToFileURL(outfile).href);
    const measured = await policySteps({ calls: 20_000, rounds: count });
    const rows = measured.steps.map(({ name, micros }) => [name, micros, ""]);
    table(
      "Policy, CPU µs a call above one without steps",
      ["", "µs", "aim"],
      [...rows, ["what every call passes, together", measured.chainMicros, AIM]],
    );
    return measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
