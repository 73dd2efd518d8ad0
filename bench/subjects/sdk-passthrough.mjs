// The thin passthrough made of the official SDK's classes: a Server in front, a Client behind, stateless.
import { createServer } from "node:http";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";

const client = new Client({ name: "passthrough", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${process.env.UPSTREAM}/mcp`)));
const handler = createMcpHandler(() => {
  const server = new Server({ name: "passthrough", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", (request) => client.listTools(request.params));
  server.setRequestHandler("tools/call", (request) =>
    client.callTool({ ...request.params, name: request.params.name.replace(/^mock__/, "") }),
  );
  return server;
});
const server = createServer(toNodeHandler(handler));
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
