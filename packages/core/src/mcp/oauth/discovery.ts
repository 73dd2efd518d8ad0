import type { AuthorizationServerMetadata, OAuthProtectedResourceMetadata } from "@modelcontextprotocol/client";
import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient } from "../../ports/index.js";
import { utf8 } from "../frames/splice.js";
import { headerOf } from "../lanes/http-headers.js";
import { hintOf, type Hint } from "./challenge.js";
import { assertOAuthUrl, guardedFetch, invalidMetadata, type GuardedFetch } from "./guarded-fetch.js";
import { operatorOrigins, type OAuthServer } from "./oauth-server.js";

type Sdk = typeof import("@modelcontextprotocol/client");

/** An authorization server, and what is asked of it for one MCP server. */
export interface Authority {
  readonly issuer: string;
  readonly metadata: AuthorizationServerMetadata;
  /** Written down by the operator, and not read from a document. */
  readonly byHand: boolean;
  /** RFC 8707; undefined: none is sent. */
  readonly resource: string | undefined;
  /** What the server says it needs. */
  readonly scope: string | undefined;
}

const KEPT_MS = 3_600_000;
const CHALLENGE_MS = 10_000;
const PLAIN: Headers = [
  ["content-type", "application/json"],
  ["accept", "application/json, text/event-stream"],
];
/** The most harmless of what a server can be asked. */
const PING = utf8('{"jsonrpc":"2.0","id":0,"method":"ping"}');

/**
 * Who issues tokens for a server: as it is configured, or by protected-resource metadata (RFC 9728) and authorization-server metadata (RFC 8414, or OpenID Connect's), read by the SDK. What was read counts for an
 * hour, so that a metadata server that is down is not needed for each token; a failure is not kept.
 */
export class Discovery {
  readonly #o: { readonly http: HttpClient; readonly clock: Clock };
  readonly #kept = new Map<string, { readonly atMs: number; readonly authority: Promise<Authority> }>();

  constructor(options: { readonly http: HttpClient; readonly clock: Clock }) {
    this.#o = options;
  }

