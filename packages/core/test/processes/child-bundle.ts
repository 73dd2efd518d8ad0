import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

const source = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const outDir = fileURLToPath(new URL("../../../../node_modules/.cache/sallyport-test-processes/", import.meta.url));

/** A TypeScript program of a test as one file that plain Node runs, made of the sources; what npm installed stays outside. */
export async function bundled(entry: string): Promise<string> {
  const name = `${basename(entry, ".ts")}-${process.pid}`;
  await build({
    entry: { [name]: fileURLToPath(new URL(entry, import.meta.url)) },
    outDir,
    format: "esm",
    platform: "node",
    target: "node20",
    splitting: false,
    sourcemap: false,
    clean: false,
    config: false,
    silent: true,
    dts: false,
    noExternal: [/^@sallyport\//, "#platform"],
    external: [/^(?![./#]|@sallyport\/)/],
    esbuildOptions(options) {
      options.alias = {
        "#platform": source("core/src/platform/node.ts"),
        "@sallyport/core/ports": source("core/src/ports/index.ts"),
        "@sallyport/core/entities": source("core/src/entities/index.ts"),
        "@sallyport/core": source("core/src/index.ts"),
        "@sallyport/sql": source("sql/src/index.ts"),
        "@sallyport/adapters-sqlite": source("adapters-sqlite/src/index.ts"),
      };
    },
  });
  return `${outDir}${name}.js`;
}

export interface Child {
  readonly process: ChildProcess;
  readonly lines: readonly string[];
  /** Resolves when it has written a line that starts so; rejects when it ends without. */
  said(start: string): Promise<string>;
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly errors: string }>;
}

/** Starts a program with one argument, as JSON. */
export function startChild(file: string, argument: unknown): Child {
  const child = spawn(process.execPath, ["--enable-source-maps", file, JSON.stringify(argument)], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  let errors = "";
  let look = (): void => undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    look();
  });
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    errors,
  }));
  return {
    process: child,
    lines,
    ended,
    said: (start) =>
      new Promise((resolve, reject) => {
        look = () => {
          const line = lines.find((one) => one.startsWith(start));
          if (line !== undefined) resolve(line);
        };
        look();
        void ended.then(() => {
          look();
          reject(new Error(`The process ended without saying "${start}": ${errors}`));
        });
      }),
  };
}
