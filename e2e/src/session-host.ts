import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";

/** Servers up to 2025-11-25 on a free port, one made for each session. */
export async function sessionHost(make: () => Pick<Server, "connect">) {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const connect = async (): Promise<StreamableHTTPServerTransport> => {
    const made: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, made),
    });
    await make().connect(made as Parameters<Server["connect"]>[0]);
    return made;
  };
  const host = createServer((request, response) => {
    const run = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const known = transports.get(String(request.headers["mcp-session-id"]));
      await (known ?? (await connect())).handleRequest(request, response, body === "" ? undefined : JSON.parse(body));
    };
    run().catch(() => response.destroy());
  });
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  return {
    url: `http://127.0.0.1:${(host.address() as AddressInfo).port}/mcp`,
    close: async (): Promise<void> => {
      host.closeAllConnections();
      await new Promise((resolve) => host.close(resolve));
    },
  };
}
