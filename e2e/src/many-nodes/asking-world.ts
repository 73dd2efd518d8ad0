import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";

const question = {
  method: "elicitation/create" as const,
  params: { mode: "form" as const, message: "Your name?", requestedSchema: { type: "object" as const, properties: {} } },
};

/** An MCP server up to 2025-11-25 whose tools ask in the middle of their work: `ask` ends with the answer, `linger` goes on for as long as anybody waits. */
export async function askingWorld() {
  const begun: string[] = [];
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const connect = async (): Promise<StreamableHTTPServerTransport> => {
    const mcp = new McpServer({ name: "asking", version: "1" }, { capabilities: { tools: {} } });
    mcp.registerTool("ask", {}, async (extra) => {
      begun.push("ask");
      const { action } = await extra.sendRequest(question, ElicitResultSchema);
      return { content: [{ type: "text", text: action }] };
    });
    mcp.registerTool("linger", {}, async (extra) => {
      await extra.sendRequest(question, ElicitResultSchema);
      begun.push("linger");
      return new Promise(() => undefined);
    });
    const made: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, made),
    });
    await mcp.connect(made as Parameters<McpServer["connect"]>[0]);
    return made;
  };
  const server = createServer((request, response) => {
    const run = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const known = transports.get(String(request.headers["mcp-session-id"]));
      await (known ?? (await connect())).handleRequest(request, response, body === "" ? undefined : JSON.parse(body));
    };
    run().catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    begun,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
