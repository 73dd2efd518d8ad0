import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** What one account is shown: names, the same of tools, prompts and resources (as `note:<name>`). */
interface Account {
  names: readonly string[];
  readonly called: string[];
  readonly read: string[];
  watched: Set<string>;
  readonly streams: Set<ServerResponse>;
}
type Params = Readonly<Record<string, unknown>>;

export interface PerUserOptions {
  /** Of 2026-07-28, with what its lists and resources say of being kept; left out: of 2025-11-25. */
  readonly hints?: { readonly ttlMs: number; readonly cacheScope: "public" | "private" };
}

const CAPABILITIES = { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { listChanged: true, subscribe: true } };

/** A server over HTTP that shows each bearer token something of its own, and says unasked what only that token's sessions are to hear. Whoever shows no token that it knows is refused. */
export async function perUserServer(o: PerUserOptions = {}): Promise<PerUserServer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const made = new PerUserServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, o);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => void made.answer(request, response));
  return made;
}

class PerUserServer {
  readonly #accounts = new Map<string, Account>();
  readonly #counts = new Map<string, number>();

  constructor(
    readonly url: string,
    readonly o: PerUserOptions,
  ) {}

  of(token: string): Account {
    const known = this.#accounts.get(token);
    if (known === undefined) throw new Error(`there is no account of ${token}`);
    return known;
  }

  /** How often the token's holder asked for this. */
  count(token: string, method: string): number {
    return this.#counts.get(`${token} ${method}`) ?? 0;
  }

  /** What the token's holder is shown from now on, told to nobody. */
  show(token: string, names: readonly string[]): void {
    const known = this.#accounts.get(token);
    if (known !== undefined) known.names = names;
    else this.#accounts.set(token, { names, called: [], read: [], watched: new Set(), streams: new Set() });
  }

  /** The token's holder hears that its lists changed. */
  changed(token: string): void {
    for (const list of ["tools", "prompts", "resources"]) this.#tell(token, `notifications/${list}/list_changed`, {});
  }
  updated(token: string, uri: string, mark: string): void {
    this.#tell(token, "notifications/resources/updated", { uri, _meta: { mark } });
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
    const account = this.#accounts.get(token);
    if (account === undefined) return void response.writeHead(401).end();
    if (request.method === "GET") return stream(account, response);
    if (request.method !== "POST") return void response.writeHead(200).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string; params?: Params };
    if (id === undefined) return void response.writeHead(202).end();
    this.#counts.set(`${token} ${method}`, this.count(token, method) + 1);
    if (method === "subscriptions/listen") return listen(account, response, { id, params });
    const result = this.#listOf(account, method) ?? this.#resultOf(account, method, params ?? {});
    const said = result === null ? { error: { code: -32601, message: "no" } } : { result };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, ...said }));
  }

  #tell(token: string, method: string, params: object): void {
    for (const one of this.of(token).streams) say(one, method, params);
  }

  #hinted(value: object): object {
    const { hints } = this.o;
    return hints === undefined ? value : { resultType: "complete", ...hints, ...value };
  }

  #listOf({ names }: Account, method: string): object | null {
    switch (method) {
      case "tools/list":
        return this.#hinted({ tools: names.map((name) => ({ name, description: `about ${name}`, inputSchema: { type: "object" } })) });
      case "prompts/list":
        return this.#hinted({ prompts: names.map((name) => ({ name })) });
      case "resources/list":
        return this.#hinted({ resources: names.map((name) => ({ uri: `note:${name}`, name })) });
      case "resources/templates/list":
        return this.#hinted({ resourceTemplates: [] });
      default:
        return null;
    }
  }

  #resultOf(account: Account, method: string, params: Params): object | null {
    const { names } = account;
    const uri = String(params["uri"]);
    const isOld = this.o.hints === undefined;
    switch (method) {
      case "server/discover":
        return isOld ? null : this.#hinted({ supportedVersions: ["2026-07-28"], capabilities: CAPABILITIES });
      case "initialize":
        return isOld ? { protocolVersion: "2025-11-25", capabilities: CAPABILITIES, serverInfo: { name: "mail", version: "1" } } : null;
      case "resources/subscribe":
        account.watched.add(uri);
        return {};
      case "resources/unsubscribe":
        account.watched.delete(uri);
        return {};
      case "resources/read":
        account.read.push(uri);
        return this.#hinted({ contents: [{ uri, text: `${names.join()} ${account.read.length}` }] });
      case "tools/call":
        account.called.push(String(params["name"]));
        return names.includes(String(params["name"]))
          ? { content: [{ type: "text", text: `${String(params["name"])} of ${names.join()}` }] }
          : { isError: true, content: [{ type: "text", text: "no such tool" }] };
      default:
        return method === "ping" ? {} : null;
    }
  }
}

function stream(account: Account, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  account.streams.add(response);
  response.once("close", () => account.streams.delete(response));
}

function listen(account: Account, response: ServerResponse, { id, params }: { id: number; params: Params | undefined }): void {
  const filter = (params?.["notifications"] ?? {}) as { resourceSubscriptions?: readonly string[] };
  account.watched = new Set(filter.resourceSubscriptions ?? []);
  stream(account, response);
  const meta = { "io.modelcontextprotocol/subscriptionId": id };
  say(response, "notifications/subscriptions/acknowledged", { _meta: meta, notifications: filter });
}

function say(stream: ServerResponse, method: string, params: object): void {
  stream.write(`data: ${JSON.stringify({ jsonrpc: "2.0", method, params })}\n\n`);
}
