import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { onTestFinished } from "vitest";

const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const outDir = fileURLToPath(new URL("../../../node_modules/.cache/sallyport-test-redis/", import.meta.url));

/** A TypeScript program of a test as one file that plain Node runs, made of the sources; what npm installed stays outside. */
export async function bundled(entry: string): Promise<string> {
  const name = `${entry.replace(/\.ts$/, "")}-${process.pid}`;
  await build({
    entry: { [name]: fileURLToPath(new URL(entry, import.meta.url)) },
    ...{ outDir, format: "esm", platform: "node", target: "node20", splitting: false, sourcemap: false, clean: false },
    ...{ config: false, silent: true, dts: false },
    noExternal: [/^@sallyport\//, "#platform"],
    external: [/^(?![./#]|@sallyport\/)/],
    esbuildOptions(options) {
      options.alias = {
        "#platform": source("core/src/platform/node.ts"),
        "@sallyport/core/ports": source("core/src/ports/index.ts"),
        "@sallyport/core/entities": source("core/src/entities/index.ts"),
        "@sallyport/core/node": source("core/src/node/index.ts"),
        "@sallyport/core": source("core/src/index.ts"),
        "@sallyport/sql": source("sql/src/index.ts"),
        "@sallyport/adapters-sqlite": source("adapters-sqlite/src/index.ts"),
        "@sallyport/adapters-mysql": source("adapters-mysql/src/index.ts"),
        "@sallyport/adapters-redis": source("adapters-redis/src/index.ts"),
      };
    },
  });
  return `${outDir}${name}.js`;
}

/** A child process: its lines as they come, and how it ended. It ends with the test at the latest. */
export function child(file: string, argument: unknown, heard: (line: string) => void = () => undefined) {
  const started: ChildProcess = spawn(process.execPath, [file, JSON.stringify(argument)], { stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void started.kill("SIGKILL"));
  const lines: string[] = [];
  let errors = "";
  started.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  if (started.stdout !== null) createInterface({ input: started.stdout }).on("line", (line) => (lines.push(line), heard(line)));
  const ended = once(started, "close").then(([code]) => ({ code: code as number | null, errors }));
  return { lines, ended, kill: () => void started.kill("SIGKILL"), say: (line: string) => void started.stdin?.write(`${line}\n`) };
}
