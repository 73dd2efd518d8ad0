import type { McpOAuthConfig } from "../../config/sections/mcp-auth.js";

/** A server that is signed in at by OAuth, as it was configured. */
export interface OAuthServer {
  readonly name: string;
  readonly url: string;
  /** Who named it: the operator, or somebody over HTTP. */
  readonly trust: "operator" | "remote";
  readonly auth: McpOAuthConfig;
}

/** Origins that may be private: those that the operator wrote down. What documents name is a stranger's. */
export function operatorOrigins(server: OAuthServer): ReadonlySet<string> {
  if (server.trust !== "operator") return new Set();
  const { issuer, tokenUrl, authorizationUrl } = server.auth;
  return new Set([server.url, issuer, tokenUrl, authorizationUrl].flatMap((url) => (url === undefined ? [] : [new URL(url).origin])));
}

/** Whether tokens of this issuer count at the server, and the operator's client is known there; where the operator named nobody, anybody's. A slash at the end is no other issuer. */
export function isIssuerOf({ auth }: OAuthServer, issuer: string): boolean {
  const named = auth.issuer ?? (auth.tokenUrl === undefined ? undefined : new URL(auth.tokenUrl).origin);
  return named === undefined || issuer === named || `${issuer}/` === named;
}
