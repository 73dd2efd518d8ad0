import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

/** An MCP server with sessions whose connections can be spoken to one by one: what it says to one node, the others do not hear from it. */
export class McpWorld {
  readonly #connections: { readonly mcp: McpServer; readonly transport: StreamableHTTPServerTransport }[] = [];
  readonly #server: Server;
  readonly paid: unknown[] = [];
  /** Calls of the slow tool that have begun. */
  slow = 0;
  #tools = 0;
  url = "";

  private constructor() {
    this.#server = createServer((request, response) => {
      const run = async (): Promise<void> => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const id = request.headers["mcp-session-id"];
        const known = this.#connections.find(({ transport }) => transport.sessionId === id);
        const { transport } = id === undefined || known === undefined ? await this.#connect() : known;
        const body = Buffer.concat(chunks).toString();
        await transport.handleRequest(request, response, body === "" ? undefined : JSON.parse(body));
      };
      run().catch(() => response.destroy());
    });
  }

  static async open(): Promise<McpWorld> {
    const world = new McpWorld();
    world.#server.listen(0, "127.0.0.1");
    await once(world.#server, "listening");
    world.url = `http://127.0.0.1:${(world.#server.address() as AddressInfo).port}/mcp`;
    return world;
  }

  /** Those that were greeted: what only asked whether the server is a newer one is none. */
  get #greeted() {
    return this.#connections.filter(({ transport }) => transport.sessionId !== undefined);
  }

  get connections(): number {
    return this.#greeted.length;
  }

  /** From now on there is one tool more; one connection alone is told. */
  async grow(toldTo: number): Promise<string> {
    const name = `grown_${++this.#tools}`;
    for (const { mcp } of this.#connections) {
      // Registering would tell everybody: so does the real world not.
      mcp.sendToolListChanged = () => undefined;
      mcp.registerTool(name, { description: "Grown." }, () => ({ content: [{ type: "text", text: name }] }));
    }
    await this.#greeted[toldTo]!.mcp.server.sendToolListChanged();
    return name;
  }

  /** The resource changed; one connection alone is told. */
  touch(toldTo: number): Promise<void> {
    return this.#greeted[toldTo]!.mcp.server.sendResourceUpdated({ uri: "story://one" });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #connect() {
    const mcp = new McpServer(
      { name: "story", version: "1" },
      { capabilities: { resources: { subscribe: true, listChanged: true }, tools: { listChanged: true } } },
    );
    mcp.registerTool("pay", { description: "Pays.", inputSchema: { amount: z.number() } }, (args) => {
      this.paid.push(args);
      return { content: [{ type: "text", text: "paid" }] };
    });
    mcp.registerTool("slow", { description: "Takes long." }, (extra) => {
      this.slow++;
      const { signal } = extra as { signal: AbortSignal };
      return new Promise((resolve) => {
        const end = (text: string) => resolve({ content: [{ type: "text", text }] });
        const timer = setTimeout(() => end("slept"), 100_000).unref();
        signal.addEventListener("abort", () => (clearTimeout(timer), end("ended")));
      });
    });
    for (let i = 1; i <= this.#tools; i++)
      mcp.registerTool(`grown_${i}`, { description: "Grown." }, () => ({ content: [{ type: "text", text: `grown_${i}` }] }));
    mcp.registerResource("one", "story://one", {}, () => ({ contents: [{ uri: "story://one", text: "one" }] }));
    mcp.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
    mcp.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID() });
    await mcp.connect(transport as Parameters<McpServer["connect"]>[0]);
    const made = { mcp, transport };
    this.#connections.push(made);
    return made;
  }
}
