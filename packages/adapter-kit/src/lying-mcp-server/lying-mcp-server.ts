import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { failure, result, said, type Asked, type Lie, type Speaker } from "./asked.js";
import { httpSpeaker, stdioSpeaker } from "./speakers.js";

export interface LyingMcpServerOptions {
  /** Which revisions it speaks when it tells the truth. */
  readonly era: "legacy" | "modern";
  /** Its tools when it tells the truth; `ok` and `effect` when left out. */
  readonly tools?: readonly object[];
  readonly lie?: Lie;
}

export interface LyingMcpServer {
  readonly url: string;
  /** A command that speaks for this server over its standard streams. Every start is a connection of its own. */
  readonly stdio: { readonly command: string; readonly args: string[] };
  /** Every message that came, in order. */
  readonly asked: readonly Asked[];
  /** How often the tool `effect` did what it does, by the `key` among its arguments. */
  readonly effects: ReadonlyMap<string, number>;
  /** Replaces the lie, from the next message on. */
  lie: Lie;
  /** How many streams and processes hear what it says unasked. */
  readonly standing: number;
  /** How many messages of a method came. */
  count(method: string): number;
  /** Says something unasked on every standing stream and to every process. */
  tell(message: string): void;
  close(): Promise<void>;
}

/** Carries lines between its standard streams and a port: a child process that has all its words from elsewhere. */
const BRIDGE =
  "const s=require('net').connect(Number(process.argv[1]),'127.0.0.1');process.stdin.pipe(s);s.pipe(process.stdout);s.on('close',()=>process.exit(0));s.on('error',()=>process.exit(1));process.stdin.on('end',()=>process.exit(0))";

const object = { type: "object" };
const TOOLS: readonly object[] = [
  { name: "ok", description: "Says fine", inputSchema: object },
  { name: "effect", description: "Does something that can be counted", inputSchema: object },
];
const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  logging: {},
};

/** A real MCP server, over Streamable HTTP and over standard streams, that tells the truth until it is told to lie. For tests alone. */
export async function lyingMcpServer(options: LyingMcpServerOptions): Promise<LyingMcpServer> {
  const asked: Asked[] = [];
  const effects = new Map<string, number>();
  const standing = new Set<Speaker>();
  const sockets = new Set<Socket>();
  const truth = truthOf(options, effects);
  const server: { lie: Lie } = { lie: options.lie ?? (() => false) };

  const hear = async (text: string, headers: Asked["headers"], say: Speaker): Promise<void> => {
    const message = JSON.parse(text) as { id?: string | number; method?: string; params?: Record<string, unknown> };
    const method = message.method ?? "";
    const nth = asked.filter((one) => one.method === method).length;
    const one: Asked = { id: message.id, method, params: message.params ?? {}, text, headers, nth };
    asked.push(one);
    const lied = await server.lie(one, say);
    if (lied === false) truth(one, say);
  };

  const http = createServer((request, response) => {
    serve(request, response, { hear, standing, era: options.era }).catch(() => response.destroy());
  });
  const tcp = createTcpServer((socket) => {
    sockets.add(socket);
    const say = stdioSpeaker(socket);
    standing.add(say);
    socket.once("close", () => (sockets.delete(socket), standing.delete(say)));
    lines(socket, (line) => void hear(line, {}, say).catch(() => socket.destroy()));
  });
  for (const each of [http, tcp]) each.listen(0, "127.0.0.1");
  await Promise.all([once(http, "listening"), once(tcp, "listening")]);
  const port = (of: { address(): AddressInfo | string | null }) => (of.address() as AddressInfo).port;

  return Object.assign(
    Object.defineProperty(server, "standing", { get: () => standing.size }) as typeof server & { readonly standing: number },
    {
      url: `http://127.0.0.1:${port(http)}/mcp`,
      stdio: { command: process.execPath, args: ["-e", BRIDGE, String(port(tcp))] },
      asked,
      effects,
      count: (method: string) => asked.filter((one) => one.method === method).length,
      tell(message: string) {
        for (const say of standing) say.sse(message);
      },
      async close() {
        for (const socket of sockets) socket.destroy();
        http.closeAllConnections();
        await Promise.all([http, tcp].map((each) => new Promise<void>((resolve) => void each.close(() => resolve()))));
      },
    },
  );
}

interface Serving {
  readonly hear: (text: string, headers: Asked["headers"], say: Speaker) => Promise<void>;
  readonly standing: Set<Speaker>;
  readonly era: LyingMcpServerOptions["era"];
}

async function serve(request: IncomingMessage, response: ServerResponse, o: Serving): Promise<void> {
  const say = httpSpeaker(response);
  if (request.method === "GET" && o.era === "legacy") {
    await say.raw(": here\n\n", "text/event-stream");
    o.standing.add(say);
    response.once("close", () => o.standing.delete(say));
    return;
  }
  if (request.method !== "POST") return void response.writeHead(405).end();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  await o.hear(Buffer.concat(chunks).toString(), request.headers, say);
}

function lines(socket: Socket, each: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part.trim() !== "") each(part);
  });
}

function truthOf(options: LyingMcpServerOptions, effects: Map<string, number>): (asked: Asked, say: Speaker) => void {
  const tools = options.tools ?? TOOLS;
  const hints = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
  const serverInfo = { name: "lying", version: "1" };
  const answers: Readonly<Record<string, (asked: Asked) => unknown>> = {
    initialize: ({ params }) => ({ protocolVersion: params["protocolVersion"], capabilities: CAPABILITIES, serverInfo }),
    "server/discover": () =>
      options.era === "legacy" ? undefined : { ...hints, supportedVersions: ["2026-07-28"], capabilities: CAPABILITIES, serverInfo },
    ping: () => ({}),
    "tools/list": () => ({ ...hints, tools }),
    "resources/list": () => ({ ...hints, resources: [{ name: "r", uri: "lying://r" }] }),
    "resources/templates/list": () => ({ ...hints, resourceTemplates: [] }),
    "prompts/list": () => ({ ...hints, prompts: [] }),
    "resources/read": ({ params }) => ({ ...hints, contents: [{ uri: params["uri"], text: "read" }] }),
    "tools/call": ({ params }) => {
      const args = (params["arguments"] ?? {}) as { key?: unknown };
      if (params["name"] !== "effect") return said("fine");
      const key = String(args.key ?? "");
      effects.set(key, (effects.get(key) ?? 0) + 1);
      return said(`done ${key}`);
    },
  };
  return (asked, say) => {
    if (asked.id === undefined || asked.method === "") return void say.end();
    if (asked.method === "subscriptions/listen") {
      const _meta = { "io.modelcontextprotocol/subscriptionId": asked.id };
      return void say.sse(
        JSON.stringify({
          jsonrpc: "2.0",
          method: "notifications/subscriptions/acknowledged",
          params: { _meta, notifications: asked.params["notifications"] ?? {} },
        }),
      );
    }
    const value = Object.hasOwn(answers, asked.method) ? answers[asked.method]?.(asked) : undefined;
    say.send(value === undefined ? failure(asked.id, -32601, "no such method") : result(asked.id, value));
  };
}
