import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** As it is installed: the built file, in a process of its own. `npm test` builds it first. */
const bin = fileURLToPath(new URL("../bin/sallyport.js", import.meta.url));
const folders: string[] = [];
const running = new Map<ChildProcessWithoutNullStreams, Promise<Finished>>();

afterAll(async () => {
  for (const child of running.keys()) child.kill("SIGKILL");
  await Promise.all(running.values());
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-cli-"));
  folders.push(folder);
  return folder;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves with what was printed so far once it matches. Rejects when the command ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  readonly finished: Promise<Finished>;
}

/** Only what a shell needs, and what the test gives: no key of whoever runs the tests. */
export function run(
  args: readonly string[],
  o: { readonly cwd: string; readonly env?: Record<string, string>; readonly node?: readonly string[] },
): Running {
  const env = { PATH: process.env["PATH"] ?? "", HOME: o.cwd, NO_COLOR: "1", ...o.env };
  const child = spawn(process.execPath, [...(o.node ?? []), bin, ...args], { cwd: o.cwd, env });
  let out = "";
  let err = "";
  const waiting = new Set<() => void>();
  const tell = (): void => {
    for (const look of waiting) look();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => ((out += text), tell()));
  child.stderr.setEncoding("utf8").on("data", (text: string) => ((err += text), tell()));
  const finished = (once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>).then(([code, signal]): Finished => {
    running.delete(child);
    return { code, signal, out, err };
  });
  running.set(child, finished);
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(out);
        if (match === null) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      void finished.then(() => reject(new Error(`it ended before it printed ${String(pattern)}:\n${out}\n${err}`)));
      look();
    });
  return { child, printed, finished };
}

/** A gateway started on a free port, ready for requests. */
export async function started(o: {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
}): Promise<Running & { readonly url: string }> {
  const command = run(["start", ...(o.args ?? [])], { cwd: o.cwd, env: { PORT: "0", ...o.env } });
  const [, url] = await command.printed(/listens on (http:\/\/\S+)[\s\S]*Ctrl-C stops it/);
  return { ...command, url: url ?? "" };
}

export async function stop(command: Running, signal: NodeJS.Signals = "SIGINT"): Promise<Finished> {
  command.child.kill(signal);
  return command.finished;
}
