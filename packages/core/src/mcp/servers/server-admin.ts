import { GatewayError } from "../../errors/index.js";
import type { Caller } from "../../calls/index.js";
import type { CallOptions, FoundTool, McpServers, OAuthStatus, ServerFacts, ServerTool } from "../../seams/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { fullName } from "../catalogue/view.js";
import type { ListEntry } from "../upstream/list-entries.js";
import type { Upstream } from "../upstream/upstream.js";
import type { CallExplainer } from "../policy/explain-call.js";
import type { ToolSearch } from "../search/tool-search.js";
import { authModeOf } from "./auth-mode.js";
import type { McpOAuth } from "../oauth/mcp-oauth.js";
import type { ServerSet } from "./server-set.js";

export interface ServerAdminOptions {
  readonly servers: ServerSet;
  readonly catalogue: Catalogue;
  /** Begins what was not begun yet. */
  readonly begin: () => Promise<void>;
  /** How a server's sign-in stands; null: it has none. */
  readonly search: ToolSearch;
  readonly explainer: CallExplainer;
  readonly oauth?: ((name: string) => Promise<OAuthStatus | null>) | undefined;
  /** A target as it is looked at once, signed in at where that is possible. */
  readonly signedIn: McpOAuth["probed"];
}

const NO_OAUTH: OAuthStatus = {
  ...{ configured: false, tokenAcquired: false, expiresAtMs: null, lastRefreshedAtMs: null, hasRefreshToken: false, lastError: null },
  ...{ grant: null, needsReauth: false, authenticatedBy: null, authenticatedAtMs: null },
};
const decoder = new TextDecoder();

/** What the seam `mcpServers` is filled with. */
export class ServerAdmin implements McpServers {
  readonly #o: ServerAdminOptions;
  constructor(o: ServerAdminOptions) {
    this.#o = o;
  }

  async list(): Promise<readonly ServerFacts[]> {
    await this.#o.begin();
    await this.#o.catalogue.started();
    return this.#o.catalogue.all().map((upstream) => this.#facts(upstream));
  }

  get(name: string): ServerFacts | null {
    const upstream = this.#o.catalogue.get(name);
    return upstream === undefined ? null : this.#facts(upstream);
  }

  async ready(name: string, o: CallOptions): Promise<ServerFacts> {
    const upstream = await this.#known(name);
    await upstream.ready(o);
    return this.#facts(upstream);
  }

  async refresh(name: string, o: CallOptions): Promise<ServerFacts> {
    const upstream = await this.#known(name);
    await upstream.readAgain(o);
    return this.#facts(upstream);
  }

  async test(name: string, o: CallOptions): Promise<readonly ServerTool[]> {
    const upstream = await this.#known(name);
    const target = this.#o.signedIn(name, upstream.target, { isThere: true, caller: o.caller });
    const { tools } = await this.#o.servers.probe(target, o.signal);
    return tools.map((tool) => shown(name, tool));
  }

  async probe(name: string, described: unknown, o: CallOptions): Promise<readonly ServerTool[]> {
    const said = this.#o.servers.target(name, described as never, "remote");
    const target = this.#o.signedIn(name, said, { isThere: false, caller: o.caller });
    const { tools } = await this.#o.servers.probe(target, o.signal);
    return tools.map((tool) => shown(name, tool));
  }

  async oauth(name: string): Promise<OAuthStatus> {
    return (await this.#o.oauth?.(name)) ?? NO_OAUTH;
  }

  check(name: string, described: unknown): void {
    this.#o.servers.target(name, described as never, "remote");
  }

  search(query: string, o: { readonly caller: Caller; readonly limit: number }): Promise<readonly FoundTool[]> {
    return this.#o.search.find(query, o);
  }

  explain(call: Parameters<McpServers["explain"]>[0]): ReturnType<McpServers["explain"]> {
    return this.#o.explainer.explain(call);
  }

  async #known(name: string): Promise<Upstream> {
    await this.#o.begin();
    const upstream = this.#o.catalogue.get(name);
    if (upstream !== undefined) return upstream;
    throw new GatewayError("not_found", `There is no MCP server "${name.slice(0, 100)}".`, { hint: "GET /mcp/servers lists them." });
  }

  #facts(upstream: Upstream): ServerFacts {
    const { name, target } = upstream;
    const { transport, connected, ...rest } = upstream.status();
    const { lastError, lastSuccessMs, breaker, inFlight, queued } = rest;
    const tools = [...upstream.lists.tools.values()].map((entry) => shown(name, parsed(entry)));
    const origin = this.#o.servers.originOf(name) ?? "code";
    return {
      name,
      origin,
      transport,
      healthy: connected,
      authMode: authModeOf(target),
      tools,
      lastError,
      lastSuccessMs,
      breaker,
      inFlight,
      queued,
    };
  }
}

type Definition = Readonly<Record<string, unknown>>;
const definitions = new WeakMap<ListEntry, Definition>();

function parsed(entry: ListEntry): Definition {
  let definition = definitions.get(entry);
  if (definition === undefined) {
    definition = JSON.parse(decoder.decode(entry.raw)) as Definition;
    definitions.set(entry, definition);
  }
  return definition;
}

function shown(server: string, definition: Definition): ServerTool {
  const name = String(definition["name"]);
  const { description } = definition;
  return {
    name,
    localName: fullName(server, name),
    description: typeof description === "string" ? description : null,
    inputSchema: definition["inputSchema"] ?? {},
  };
}
