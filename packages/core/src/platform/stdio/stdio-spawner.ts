import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { statSync } from "node:fs";
import { GatewayError } from "../../errors/index.js";
import { Secret, type McpSpawner, type StdioServer, type Within } from "../../ports/index.js";
import { GroupWatch } from "./group-watch.js";
import { StdioWire } from "./stdio-wire.js";

export interface StdioSpawnerOptions {
  /** One message from a server; a longer one ends it. 64 MiB when left out. */
  readonly maxMessageBytes?: number | undefined;
  /** How much of the end of the error output is kept. 16 KiB when left out. */
  readonly stderrBytes?: number | undefined;
  /** How long a server that is closed may take to end by itself, then after SIGTERM. 2 s each when left out. */
  readonly graceMs?: number | undefined;
}

/** What a program needs to start at all, and nothing that might be a credential. */
const inherited =
  process.platform === "win32"
    ? [
        "APPDATA",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "PATH",
        "PATHEXT",
        "PROCESSOR_ARCHITECTURE",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "USERNAME",
        "USERPROFILE",
      ]
    : ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"];

/** Every child of this process that still runs: none may outlive it. */
const running = new Set<StdioWire>();
let watching = false;
/** Ends them when this process is killed and can do nothing itself. */
const watch = new GroupWatch();

/**
 * Starts stdio servers without a shell, each in a process group of its own, with only the configured environment and what a program needs to start. A server that is
 * closed first has its input closed, then gets SIGTERM, then SIGKILL, the whole group; when this process exits, or is killed, what still runs ends with it.
 * Errors: `misconfigured` naming the command when it does not exist or may not be run, or the directory does not exist; `upstream_unavailable` when the system can't start it.
 */
export function stdioSpawner(options: StdioSpawnerOptions = {}): McpSpawner {
  const settings = {
    maxMessageBytes: options.maxMessageBytes ?? 67_108_864,
    stderrBytes: options.stderrBytes ?? 16_384,
    graceMs: options.graceMs ?? 2_000,
  };
  return {
    async open(server, within) {
      const child = start(server);
      const { pid } = child;
      // Before anything is waited for: from here on it does not outlive us.
      if (pid !== undefined) watch.add(pid);
      const onExit = (): void => {
        running.delete(wire);
        if (pid !== undefined) watch.remove(pid);
      };
      try {
        await started(child, server, within);
      } catch (error) {
        if (pid !== undefined) watch.remove(pid);
        throw error;
      }
      const wire: StdioWire = new StdioWire(child, { ...settings, command: server.command, onExit });
      running.add(wire);
      killAllOnExit();
      return wire;
    },
  };
}

function start(server: StdioServer): ChildProcessWithoutNullStreams {
  if (server.cwd !== undefined && statSync(server.cwd, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new GatewayError("misconfigured", `The directory "${server.cwd}" in which "${server.command}" is to run does not exist.`, {
      hint: "Correct or remove cwd.",
    });
  try {
    return spawn(server.command, server.args, {
      shell: false,
      // A group of its own: what the server starts ends with it, and a Ctrl-C in our terminal does not reach it before we have closed it.
      detached: process.platform !== "win32",
      windowsHide: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: environment(server.env),
      ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
    });
  } catch (error) {
    throw notStarted(error, server);
  }
}

function environment(configured: StdioServer["env"]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    // A value that begins so is a shell function, which a shell in the child would run.
    if (value !== undefined && !value.startsWith("()")) env[name] = value;
  }
  for (const [name, value] of Object.entries(configured)) env[name] = value instanceof Secret ? value.reveal() : value;
  return env;
}

function started(child: ChildProcessWithoutNullStreams, server: StdioServer, within: Within): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      child.kill("SIGKILL");
      reject(new GatewayError("cancelled", "The start of the server was cancelled."));
    };
    within.signal?.addEventListener("abort", onAbort, { once: true });
    child.once("spawn", () => {
      within.signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    child.once("error", (error) => {
      within.signal?.removeEventListener("abort", onAbort);
      reject(notStarted(error, server));
    });
  });
}

function notStarted(error: unknown, server: StdioServer): GatewayError {
  const code = (error as NodeJS.ErrnoException).code;
  const options = { cause: error, details: { command: server.command, cause: code ?? "unknown" } };
  if (code === "ENOENT")
    return new GatewayError("misconfigured", `The command "${server.command}" was not found.`, {
      ...options,
      hint: "Install it, or give its full path; look at PATH.",
    });
  if (code === "EACCES" || code === "EPERM")
    return new GatewayError("misconfigured", `The command "${server.command}" may not be run.`, {
      ...options,
      hint: "Check that it is an executable file.",
    });
  if (code?.startsWith("ERR_INVALID") === true)
    return new GatewayError(
      "misconfigured",
      `The command "${server.command}", its arguments or its environment can't be passed to a process.`,
      {
        ...options,
        hint: "Look for a NUL character.",
      },
    );
  return new GatewayError("upstream_unavailable", `The command "${server.command}" could not be started (${code ?? "unknown"}).`, options);
}

function killAllOnExit(): void {
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const wire of running) wire.kill("SIGKILL");
  });
}
