import { Gateway, GatewayError } from "@sallyport/core";
import type { Command } from "../command.js";
import type { McpOptions } from "./mcp-options.js";

/** Connects once to a server that is named here alone, by its URL or its command, and prints what it shows. Nothing is stored, and no configuration is read. */
export async function probe({ terminal }: Command, o: McpOptions): Promise<number> {
  const [first, ...args] = o.rest;
  if (first === undefined)
    throw new GatewayError("bad_request", "mcp probe needs a URL, or a command behind --.", {
      hint: "sallyport mcp probe https://example.com/mcp, or sallyport mcp probe -- npx -y <package>.",
    });
  const input = /^https?:\/\//.test(first) ? { url: first } : { command: first, args };
  const gateway = new Gateway({ mcpServers: {}, storage: { url: "memory:" }, env: {}, log: () => undefined });
  try {
    const found = await gateway.mcp.probe(input);
    if (o.json) {
      terminal.out(JSON.stringify(found, null, 2));
      return 0;
    }
    const { name = "a server", version = "" } = (found.serverInfo ?? {}) as { readonly name?: string; readonly version?: string };
    terminal.out(`${terminal.paint.bold(name)} ${version}  ${found.transport}, MCP ${found.version}`);
    for (const tool of found.tools) terminal.out(`  ${String(tool["name"])}`);
    for (const why of found.rejected) terminal.err(`${terminal.paint.yellow("!")} ${why}`);
    return 0;
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}
