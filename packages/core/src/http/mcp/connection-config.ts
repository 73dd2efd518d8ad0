import type { McpServerRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ConnectionConfig, Row } from "../../routes/index.js";

/** What stands for a credential wherever a connection is shown; sent back, it keeps the one that is stored. */
export const REDACTED = "[REDACTED]";
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A connection as the row of its server, in the names of the resource API. Errors: `validation_failed`. */
export function rowBody(
  config: ConnectionConfig,
  o: { readonly description?: string | null | undefined; readonly before: McpServerRow | null },
): Row {
  const { endpoint, connect_timeout: connect, call_timeout: call, credential: given, oauth, ...same } = config;
  if (given === REDACTED && (o.before?.credential ?? null) === null)
    throw new GatewayError("validation_failed", "config.credential: there is none that could be kept", {
      details: { field: "config.credential" },
    });
  const isNone = (config.auth_mode ?? "none") === "none";
  const credential = given === REDACTED ? undefined : given === undefined && isNone ? null : given;
  return {
    ...same,
    // Said of tools elsewhere, and not of where the server is.
    ...(o.before === null ? {} : { resilience: o.before.resilience, tools: o.before.tools, pin: o.before.pin }),
    ...(credential === undefined ? {} : { credential }),
    ...(oauth === undefined ? {} : oauthBody(oauth)),
    ...(endpoint === undefined ? {} : { url: endpoint }),
    ...(connect === undefined ? {} : { connect_timeout_ms: milliseconds(connect, "connect_timeout") }),
    ...(call === undefined ? {} : { call_timeout_ms: milliseconds(call, "call_timeout") }),
    ...(o.description === undefined ? {} : { description: o.description }),
  };
}

function oauthBody(oauth: ConnectionConfig["oauth"]): Row {
  if (oauth === null || oauth === undefined) return { oauth: null, client_secret: null };
  const { client_secret: secret, refresh_max_lifetime: lifetime, credentials, ...same } = oauth;
  const more = {
    ...(credentials === undefined ? {} : { credentials: credentials === "per_user" ? "perUser" : credentials }),
    ...(lifetime === undefined ? {} : { refresh_max_lifetime_ms: milliseconds(lifetime, "oauth.refresh_max_lifetime", 31_622_400_000) }),
  };
  return { oauth: { ...same, ...more }, ...(secret === undefined || secret === REDACTED ? {} : { client_secret: secret }) };
}

function oauthOf({ oauth, clientSecret }: McpServerRow): ConnectionConfig["oauth"] {
  if (oauth === null) return null;
  const { tokenUrl, authorizationUrl, clientId, endpointAuthStyle, refreshMaxLifetimeMs, credentials, ...same } = oauth;
  return {
    ...same,
    ...(credentials === undefined ? {} : { credentials: credentials === "perUser" ? "per_user" : credentials }),
    ...(tokenUrl === undefined ? {} : { token_url: tokenUrl }),
    ...(authorizationUrl === undefined ? {} : { authorization_url: authorizationUrl }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(endpointAuthStyle === undefined ? {} : { endpoint_auth_style: endpointAuthStyle }),
    ...(refreshMaxLifetimeMs === undefined ? {} : { refresh_max_lifetime: refreshMaxLifetimeMs / 1_000 }),
    ...(clientSecret === null ? {} : { client_secret: REDACTED }),
  };
}

function milliseconds(value: number | string | null, field: string, most = 86_400_000): number | null {
  if (value === null) return null;
  const [, amount = "", unit = "s"] = typeof value === "number" ? ["", String(value)] : (/^([\d.]+)(ms|s|m|h)$/.exec(value) ?? []);
  const ms = Math.round(Number(amount) * UNITS[unit]!);
  if (ms >= 1 && ms <= most) return ms;
  throw new GatewayError("validation_failed", `config.${field}: is not between 1 ms and ${most} ms`, {
    details: { field: `config.${field}` },
  });
}

/** The row as a connection, its credential hidden. */
export function configOf(row: McpServerRow): ConnectionConfig {
  const { baseUrl, ...openapi } = row.openapi ?? {};
  return {
    type: row.type,
    endpoint: row.url,
    command: row.command,
    args: row.args,
    headers: row.headers,
    auth_mode: row.authMode,
    credential: row.credential === null ? null : REDACTED,
    credential_header: row.credentialHeader,
    oauth: oauthOf(row),
    openapi: row.openapi === null ? null : { ...openapi, ...(baseUrl === undefined ? {} : { base_url: baseUrl }) },
    connect_timeout: row.connectTimeoutMs === null ? null : row.connectTimeoutMs / 1_000,
    call_timeout: row.callTimeoutMs === null ? null : row.callTimeoutMs / 1_000,
    trust_level: row.trustLevel,
    enabled: row.enabled,
  };
}
