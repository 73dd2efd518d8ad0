import { onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import type { Gateway } from "../../src/gateway.js";
import { createTestGateway } from "../../src/testing/index.js";
import { ask, type Answered } from "./oauth/harness.js";

export function user(name: string, more: Partial<Caller> = {}): Caller {
  return { kind: "user", id: `user_${name}`, userId: `user_${name}`, name, projects: ["default"], grants: ["mcp:*"], ...more };
}

/** A gateway before servers that each caller signs in at; requests say who calls by a header. */
export async function gatewayOfUsers(
  servers: Readonly<Record<string, string>>,
  names: readonly string[],
  options: Omit<GatewayOptions, "mcpServers" | "auth"> & { readonly shared?: GatewayOptions["mcpServers"] } = {},
) {
  const { shared, ...rest } = options;
  const callers = new Map(names.map((name) => [name, user(name)]));
  const endpoints = { tokenUrl: "https://as.example/token", authorizationUrl: "https://as.example/authorize" };
  const auth = { type: "oauth" as const, credentials: "perUser" as const, clientId: "me", ...endpoints };
  const own = Object.fromEntries(Object.entries(servers).map(([name, url]) => [name, { url, auth }]));
  const gateway: Gateway = await createTestGateway({
    ...rest,
    mcpServers: { ...own, ...shared },
    auth: (request) => callers.get(request.header("x-test-caller") ?? "") ?? null,
  });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const callerOf = (name: string): Caller => callers.get(name)!;
  const signIn = (name: string, token: string, server = Object.keys(servers)[0]!) =>
    gateway.mcp.oauth.ingest(server, { accessToken: token }, { principal: `user_${name}` });
  return { gateway, callerOf, signIn, client: (name: string, path = "/mcp") => new UserClient(gateway, { name, path }) };
}

export interface Said {
  readonly method?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly data?: { readonly code?: string } };
  readonly params?: Readonly<Record<string, unknown>>;
}

/** An MCP client of somebody, of 2026-07-28 without a session, and of 2025-11-25 with one. */
export class UserClient {
  readonly #gateway: Gateway;
  readonly #name: string;
  readonly #path: string;
  #session: string | null = null;
  /** What came unasked over the standing stream. */
  readonly heard: Said[] = [];

  constructor(gateway: Gateway, o: { readonly name: string; readonly path: string }) {
    this.#gateway = gateway;
    this.#name = o.name;
    this.#path = o.path;
  }

  /** A session with its stream. */
  async open(): Promise<this> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } };
    const opened = await this.#post("initialize", params, {});
    this.#session = opened.headers.get("mcp-session-id");
    const headers = { accept: "text/event-stream", "mcp-session-id": this.#session!, "x-test-caller": this.#name };
    const response = await this.#gateway.fetch(new Request(`http://localhost${this.#path}`, { headers }));
    void this.#read(response);
    return this;
  }

  async rpc(method: string, params: Record<string, unknown> = {}): Promise<Said> {
    if (this.#session !== null) return (await this.#post(method, params, { "mcp-session-id": this.#session })).json() as Said;
    const _meta = {
      ...{ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} },
      ...(params["_meta"] as object | undefined),
    };
    const subject = params["name"] ?? params["uri"];
    const headers = {
      ...{ "mcp-protocol-version": "2026-07-28", "mcp-method": method },
      ...(typeof subject === "string" ? { "mcp-name": subject } : {}),
    };
    return (await this.#post(method, { ...params, _meta }, headers)).json() as Said;
  }

  /** The names in a list, of resources the URIs. */
  async list(kind: "tools" | "prompts" | "resources" = "tools"): Promise<readonly string[]> {
    const { result } = await this.rpc(`${kind}/list`);
    return (result![kind] as readonly { name: string; uri?: string }[]).map(({ name, uri }) => uri ?? name);
  }

  methods(): readonly (string | undefined)[] {
    return this.heard.map(({ method }) => method);
  }

  #post(method: string, params: Record<string, unknown>, headers: Record<string, string>): Promise<Answered> {
    const said = { "x-test-caller": this.#name, authorization: "", accept: "application/json, text/event-stream", ...headers };
    return ask(this.#gateway, ["POST", this.#path], { body: { jsonrpc: "2.0", id: 1, method, params }, headers: said });
  }

  async #read(response: Response): Promise<void> {
    const reader = response.body!.getReader();
    onTestFinished(() => reader.cancel().catch(() => undefined));
    const decoder = new TextDecoder();
    let rest = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      rest += decoder.decode(next.value, { stream: true });
      const events = rest.split("\n\n");
      rest = events.pop()!;
      for (const event of events) {
        const data = event.split("\n").find((line) => line.startsWith("data:"));
        if (data !== undefined) this.heard.push(JSON.parse(data.slice(5)) as Said);
      }
    }
  }
}
