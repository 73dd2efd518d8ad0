interface Transport {
  onmessage?: (message: Message) => void;
  onclose?: () => void;
  start(): Promise<void>;
  send(message: object): Promise<void>;
}
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}
export type Definition = Readonly<Record<string, unknown>> & { readonly name: string };

export const tool = (name: string, more: object = {}): Definition => ({ name, inputSchema: { type: "object" }, ...more });

interface Listing {
  readonly answer?: (name: string, args: Readonly<Record<string, unknown>>) => object | Promise<object>;
  readonly prompts?: readonly string[];
  readonly ttlMs?: number;
}
type Args = Readonly<Record<string, unknown>>;

/** What it answers beside its list of tools; null: it knows no such method. */
function answerOf(method: string, params: Message["params"], o: Listing): object | null | Promise<object> {
  const capabilities = { tools: { listChanged: true }, ...(o.prompts === undefined ? {} : { prompts: {} }) };
  const name = String(params?.["name"]);
  switch (method) {
    case "server/discover":
      return o.ttlMs === undefined ? null : { ...hintsOf(o), supportedVersions: ["2026-07-28"], capabilities };
    case "initialize":
      return { protocolVersion: "2025-11-25", capabilities, serverInfo: { name: "listed", version: "1" } };
    case "ping":
      return {};
    case "prompts/list":
      return { ...hintsOf(o), prompts: (o.prompts ?? []).map((prompt) => ({ name: prompt })) };
    case "prompts/get":
      return { messages: [{ role: "user", content: { type: "text", text: `prompt ${name}` } }] };
    case "tools/call":
      return o.answer?.(name, (params?.["arguments"] ?? {}) as Args) ?? { content: [{ type: "text", text: name }] };
    default:
      return null;
  }
}

function hintsOf({ ttlMs }: Listing): object {
  return ttlMs === undefined ? {} : { resultType: "complete", ttlMs, cacheScope: "public" };
}

/** A server in this process whose lists a test says, and changes; `calls` has what it was asked to do. Of 2025-11-25, or with `ttlMs` of 2026-07-28: so long its lists may be kept. */
export function listedServer(tools: readonly Definition[], o: Listing = {}) {
  const calls: { readonly name: string; readonly arguments: unknown }[] = [];
  const clients = new Set<Transport>();
  let listed = tools;
  const answer = (method: string, params: Message["params"]) => {
    if (method === "tools/list") return { ...hintsOf(o), tools: listed };
    if (method === "tools/call") calls.push({ name: String(params?.["name"]), arguments: params?.["arguments"] });
    return answerOf(method, params, o);
  };
  const server = () => ({
    async connect(given: object): Promise<void> {
      const transport = given as Transport;
      clients.add(transport);
      transport.onclose = () => void clients.delete(transport);
      transport.onmessage = ({ id, method, params }) => {
        if (id === undefined || method === undefined) return;
        void Promise.resolve(answer(method, params)).then((result) => {
          const said = result === null ? { error: { code: -32601, message: "no" } } : { result };
          return transport.send({ jsonrpc: "2.0", id, ...said });
        });
      };
      await transport.start();
    },
  });
  return {
    server,
    calls,
    /** What it lists from now on, told to nobody. */
    listQuietly(next: readonly Definition[]): void {
      listed = next;
    },
    /** What it lists from now on, told to whoever is connected. */
    list(next: readonly Definition[]): void {
      listed = next;
      for (const client of clients) void client.send({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
    },
  };
}
