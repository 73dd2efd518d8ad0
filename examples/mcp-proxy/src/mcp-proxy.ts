import { createRequire } from "node:module";
import { join } from "node:path";
import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { Gateway } from "@sallyport/core";

/** The reference server for files, as it is installed here. With npx it is `command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", folder]`. */
const filesystem = join(createRequire(import.meta.url).resolve("@modelcontextprotocol/server-filesystem/package.json"), "../dist/index.js");

/** A server whose one tool is a function of this program. A fresh one for every connection. */
function greeter(): McpServer {
  const server = new McpServer({ name: "greeter", version: "1.0.0" });
  server.registerTool("greet", { description: "Greets somebody", inputSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    content: [{ type: "text", text: `Hello, ${name}` }],
  }));
  return server;
}

/** Two servers behind one address: `files__…` from a process of its own that sees one folder, `greeter__greet` from this program. */
export async function createProxy(o: { readonly folder: string; readonly ownerKey: string }): Promise<Gateway> {
  const gateway = new Gateway({
    ownerKey: o.ownerKey,
    mcpServers: { files: { command: process.execPath, args: [filesystem, o.folder] } },
  });
  await gateway.mcp.connect("greeter", { server: greeter });
  await gateway.start();
  return gateway;
}
