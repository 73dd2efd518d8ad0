import { createServer } from "node:net";
import type { LoadedConfig } from "@sallyport/core";
import { fail, ok, type Finding } from "./finding.js";

const ASK_WITHIN_MS = 1_500;

/** Whether the port that `start` would listen on is free, and who has it if not. */
export async function checkPort({ config }: LoadedConfig): Promise<Finding[]> {
  const { host, port } = config.server;
  const address = `${host}:${port}`;
  if (port === 0) return [ok("port", `any free one on ${host}`)];
  const code = await tryListen(host, port);
  if (code === null) return [ok("port", `${address} is free`)];
  if (code === "EADDRINUSE") return [await usedBy(host, port)];
  if (code === "EACCES") return [fail("port", `${address} may not be used by this user`, "Use a port above 1023: PORT=4747")];
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return [fail("port", `${host} is no address of this machine`, "Set HOST to 127.0.0.1, or to an address that `ip addr` shows.")];
  return [fail("port", `${address} cannot be listened on (${code})`, "Set HOST and PORT to another address.")];
}

/** null: it worked. */
function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

async function usedBy(host: string, port: number): Promise<Finding> {
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${name}:${port}/health`, { signal: AbortSignal.timeout(ASK_WITHIN_MS) });
    const health = (await response.json()) as { status?: unknown; version?: unknown; tools?: unknown };
    if (typeof health.version === "string" && typeof health.tools === "number")
      return ok("port", `${host}:${port} is used by a Sallyport ${health.version} that is running (${String(health.status)})`);
  } catch {
    // Whoever it is does not answer like us: that is all we want to know.
  }
  return fail("port", `${host}:${port} is used by another program`, `Stop it, or choose another port: PORT=${port + 1}`);
}
