import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { McpServer as OldServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createMcpHandler, type McpServer as NewServer } from "@modelcontextprotocol/server";
import { onTestFinished } from "vitest";
import { closed } from "../proxy-harness.js";
// @ts-expect-error the servers are plain programs, so that they also run as child processes
import * as lines from "./lines.mjs";

const { oldStory, newStory } = lines as { oldStory: () => OldServer; newStory: () => NewServer };
export { oldStory, newStory };

export interface Seen {
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function listening(handle: (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void>, port = 0) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const run = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      seen.push({ method: request.method ?? "", headers: request.headers, body });
      await handle(request, response, body);
    };
    run().catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => closed(server));
  const address = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${address.port}/mcp`, port: address.port, seen, stop: () => closed(server) };
}

/** The v1 server with sessions, answering with event streams, as its own documentation wires it. */
export function oldHttpStory(o: { readonly json?: boolean; readonly port?: number; readonly make?: () => OldServer } = {}) {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  return listening(async (request, response, body) => {
    const id = request.headers["mcp-session-id"] as string | undefined;
    let transport = id === undefined ? undefined : transports.get(id);
    if (id !== undefined && transport === undefined) {
      response
        .writeHead(404, { "content-type": "application/json" })
        .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}');
      return;
    }
    if (transport === undefined) {
      const made = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        enableJsonResponse: o.json ?? false,
        onsessioninitialized: (session) => void transports.set(session, made),
      });
      transport = made;
      await (o.make ?? oldStory)().connect(made as Parameters<OldServer["connect"]>[0]);
    }
    await transport.handleRequest(request, response, body === "" ? undefined : JSON.parse(body));
  }, o.port);
}

/** The v2 handler; `reject` serves 2026-07-28 alone. */
export async function newHttpStory(legacy: "stateless" | "reject", make: () => NewServer = newStory) {
  const shared: NewServer[] = [];
  const handler = createMcpHandler(
    () => {
      const server = make();
      shared.push(server);
      return server;
    },
    { legacy },
  );
  onTestFinished(() => handler.close());
  const made = await listening(async (request, response, body) => {
    const abort = new AbortController();
    response.once("close", () => abort.abort());
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]);
    const web = new Request(`http://${request.headers.host}${request.url}`, {
      method: request.method ?? "GET",
      headers,
      signal: abort.signal,
      ...(body === "" ? {} : { body }),
    });
    const answer = await handler.fetch(web);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body === null) response.end();
    else Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]).pipe(response);
  });
  return { ...made, handler };
}
