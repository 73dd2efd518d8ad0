import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { once } from "node:events";

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** With two cores or more, the subject has core 0 to itself; load and mock vendors share core 1. */
const pinned = availableParallelism() >= 2 && process.platform === "linux";

/**
 * Starts a script that prints one JSON line (`{"port": …}`) when it is ready. `core` pins it.
 * Returns its ready line, its CPU time so far in µs, its resident memory in bytes, and how to stop it.
 */
export async function start(script, { args = [], env = {}, core = 0, nodeArgs = [], readyMs = 30_000 } = {}) {
  const argv = [...nodeArgs, script, ...args];
  const child = pinned
    ? spawn("taskset", ["-c", String(core), process.execPath, ...argv], {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      })
    : spawn(process.execPath, argv, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr = (stderr + chunk).slice(-4000)));
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      if (line.startsWith("{")) resolve(JSON.parse(line));
    });
    child.on("exit", (code) => reject(new Error(`${script} ended with ${code}: ${stderr}`)));
    setTimeout(() => reject(new Error(`${script} was not ready in ${readyMs} ms: ${stderr}`)), readyMs).unref();
  });
  const line = await ready;
  return {
    ...line,
    pid: child.pid,
    cpuMicros: () => cpuMicros(child.pid),
    residentBytes: () => residentBytes(child.pid),
    async stop() {
      running.delete(child);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
      await once(child, "exit");
      clearTimeout(killer);
    },
  };
}

/** Runs a script to its end and gives the JSON that it prints. */
export async function measure(script, args) {
  const child = spawn(
    pinned ? "taskset" : process.execPath,
    pinned ? ["-c", "1", process.execPath, script, JSON.stringify(args)] : [script, JSON.stringify(args)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  running.add(child);
  let out = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  const [code] = await once(child, "exit");
  running.delete(child);
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return JSON.parse(out);
}

/** User and system time; Linux counts it in hundredths of a second. */
export function cpuMicros(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
}