  /** For a new sign-in. Errors: `upstream_protocol`, `upstream_unavailable`, `upstream_timeout`. */
  of(server: OAuthServer, hint: Hint = {}): Promise<Authority> {
    return this.#keep(`${server.name}\n${server.url}\n${server.auth.issuer ?? ""}\n${hint.resourceMetadataUrl?.href ?? ""}`, () =>
      this.#read(server, hint),
    );
  }

  /** What the server says of signing in to a request without a token: where its metadata are may stand nowhere else, and which scope it wants first. Nothing, when it can't be asked. */
  async challengeOf(server: OAuthServer): Promise<Hint> {
    const { http, clock } = this.#o;
    const trust = server.trust === "operator" ? "operator" : "untrusted";
    const deadlineMs = clock.now() + CHALLENGE_MS;
    try {
      const sent = { method: "POST", url: server.url, headers: PLAIN, body: PING, trust, idleMs: CHALLENGE_MS } as const;
      const answer = await http.exchange(sent, { deadlineMs });
      answer.discard();
      const { resourceMetadataUrl, scope } = await hintOf({
        status: answer.status,
        wwwAuthenticate: answer.status === 401 ? headerOf(answer.headers, "www-authenticate") : undefined,
      });
      return { resourceMetadataUrl, scope };
    } catch {
      // Without it the well-known places are looked at.
      return {};
    }
  }

  /** The server that issued a token, whatever the MCP server says today. Errors: as of `of`. */
  byIssuer(server: OAuthServer, issuer: string): Promise<Authority> {
    const byHand = handWritten(server);
    if (byHand !== null && byHand.issuer === issuer) return Promise.resolve(byHand);
    return this.#keep(`${server.name}\n${issuer}`, async () => {
      const sdk = await import("@modelcontextprotocol/client");
      return { ...(await this.#metadata(sdk, server, issuer)), resource: undefined, scope: undefined };
    });
  }

  /** What was read of a server is read anew. */
  forget(server: string): void {
    for (const key of this.#kept.keys()) if (key.startsWith(`${server}\n`)) this.#kept.delete(key);
  }

  fetchFor(server: OAuthServer): GuardedFetch {
    return guardedFetch({ ...this.#o, operatorOrigins: operatorOrigins(server) });
  }

  #keep(key: string, read: () => Promise<Authority>): Promise<Authority> {
    const nowMs = this.#o.clock.now();
    const kept = this.#kept.get(key);
    if (kept !== undefined && nowMs - kept.atMs < KEPT_MS) return kept.authority;
    const entry = { atMs: nowMs, authority: told(read) };
    this.#kept.set(key, entry);
    entry.authority.catch(() => {
      if (this.#kept.get(key) === entry) this.#kept.delete(key);
    });
    return entry.authority;
  }

  async #read(server: OAuthServer, hint: Hint): Promise<Authority> {
    const byHand = handWritten(server);
    if (byHand !== null) return byHand;
    const sdk = await import("@modelcontextprotocol/client");
    const { issuer, resource } = server.auth;
    const said = issuer === undefined ? await this.#protectedResource(sdk, server, hint) : undefined;
    const named = issuer ?? said?.authorization_servers?.[0] ?? new URL("/", server.url).href;
    const found = await this.#metadata(sdk, server, named);
    const meant = resource ?? said?.resource ?? sdk.resourceUrlFromServerUrl(server.url).href;
    return { ...found, resource: meant === "none" ? undefined : meant, scope: said?.scopes_supported?.join(" ") };
  }

  /** undefined: the server has none, as up to 2025-03-26, where it is its own authorization server. */
  async #protectedResource(sdk: Sdk, server: OAuthServer, hint: Hint): Promise<OAuthProtectedResourceMetadata | undefined> {
    const guarded = this.fetchFor(server);
    let said: OAuthProtectedResourceMetadata;
    try {
      const given = hint.resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl: hint.resourceMetadataUrl };
      said = await sdk.discoverOAuthProtectedResourceMetadata(server.url, given, guarded.fetch);
    } catch (error) {
      const status = guarded.seen()?.status;
      if (!GatewayError.is(error) && status !== undefined && status >= 400 && status < 500) return undefined;
      throw error;
    }
    const requestedResource = sdk.resourceUrlFromServerUrl(server.url);
    if (!sdk.checkResourceAllowed({ requestedResource, configuredResource: said.resource }))
      throw invalidMetadata("the server's protected-resource metadata is of another resource", "resource");
    return said;
  }

  async #metadata(sdk: Sdk, server: OAuthServer, issuer: string): Promise<Pick<Authority, "issuer" | "metadata" | "byHand">> {
    const origins = operatorOrigins(server);
    assertOAuthUrl(issuer, origins);
    const metadata = await sdk.discoverAuthorizationServerMetadata(issuer, { fetchFn: this.fetchFor(server).fetch });
    if (metadata === undefined) throw invalidMetadata("the authorization server publishes no metadata", "no_metadata");
    const { authorization_endpoint, token_endpoint, registration_endpoint } = metadata;
    for (const url of [authorization_endpoint, token_endpoint, registration_endpoint]) if (url !== undefined) assertOAuthUrl(url, origins);
    return { issuer: metadata.issuer, metadata, byHand: false };
  }
}

/** null: it is to be discovered. */
function handWritten(server: OAuthServer): Authority | null {
  const { tokenUrl, authorizationUrl, issuer, resource } = server.auth;
  if (tokenUrl === undefined) return null;
  const name = issuer ?? new URL(tokenUrl).origin;
  const metadata: AuthorizationServerMetadata = {
    issuer: name,
    authorization_endpoint: authorizationUrl ?? tokenUrl,
    token_endpoint: tokenUrl,
    response_types_supported: ["code"],
  };
  return { issuer: name, metadata, byHand: true, resource: resource === "none" ? undefined : resource, scope: undefined };
}

/** What the SDK throws may quote an answer: only what kind it is goes on. */
async function told(read: () => Promise<Authority>): Promise<Authority> {
  try {
    return await read();
  } catch (error) {
    if (GatewayError.is(error, "address_refused"))
      throw invalidMetadata("an address is private, and the operator did not name it", "private_address");
    if (GatewayError.is(error)) throw error;
    const name = error instanceof Error ? error.name : "";
    if (error instanceof Error && "kind" in error && error.kind === "metadata")
      throw invalidMetadata("the authorization server names another issuer", "issuer");
    if (name === "ZodError" || name === "SyntaxError") throw invalidMetadata("a metadata document is not valid", "document");
    throw new GatewayError("upstream_unavailable", "The authorization server's metadata could not be read.", { cause: new Error(name) });
  }
}
