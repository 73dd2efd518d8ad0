import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Child {
  readonly process: ChildProcess;
  readonly lines: readonly string[];
  /** Resolves to the first line that starts so; rejects when the process ends without one. */
  said(start: string): Promise<string>;
  /** kill -9, also of one that is frozen; resolves when it is gone. */
  kill(): Promise<void>;
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly errors: string }>;
}

const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

/** Starts a program with one argument, as JSON. It dies with the tests' process. */
export function startChild(file: string, argument: unknown): Child {
  const child = spawn(process.execPath, ["--max-semi-space-size=16", file, JSON.stringify(argument)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  alive.add(child);
  const lines: string[] = [];
  const looks = new Set<() => void>();
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-10_000)));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const look of looks) look();
  });
  const ended = once(child, "close").then(([code, signal]) => {
    alive.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, errors };
  });
  return {
    process: child,
    lines,
    ended,
    said: (start) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = lines.find((one) => one.startsWith(start));
          if (line === undefined) return;
          looks.delete(look);
          resolve(line);
        };
        looks.add(look);
        look();
        void ended.then(({ errors: why }) => {
          look();
          reject(new Error(`The process ended without saying "${start}": ${why}`));
        });
      }),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
