import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Issued } from "./grants.js";

export interface ProtectedMcpServer {
  readonly origin: string;
  readonly url: string;
  /** The authorization servers that its metadata names; empty: it has no such metadata. */
  authorizationServers: readonly string[];
  /** What a token stands for; null: it is not valid. */
  look: (token: string) => Issued | null;
  /** In the place of its own address in that metadata. */
  resource: string | undefined;
  /** What `tools/call` wants beside a valid token; undefined: nothing. */
  scope: string | undefined;
  /** Its metadata is named in challenges. */
  namesMetadata: boolean;
  /** Header and body of each request to its endpoint. */
  readonly seen: readonly {
    readonly method: string;
    readonly authorization: string | undefined;
    readonly session: string | undefined;
    readonly headers: string;
    readonly body: string;
  }[];
  /** Calls that were really done. */
  readonly done: readonly { readonly tool: string; readonly token: string }[];
  close(): Promise<void>;
}

export interface ProtectedMcpServerOptions {
  /** `sse`: HTTP with SSE, of 2024-11-05. */
  readonly transport?: "http" | "sse";
}

/** An MCP server (2025-11-25, Streamable HTTP with sessions, or HTTP+SSE) that takes only who shows a token that `look` knows. Its one tool, `whoami`, tells whose token it was shown, and quotes the token when it is asked to. */
export async function protectedMcpServer(
  look: (token: string) => Issued | null,
  { transport = "http" }: ProtectedMcpServerOptions = {},
): Promise<ProtectedMcpServer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new Protected(server, { look, origin, path: transport === "sse" ? "/sse" : "/mcp" });
}

interface Rpc {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: Readonly<Record<string, unknown>> };
}

class Protected implements ProtectedMcpServer {
  authorizationServers: readonly string[] = [];
  resource: string | undefined;
  scope: string | undefined;
  namesMetadata = true;
  readonly seen: { method: string; authorization: string | undefined; session: string | undefined; headers: string; body: string }[] = [];
  readonly done: { tool: string; token: string }[] = [];
  look: (token: string) => Issued | null;
  readonly origin: string;
  readonly #path: string;
  /** Of HTTP+SSE, by session. */
  readonly #streams = new Map<string, ServerResponse>();
  #sessions = 0;

  constructor(
    readonly server: Server,
    o: { readonly look: (token: string) => Issued | null; readonly origin: string; readonly path: string },
  ) {
    this.look = o.look;
    this.origin = o.origin;
    this.#path = o.path;
    server.on("request", (request, response) => void this.#answer(request, response).catch(() => response.destroy()));
  }

  get url(): string {
    return `${this.origin}${this.#path}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { pathname: path, searchParams } = new URL(request.url ?? "/", this.origin);
    const stream = path === "/messages" ? this.#streams.get(searchParams.get("session") ?? "") : undefined;
    if (path.startsWith("/.well-known/oauth-protected-resource")) return this.#metadata(response);
    if (path !== this.#path && stream === undefined) return void response.writeHead(404).end();
    const { authorization } = request.headers;
    const session = request.headers["mcp-session-id"]?.toString();
    this.seen.push({ method: request.method ?? "", authorization, session, headers: JSON.stringify(request.rawHeaders), body });
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "";
    const issued = this.look(token);
    if (issued === null) return this.#challenge(response, 401, authorization === undefined ? "" : 'error="invalid_token"');
    if (request.method === "GET" && path === "/sse") return this.#open(response);
    if (request.method !== "POST" || path === "/sse") return void response.writeHead(request.method === "DELETE" ? 200 : 405).end();
    const rpc = JSON.parse(body) as Rpc;
    if (rpc.id === undefined) return void response.writeHead(202).end();
    if (rpc.method === "tools/call" && this.scope !== undefined && !(issued.scope ?? "").split(" ").includes(this.scope))
      return this.#challenge(response, 403, `error="insufficient_scope", scope="${this.scope}"`);
    const result = this.#result(rpc, { token, issued });
    const answer = result === null ? { error: { code: -32601, message: "unknown method" } } : { result };
    const message = JSON.stringify({ jsonrpc: "2.0", id: rpc.id, ...answer });
    if (stream !== undefined) {
      stream.write(`event: message\ndata: ${message}\n\n`);
      return void response.writeHead(202).end();
    }
    const headers = {
      "content-type": "application/json",
      ...(rpc.method === "initialize" ? { "mcp-session-id": `session-${++this.#sessions}` } : {}),
    };
    response.writeHead(200, headers).end(message);
  }

  #open(response: ServerResponse): void {
    const session = `session-${++this.#sessions}`;
    this.#streams.set(session, response);
    response.once("close", () => this.#streams.delete(session));
    response.writeHead(200, { "content-type": "text/event-stream" }).write(`event: endpoint\ndata: /messages?session=${session}\n\n`);
  }

  #metadata(response: ServerResponse): void {
    if (this.authorizationServers.length === 0) return void response.writeHead(404).end();
    const document = { resource: this.resource ?? this.url, authorization_servers: this.authorizationServers, scopes_supported: ["tools"] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
  }

  #challenge(response: ServerResponse, status: number, why: string): void {
    const where = this.namesMetadata ? `resource_metadata="${this.origin}/.well-known/oauth-protected-resource${this.#path}"` : "";
    const said = [where, why].filter((part) => part !== "").join(", ");
    response.writeHead(status, { "www-authenticate": `Bearer ${said}`, "content-type": "application/json" }).end("{}");
  }

  #result(rpc: Rpc, shown: { readonly token: string; readonly issued: Issued }): object | null {
    switch (rpc.method) {
      case "initialize":
        return { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "protected", version: "1.0.0" } };
      case "ping":
        return {};
      case "tools/list":
        return { tools: [{ name: "whoami", inputSchema: { type: "object" } }] };
      case "tools/call": {
        this.done.push({ tool: rpc.params?.name ?? "", token: shown.token });
        const { clientId, grant, scope, resource, subject } = shown.issued;
        const quoted = rpc.params?.arguments?.["quote"] === true ? ` ${shown.token}` : "";
        return { content: [{ type: "text", text: JSON.stringify({ clientId, grant, scope, resource, subject }) + quoted }] };
      }
      default:
        return null;
    }
  }
}
