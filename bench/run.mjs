// npm run bench [-- scenario …] [--rounds N] [--seconds S]: prints tables with ratios, and writes results/<date>.json.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

const here = new URL("./", import.meta.url);
if (!existsSync(new URL("node_modules", here))) {
  console.log("Installing the peers that this measures beside …");
  execFileSync("npm", ["install", "--no-audit", "--no-fund"], { cwd: here.pathname, stdio: "inherit" });
}
execFileSync(process.execPath, [new URL("../tools/build.mjs", here).pathname, "--js"], { stdio: "inherit" });

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    // Of `stores`: rows that are read from. Of `stores` and `mcp`: which of its parts, with commas between them.
    rows: { type: "string", default: "1000000" },
    only: { type: "string" },
  },
});
const all = ["chat", "stream", "translate", "mcp", "policy", "stores", "footprint"];
const chosen = positionals.length === 0 ? all : positionals;
const options = { count: Number(values.rounds), seconds: Number(values.seconds), rows: Number(values.rows), only: values.only };
const results = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0].model, cores: cpus().length, ...options };
for (const name of chosen) {
  if (!all.includes(name)) throw new Error(`There is no scenario "${name}": choose from ${all.join(", ")}.`);
  const scenario = await import(`./scenarios/${name}.mjs`);
  results[name] = await scenario[name](options);
}
mkdirSync(new URL("results/", here), { recursive: true });
const file = new URL(`results/${results.date.slice(0, 10)}-${chosen.join("-")}.json`, here);
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(`\nWritten to bench/results/${file.pathname.split("/").at(-1)}`);
process.exit(0);
