import type { OAuthTokenRow } from "../../entities/index.js";
import type { OAuthStatus } from "../../seams/index.js";
import type { OAuthServer } from "./oauth-server.js";
import type { OwnCredentials } from "./tokens/own-credentials.js";

export function statusOf(o: {
  readonly server: OAuthServer | undefined;
  readonly row: OAuthTokenRow | null;
  readonly own: OwnCredentials | null;
}): OAuthStatus {
  const { server, row, own } = o;
  const byPerson = server?.auth.grant === "authorization_code";
  const isThere = row !== null && row.state === "connected" && row.url === server?.url;
  return {
    configured: server !== undefined,
    tokenAcquired: byPerson ? isThere : own?.hasToken === true,
    expiresAtMs: row?.expiresAtMs ?? own?.expiresAtMs ?? null,
    lastRefreshedAtMs: row?.lastRefreshedAtMs ?? own?.acquiredAtMs ?? null,
    hasRefreshToken: isThere && row.refreshToken !== null,
    lastError: row?.lastError ?? own?.lastError ?? null,
    grant: server?.auth.grant ?? null,
    needsReauth: byPerson && !isThere,
    authenticatedBy: row?.authenticatedBy ?? null,
    authenticatedAtMs: row?.authenticatedAtMs ?? null,
  };
}
