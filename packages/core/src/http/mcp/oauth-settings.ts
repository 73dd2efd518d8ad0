import { GatewayError } from "../../errors/index.js";
import type { McpServerRow } from "../../entities/index.js";
import type { ConnectionConfig, Row } from "../../routes/index.js";
import { Secret } from "../../util/secret.js";
import { milliseconds, REDACTED } from "./connection-values.js";

type OAuthSettings = NonNullable<ConnectionConfig["oauth"]>;

const PREFIX = "oauth_";
const MOST_LIFETIME_MS = 31_622_400_000;

/** The one form of a connection: what stands beside `oauth` as `oauth_…` belongs in it, and goes before what it says. */
export function nested(config: ConnectionConfig): ConnectionConfig {
  const entries = Object.entries(config);
  const flat = entries.filter(([key, value]) => key.startsWith(PREFIX) && value !== undefined);
  if (flat.length === 0) return config;
  const oauth = { ...config.oauth, ...Object.fromEntries(flat.map(([key, value]) => [key.slice(PREFIX.length), value])) };
  return { ...(Object.fromEntries(entries.filter(([key]) => !key.startsWith(PREFIX))) as ConnectionConfig), oauth };
}

/** As the row of a server has it. */
export function oauthBody(oauth: ConnectionConfig["oauth"]): Row {
  if (oauth === null || oauth === undefined) return { oauth: null, client_secret: null };
  const { client_secret: secret, refresh_max_lifetime: lifetime, credentials, ...same } = oauth;
  const more = {
    ...(credentials === undefined ? {} : { credentials: credentials === "per_user" ? "perUser" : credentials }),
    ...(lifetime === undefined ? {} : { refresh_max_lifetime_ms: lifetimeMs(lifetime) }),
  };
  return { oauth: { ...same, ...more }, ...(secret === undefined || secret === REDACTED ? {} : { client_secret: secret }) };
}

/** As a connection shows it, its secret hidden. */
export function oauthOf({ oauth, clientSecret }: McpServerRow): ConnectionConfig["oauth"] {
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

/** As the configuration has it, for a server that is looked at and not stored. What stands elsewhere (`env:NAME`) is the operator's, and no caller's to name. Errors: `validation_failed`. */
export function authOf(oauth: OAuthSettings): Readonly<Record<string, unknown>> {
  const { client_secret: secret, refresh_max_lifetime: lifetime, credentials } = oauth;
  if (secret === REDACTED)
    throw new GatewayError("validation_failed", "config.oauth.client_secret: is sent whole to be tested", {
      details: { field: "config.oauth.client_secret" },
    });
  const given = {
    ...{ type: "oauth", grant: oauth.grant, issuer: oauth.issuer, scope: oauth.scope, resource: oauth.resource, prompt: oauth.prompt },
    ...{ tokenUrl: oauth.token_url, authorizationUrl: oauth.authorization_url, clientId: oauth.client_id },
    ...{ endpointAuthStyle: oauth.endpoint_auth_style, credentials: credentials === "per_user" ? "perUser" : credentials },
    clientSecret: secret === undefined || secret === null ? undefined : new Secret(secret),
    refreshMaxLifetimeMs: lifetime === undefined ? undefined : lifetimeMs(lifetime),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function lifetimeMs(lifetime: number | string): number {
  return milliseconds(lifetime, "oauth.refresh_max_lifetime", MOST_LIFETIME_MS)!;
}
