import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { onTestFinished } from "vitest";
import { closed } from "../proxy-harness.js";
import { oldStory } from "./http-story.js";

/** The v1 server over HTTP+SSE, as its documentation wired it in 2024: GET is the stream, and nothing else is known at that address. */
export async function sseStory(o: { readonly endpoint?: (own: string) => string } = {}) {
  const transports = new Map<string, SSEServerTransport>();
  const seen: { readonly method: string; readonly path: string; readonly headers: IncomingMessage["headers"] }[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    seen.push({ method: request.method ?? "", path: pathname, headers: request.headers });
    if (request.method === "GET" && pathname === "/sse") {
      if (o.endpoint !== undefined) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        return void response.write(`event: endpoint\ndata: ${o.endpoint("/messages")}\n\n`);
      }
      const transport = new SSEServerTransport("/messages", response);
      transports.set(transport.sessionId, transport);
      response.once("close", () => void transports.delete(transport.sessionId));
      return oldStory().connect(transport);
    }
    const transport = transports.get(searchParams.get("sessionId") ?? "");
    if (request.method !== "POST" || pathname !== "/messages" || transport === undefined) return void response.writeHead(404).end();
    return transport.handlePostMessage(request, response);
  };
  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => closed(server));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`,
    seen,
    streams: () => transports.size,
    /** Cuts every stream. */
    cut: () => server.closeAllConnections(),
    stop: () => closed(server),
  };
}
