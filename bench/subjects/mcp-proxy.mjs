// mcp-proxy (npm), stateful, as its own documentation wires it: an HTTP upstream behind one HTTP endpoint.
import { createServer } from "node:http";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Server } from "@modelcontextprotocol/server";
import { proxyServer, startHTTPServer } from "mcp-proxy";

const client = new Client({ name: "bench", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${process.env.UPSTREAM}/mcp`)));
const capabilities = client.getServerCapabilities();
const probe = createServer().listen(0, "127.0.0.1");
await new Promise((resolve) => probe.once("listening", resolve));
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));
await startHTTPServer({
  host: "127.0.0.1",
  port,
  sseEndpoint: null,
  enableJsonResponse: true,
  eventStore: false,
  createServer: async () => {
    const server = new Server({ name: "bench", version: "1" }, { capabilities });
    await proxyServer({ client, server, serverCapabilities: capabilities });
    return server;
  },
});
console.log(JSON.stringify({ port }));
