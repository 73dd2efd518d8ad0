import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, table } from "../lib/table.mjs";

const root = new URL("../../", import.meta.url).pathname;

/** Cold `import "@sallyport/core"` beside an empty program, and what `npm i @sallyport/core` installs. */
export async function footprint() {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-footprint-"));
  try {
    const packed = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--pack-destination", folder, "-w", "@sallyport/core"], {
        cwd: root,
        stdio: ["ignore", "pipe", "ignore"],
      }).toString(),
    );
    writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}');
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", join(folder, packed[0].filename)], {
      cwd: folder,
      stdio: "ignore",
    });
    writeFileSync(join(folder, "empty.mjs"), "");
    writeFileSync(join(folder, "import.mjs"), 'import "@sallyport/core";');
    const time = (file) => {
      const startedAt = performance.now();
      execFileSync(process.execPath, [file], { cwd: folder });
      return performance.now() - startedAt;
    };
    const rounds = Array.from({ length: 9 }, () => ({ empty: time("empty.mjs"), core: time("import.mjs") }));
    const importMs = Math.round(median(rounds.map((round) => round.core - round.empty)));
    const modules = join(folder, "node_modules");
    const packages = readdirSync(modules).flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(modules, name)) : name.startsWith(".") ? [] : [name],
    ).length;
    const megabytes = Number((size(modules) / 1_048_576).toFixed(1));
    table(
      "Footprint of @sallyport/core",
      ["", "measured", "aim"],
      [
        ["cold import, ms over an empty program", importMs, "150"],
        ["packages installed", packages, "25"],
        ["MB installed", megabytes, "40"],
      ],
    );
    return { importMs, packages, megabytes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function size(path) {
  const stat = statSync(path);
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0) : stat.size;
}
