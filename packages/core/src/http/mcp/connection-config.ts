import type { McpServerRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ConnectionConfig, Row } from "../../routes/index.js";
import { milliseconds, REDACTED } from "./connection-values.js";
import { nested, oauthBody, oauthOf } from "./oauth-settings.js";

/** A connection as the row of its server, in the names of the resource API. Errors: `validation_failed`. */
export function rowBody(
  config: ConnectionConfig,
  o: { readonly description?: string | null | undefined; readonly before: McpServerRow | null },
): Row {
  const { endpoint, connect_timeout: connect, call_timeout: call, credential: given, oauth, ...same } = nested(config);
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
