import { Gateway, type LoadedConfig } from "@sallyport/core";
import { fail, failed, ok, warn, type Finding } from "./finding.js";

type ServerConfig = NonNullable<LoadedConfig["config"]["mcpServers"]>[string];

/** What a server has to come up, greet and list its tools: a person waits for the report. */
const PROBE_MS = 10_000;

/** Connects to each MCP server once, all side by side, and leaves nothing behind. A server that is down, or silent for 10 s, fails alone. */
export async function checkServers({ config }: LoadedConfig): Promise<Finding[]> {
  if (config.mcpServers === undefined) return [ok("mcp demo", "the server that ships with Sallyport (mcpServers is left out)")];
  const names = Object.keys(config.mcpServers);
  if (names.length === 0) return [ok("mcp servers", "none (mcpServers is empty)")];
  const gateway = new Gateway({ ...config, mcpServers: {}, namespaces: {}, storage: { url: "memory:" }, env: {}, log: () => undefined });
  try {
    return await Promise.all(Object.entries(config.mcpServers).map(([name, server]) => probe(gateway, name, server)));
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}

async function probe(gateway: Gateway, name: string, server: ServerConfig): Promise<Finding> {
  const area = `mcp ${name}`;
  const startedAtMs = performance.now();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PROBE_MS);
  try {
    const found = await gateway.mcp.probe(server, { signal: late.signal });
    const took = `${Math.round(performance.now() - startedAtMs)} ms`;
    const what = `${found.transport}, revision ${found.version}, ${found.tools.length} tools, ${took}`;
    if (found.rejected.length === 0) return ok(area, what);
    return warn(
      area,
      `${what}; ${found.rejected.length} left out: ${found.rejected[0] ?? ""}`,
      "Ask the server's author to mend its tools.",
    );
  } catch (error) {
    return late.signal.aborted ? silent(name, server) : failed(area, error);
  } finally {
    clearTimeout(timer);
  }
}

/** Neither arguments nor a path: they may hold a secret. */
function silent(name: string, server: ServerConfig): Finding {
  const within = `within ${PROBE_MS / 1000} s`;
  if ("spec" in server)
    return fail(
      `mcp ${name}`,
      `its OpenAPI document was not read ${within}`,
      `Correct mcpServers.${name}.spec, or take it out; the gateway starts without it.`,
    );
  return "url" in server
    ? fail(
        `mcp ${name}`,
        `${new URL(server.url).origin} did not answer as an MCP server ${within}`,
        `Look at its own log, correct mcpServers.${name}.url, or take it out; the gateway starts without it.`,
      )
    : fail(
        `mcp ${name}`,
        `"${server.command}" was started but did not answer as an MCP server ${within}`,
        `Run its command by hand: it has to speak MCP on standard input and output. Correct mcpServers.${name}, or take it out; the gateway starts without it.`,
      );
}
