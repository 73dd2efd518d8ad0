import type { Answered, Call } from "./fleet.js";

interface Message {
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}
/** The standing stream of a session. */
export interface Stream {
  /** What came so far of a kind: `tools/list_changed`. */
  said(kind: string): readonly Message[];
  readonly isOpen: () => boolean;
  close(): Promise<void>;
}

/** A client of 2025-11-25 by hand, so that each request goes to the node that the test wants. */
export class McpClient {
  readonly headers: Record<string, string>;
  readonly #call: Call;
  #ids = 0;

  private constructor(call: Call, headers: Record<string, string>) {
    this.#call = call;
    this.headers = headers;
  }

  static async open(call: Call, headers: Record<string, string>): Promise<McpClient> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
    const common = { ...headers, accept: "application/json, text/event-stream" };
    const answer = await call("POST /mcp", { jsonrpc: "2.0", id: 0, method: "initialize", params }, common);
    const id = answer.headers.get("mcp-session-id");
    if (id === null) throw new Error(`No session: ${answer.status} ${answer.text}`);
    return new McpClient(call, { ...common, "mcp-session-id": id, "mcp-protocol-version": "2025-11-25" });
  }

  /** The same session by another way. */
  at(call: Call): McpClient {
    return new McpClient(call, this.headers);
  }

  request(method: string, params: object = {}, id: string | number = ++this.#ids): Promise<Answered> {
    return this.#call("POST /mcp", { jsonrpc: "2.0", id, method, params }, this.headers);
  }

  notify(method: string, params: object): Promise<Answered> {
    return this.#call("POST /mcp", { jsonrpc: "2.0", method, params }, this.headers);
  }

  async listen(url: string): Promise<Stream> {
    const abort = new AbortController();
    const response = await fetch(`${url}/mcp`, { headers: { ...this.headers, accept: "text/event-stream" }, signal: abort.signal });
    if (response.status !== 200 || response.body === null) throw new Error(`No stream: ${response.status} ${await response.text()}`);
    const messages: Message[] = [];
    let open = true;
    const reading = (async () => {
      let text = "";
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
        text += chunk;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const data = text
            .slice(0, end)
            .split("\n")
            .find((line) => line.startsWith("data: "));
          text = text.slice(end + 2);
          if (data !== undefined && data.length > 6) messages.push(JSON.parse(data.slice(6)) as Message);
        }
      }
    })()
      .catch(() => undefined)
      .finally(() => (open = false));
    return {
      said: (kind) => messages.filter(({ method }) => method === `notifications/${kind}`),
      isOpen: () => open,
      close: async () => {
        abort.abort();
        await reading;
      },
    };
  }
}
