import type { McpServerRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { connectionRoutes, type ConnectionConfig, type RouteOutput } from "../../routes/index.js";
import type { McpServers, ServerFacts, ServerTool, Services } from "../../seams/index.js";
import { callOptions, type Exchange, type Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";
import { configOf, rowBody } from "./connection-config.js";
import { REDACTED } from "./connection-values.js";
import { authOf, nested } from "./oauth-settings.js";
import type { ServerRows } from "./server-rows.js";

type Connection = RouteOutput<typeof connectionRoutes.get>;

/** Connections to MCP servers for who administers them. What they are is of every project (T04). */
export function connectionHandlers({
  services,
  rows,
}: {
  readonly services: Services;
  readonly rows: ServerRows;
}): Readonly<Record<keyof typeof connectionRoutes, Handler>> {
  const { resources, mcpServers } = services.seams;
  const asked = (x: Exchange, verb: "read" | "write"): McpServers => {
    resources.assertEverywhere(x.caller, `servers:${verb}`);
    return mcpServers.get();
  };
  return {
    list: jsonHandler(connectionRoutes.list, async (_input, x: Exchange) => {
      const servers = await asked(x, "read").list();
      const declared = servers.filter(isDeclared);
      const stored = (await rows.all(x)).filter(({ name }) => !declared.some((one) => one.name === name));
      return { connections: [...declared.map(declaredView), ...stored.map(storedView)].sort((a, b) => (a.name < b.name ? -1 : 1)) };
    }),
    effective: jsonHandler(connectionRoutes.effective, async (_input, x: Exchange) => {
      const servers = await asked(x, "read").list();
      const stored = new Set((await rows.all(x)).map(({ name }) => name));
      return { connections: servers.map((facts) => effectiveView(facts, stored)) };
    }),
    get: jsonHandler(connectionRoutes.get, async ({ params }, x: Exchange) => {
      const facts = asked(x, "read").get(params.name);
      if (facts !== null && isDeclared(facts)) return declaredView(facts);
      return storedView(await known(rows, params.name, x));
    }),
    put: jsonHandler(connectionRoutes.put, async ({ params, body }, x: Exchange) => {
      refuseDeclared(asked(x, "write").get(params.name));
      const before = await rows.find(params.name, x);
      const row = rowBody(body.config, { description: body.description, before });
      if (before === null) await rows.create({ ...row, name: params.name }, x);
      else await rows.replace(before, row, x);
      return storedView(await known(rows, params.name, x));
    }),
    remove: jsonHandler(connectionRoutes.remove, async ({ params }, x: Exchange) => {
      refuseDeclared(asked(x, "write").get(params.name));
      await rows.remove(await known(rows, params.name, x), x);
      return { kind: params.kind, name: params.name, deleted: true as const };
    }),
    test: jsonHandler(connectionRoutes.test, ({ params, body }, x: Exchange) => {
      const servers = asked(x, "write");
      const { config } = body;
      if (config === undefined) return told(() => servers.test(params.name, callOptions(x)));
      return told(() => servers.probe(params.name, described(nested(config)), callOptions(x)));
    }),
    refresh: jsonHandler(connectionRoutes.refresh, ({ params }, x: Exchange) => {
      const servers = asked(x, "write");
      return told(async () => (await servers.refresh(params.name, callOptions(x))).tools);
    }),
    status: jsonHandler(connectionRoutes.status, async ({ params }, x: Exchange) => {
      const servers = asked(x, "read");
      const facts = servers.get(params.name);
      if (facts === null) throw noSuchConnection(params.name);
      return statusView(facts, await servers.oauth(params.name));
    }),
  };
}

const isDeclared = ({ origin }: ServerFacts): boolean => origin !== "database";

function refuseDeclared(facts: ServerFacts | null): void {
  if (facts === null || !isDeclared(facts)) return;
  throw new GatewayError("conflict", `The connection "${facts.name}" is declared in a file, or in code, and is not changed here.`, {
    hint: "Change it where it is declared.",
  });
}

async function known(rows: ServerRows, name: string, x: Exchange): Promise<McpServerRow> {
  const row = await rows.find(name, x);
  if (row === null) throw noSuchConnection(name);
  return row;
}

function noSuchConnection(name: string): GatewayError {
  return new GatewayError("not_found", `There is no connection "${name.slice(0, 100)}".`, {
    hint: "GET /api/v1/admin/connection-instances lists them.",
  });
}

/** What a connection does not do is told as what it is; what the caller may not ask stays an error. */
async function told(ask: () => Promise<readonly ServerTool[]>) {
  try {
    return { healthy: true, tools: (await ask()).map(toolView) };
  } catch (error) {
    const known = GatewayError.from(error);
    const isOurs = known.blame === "caller" && known.code !== "address_refused" && known.code !== "cancelled";
    if (isOurs || known.code === "internal" || known.code === "shutting_down") throw known;
    return { healthy: false, error: known.message };
  }
}

function toolView({ name, localName, description }: ServerTool) {
  return { name, local_name: localName, description };
}

/** In the shape of the configuration, for a server that there is not. */
function described(config: ConnectionConfig): Readonly<Record<string, unknown>> {
  const { endpoint, headers, auth_mode: mode = "none", credential, credential_header: header } = config;
  const { type = (config.command ?? null) !== null && (endpoint ?? null) === null ? "stdio" : "http" } = config;
  if (type === "stdio") return { type, command: config.command ?? "", args: config.args ?? [] };
  if (credential === REDACTED) throw new GatewayError("validation_failed", "config.credential: is sent whole to be tested", {});
  const own =
    mode === "none" || mode === "oauth" || credential === null || credential === undefined
      ? {}
      : credentialHeader(mode, credential, header);
  const sent = { ...headers, ...own };
  const auth = mode === "oauth" ? { auth: authOf(config.oauth ?? {}) } : {};
  if (type !== "openapi") return { type, url: endpoint ?? "", headers: sent, ...auth };
  const { document, base_url: baseUrl, include, exclude } = config.openapi ?? {};
  return {
    ...{ type, spec: document ?? endpoint ?? "", headers: sent },
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
}

function credentialHeader(mode: string, credential: string, header: string | null | undefined): Readonly<Record<string, string>> {
  return mode === "bearer" ? { authorization: `Bearer ${credential}` } : { [header ?? "x-api-key"]: credential };
}

function storedView(row: McpServerRow): Connection {
  const { name, description, createdBy, updatedAtMs } = row;
  const kept = { description, created_by: createdBy, updated_at: new Date(updatedAtMs).toISOString() };
  return { kind: "mcp", name, config: configOf(row), ...kept, source: "database" };
}

/** Of one that stands elsewhere no more is said than how it is reached: what it says may be a secret. */
function declaredView({ name, transport, authMode }: ServerFacts): Connection {
  const type = transport === "in-process" ? "stdio" : transport;
  const hasKey = authMode !== "none" && authMode !== "oauth";
  const config = { type, auth_mode: authMode, ...(hasKey ? { credential: REDACTED } : {}) };
  return { kind: "mcp", name, config, description: null, created_by: null, updated_at: null, source: "file" };
}

function effectiveView(facts: ServerFacts, stored: ReadonlySet<string>) {
  const { name, healthy, transport, tools } = facts;
  const fileDeclared = isDeclared(facts);
  const source: "file" | "both" | "database" = !fileDeclared ? "database" : stored.has(name) ? "both" : "file";
  return {
    ...{ kind: "mcp" as const, name, source, file_declared: fileDeclared, healthy, transport },
    tools: tools.map(({ localName }) => localName),
  };
}

function statusView(facts: ServerFacts, oauth: Awaited<ReturnType<McpServers["oauth"]>>) {
  const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    name: facts.name,
    healthy: facts.healthy,
    auth_mode: oauth.configured ? ("oauth" as const) : facts.authMode,
    tools: facts.tools.map(({ localName }) => localName),
    last_error: facts.lastError,
    last_success_at: instant(facts.lastSuccessMs),
    breaker: facts.breaker,
    in_flight: facts.inFlight,
    queued: facts.queued,
    oauth: {
      configured: oauth.configured,
      token_acquired: oauth.tokenAcquired,
      expires_at: instant(oauth.expiresAtMs),
      last_refreshed_at: instant(oauth.lastRefreshedAtMs),
      has_refresh_token: oauth.hasRefreshToken,
      last_error: oauth.lastError,
      grant: oauth.grant,
      needs_reauth: oauth.needsReauth,
      authenticated_by: oauth.authenticatedBy,
      authenticated_at: instant(oauth.authenticatedAtMs),
    },
  };
}
