import { oauthState, type OAuthStateRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { insert, remove, type Write } from "../../../ports/index.js";
import type { Services } from "../../../seams/index.js";
import { scopeUnion, type Hint } from "../challenge.js";
import { CALLBACK_PATH } from "../client-document.js";
import type { Clients } from "../clients.js";
import { newConfirmationCode, plainCode } from "./confirmation-code.js";
import type { Authority, Discovery } from "../discovery.js";
import { invalidMetadata } from "../guarded-fetch.js";
import { oauthEvent } from "../oauth-events.js";
import type { OAuthServer } from "../oauth-server.js";
import { noSuchSignIn, type NewStateRow, type SignInRows } from "./sign-in-rows.js";
import { requestToken, TokenRefused, type Tokens } from "../tokens/token-endpoint.js";
import type { TokenRows } from "../tokens/token-rows.js";

export interface SignInsDeps {
  readonly services: Services;
  readonly rows: SignInRows;
  readonly tokens: TokenRows;
  readonly clients: Clients;
  readonly discovery: Discovery;
}
export interface SignInRequest {
  readonly server: OAuthServer;
  /** Empty: for all callers. */
  readonly principal: string;
  readonly startedBy: string;
  /** How the browser reaches the gateway, without a slash at the end. */
  readonly base: string;
  /** A path of the gateway, where the browser goes in the end. */
  readonly returnUrl?: string | undefined;
  readonly hint?: Hint | undefined;
  /** Asked for beside what is asked for anyway. */
  readonly scope?: string | null | undefined;
}
export interface BegunSignIn {
  /** The gateway's own page of consent, to be opened in a browser. */
  readonly authorizationUrl: string;
  /** What that page asks of a browser whose user the gateway does not know. For the starter alone. */
  readonly confirmationCode: string;
  readonly redirectUri: string;
  readonly expiresAtMs: number;
}
export interface FinishedSignIn {
  /** Of the sign-in, for the name of the cookie. */
  readonly id: string;
  readonly server: string;
  readonly principal: string;
  readonly returnUrl: string | null;
}

export const CONSENT_PATH = "/api/v1/oauth/sign-in";
const STATE_MS = 600_000;
/**
 * Sign-ins by authorization code with PKCE S256: begun for ten minutes, agreed to in one browser, and finished once by that. What comes back counts only from the authorization server that it was begun at.
 */
export class SignIns {
  readonly #deps: SignInsDeps;

  constructor(deps: SignInsDeps) {
    this.#deps = deps;
  }

  /** Errors: `upstream_protocol`, `upstream_unavailable`, `misconfigured`, `upstream_credential`, those of the store. */
  async begin(o: SignInRequest): Promise<BegunSignIn> {
    const { services, clients, discovery, rows } = this.#deps;
    const { startAuthorization } = await import("@modelcontextprotocol/client");
    const authority = await discovery.of(o.server, o.hint);
    assertPkce(authority);
    const redirectUri = `${o.base}${CALLBACK_PATH}`;
    const { client, formerIssuer, endsAtMs } = await clients.forSignIn(o.server, authority, redirectUri);
    const wanted = wantedScope(o, authority);
    const begun = await startAuthorization(authority.issuer, {
      metadata: authority.metadata,
      clientInformation: { client_id: client.clientId },
      redirectUrl: redirectUri,
      ...(wanted === undefined ? {} : { scope: wanted }),
      ...(authority.resource === undefined ? {} : { resource: authority.resource }),
    });
    const { prompt } = o.server.auth;
    if (prompt !== undefined) begun.authorizationUrl.searchParams.set("prompt", prompt);
    const ticket = rows.random();
    const confirmationCode = newConfirmationCode(services.crypto);
    const expiresAtMs = services.clock.now() + STATE_MS;
    const id = rows.ticketId(ticket);
    // Of a registration that is kept already, nothing has to be kept here.
    const secret = formerIssuer === null ? undefined : client.clientSecret;
    const row: NewStateRow = {
      ...{ id, server: o.server.name, principal: o.principal, startedBy: o.startedBy, issuer: authority.issuer, clientId: client.clientId },
      ...{ url: o.server.url, resource: authority.resource ?? null, scope: wanted ?? null, redirectUri, returnUrl: o.returnUrl ?? null },
      verifier: rows.seal(id, "verifier", begun.codeVerifier),
      authorizationUrl: rows.seal(id, "authorizationUrl", begun.authorizationUrl.href),
      ...{ formerIssuer, clientEndsAtMs: endsAtMs, clientSecret: secret === undefined ? null : rows.seal(id, "clientSecret", secret) },
      ...{ codeDigest: rows.digest("code", `${id} ${plainCode(confirmationCode)}`), tries: 0, cookieDigest: null, expiresAtMs },
    };
    await rows.commit([insert(oauthState, row), this.#event("connect_started", row)]);
    return { authorizationUrl: `${o.base}${CONSENT_PATH}/${ticket}`, confirmationCode, redirectUri, expiresAtMs };
  }

  /**
   * The browser came back. Of N that come with one state, one finishes it, whether or not it succeeds. `cookieOf`: what the browser has of a sign-in; `serverOf`: the server as it is configured now.
   * Errors: `not_found`, `bad_request`, `upstream_credential` when the authorization server refused, or is another (RFC 9207), `upstream_unavailable`.
   */
  async finish(
    query: URLSearchParams,
    o: { readonly cookieOf: (id: string) => string | null; readonly serverOf: (name: string) => OAuthServer | undefined },
  ): Promise<FinishedSignIn> {
    const row = await this.#take(query, o.cookieOf);
    const server = o.serverOf(row.server);
    if (server === undefined || server.url !== row.url)
      throw new GatewayError("conflict", `The MCP server "${row.server}" was changed meanwhile.`, { hint: "Begin again." });
    const authority = await this.#deps.discovery.byIssuer(server, row.issuer);
    const iss = assertIssuer(query, server, authority);
    const code = single(query, "code");
    if (code === null) throw refusedByServer(query);
    const tokens = await this.#redeem(row, { server, authority, code, iss });
    const { tokens: kept, clients, services, rows } = this.#deps;
    const { clock } = services;
    const id = kept.idOf(row);
    const lifeMs = server.auth.refreshMaxLifetimeMs;
    const { issuer, redirectUri, clientId, clientEndsAtMs: endsAtMs } = row;
    const clientSecret = row.clientSecret === null ? undefined : rows.open(row, "clientSecret", row.clientSecret);
    await kept.replace(
      {
        ...{ id, server: row.server, principal: row.principal, state: "connected", grant: "authorization_code", url: row.url, issuer },
        ...{ clientId, resource: row.resource, scope: tokens.scope ?? row.scope, wantedScope: null },
        accessToken: kept.seal({ id }, "accessToken", tokens.accessToken),
        refreshToken: kept.seal({ id }, "refreshToken", tokens.refreshToken),
        expiresAtMs: tokens.expiresAtMs,
        refreshExpiresAtMs: tokens.refreshExpiresAtMs ?? (lifeMs === undefined ? null : clock.now() + lifeMs),
        ...{ authenticatedBy: row.startedBy, authenticatedAtMs: clock.now(), lastRefreshedAtMs: null, lastError: null, retryAtMs: 0 },
      },
      {
        events: [this.#event("connect_completed", row)],
        ...(row.formerIssuer === null
          ? {}
          : { moved: () => clients.moved(server, { client: { clientId, clientSecret }, endsAtMs, issuer, redirectUri }) }),
      },
    );
    return { id: row.id, server: row.server, principal: row.principal, returnUrl: row.returnUrl };
  }

  async #redeem(
    row: OAuthStateRow,
    o: { readonly server: OAuthServer; readonly authority: Authority; readonly code: string; readonly iss: string | undefined },
  ): Promise<Tokens> {
    const { clients, discovery, services, rows } = this.#deps;
    const { server, authority, code, iss } = o;
    // One that was registered for this sign-in is known nowhere else yet.
    const client =
      row.clientSecret === null
        ? await clients.named(server, row)
        : { clientId: row.clientId, clientSecret: rows.open(row, "clientSecret", row.clientSecret) };
    const verifier = rows.open(row, "verifier", row.verifier);
    const asking = { grant: "authorization_code" as const, code, verifier, redirectUri: row.redirectUri, iss };
    const guarded = discovery.fetchFor(server);
    try {
      return await requestToken({ authority, client, resource: row.resource ?? undefined, asking, guarded, nowMs: services.clock.now() });
    } catch (error) {
      throw error instanceof TokenRefused ? error.error : error;
    }
  }

  /** The sign-in of a state that comes from the browser which agreed. What another brings uses nothing up. */
  async #take(query: URLSearchParams, cookieOf: (id: string) => string | null): Promise<OAuthStateRow> {
    const { rows } = this.#deps;
    const state = single(query, "state");
    if (state === null || state.length > 200) throw noSuchSignIn();
    const row = await rows.get(rows.stateId(state));
    const cookie = cookieOf(row.id);
    if (row.cookieDigest === null || cookie === null || row.cookieDigest !== rows.digest("cookie", cookie)) throw noSuchSignIn();
    if (!(await rows.commit([remove(oauthState, row.id)]))) throw noSuchSignIn();
    return row;
  }

  #event(kind: "connect_started" | "connect_completed", row: Pick<OAuthStateRow, "server" | "principal" | "startedBy" | "issuer">): Write {
    const { server, principal, startedBy: actor, issuer } = row;
    return oauthEvent({ kind, server, principal, actor, issuer, detail: {} }, this.#deps.services.clock.now());
  }
}

/** What is discovered has to say that it checks PKCE: without it a stolen code is of use. Source: MCP, Authorization, "Authorization Code Protection". */
function assertPkce({ byHand, metadata }: Authority): void {
  if (byHand || metadata.code_challenge_methods_supported?.includes("S256") === true) return;
  throw invalidMetadata("the authorization server does not say that it supports PKCE with S256", "no_pkce");
}

function wantedScope(o: SignInRequest, authority: Authority): string | undefined {
  const { auth } = o.server;
  if (auth.scope !== undefined) return scopeUnion(auth.scope, o.scope);
  // Without it some give no refresh token, and the gateway would ask a person every hour.
  const offline = authority.metadata.scopes_supported?.includes("offline_access") === true ? "offline_access" : undefined;
  const asked = scopeUnion(o.hint?.scope ?? authority.scope, o.scope);
  return asked === undefined ? undefined : scopeUnion(asked, offline);
}

/** The `iss` that came with the answer, checked before anything else of it is believed (RFC 9207). Who was written down by hand without an issuer has none that is known. */
function assertIssuer(query: URLSearchParams, server: OAuthServer, authority: Authority): string | undefined {
  if (authority.byHand && server.auth.issuer === undefined) return undefined;
  const iss = query.getAll("iss");
  const isExpected = authority.metadata.authorization_response_iss_parameter_supported === true;
  if (iss.length === 0 && !isExpected) return undefined;
  if (iss.length === 1 && iss[0] === authority.issuer) return iss[0];
  throw new GatewayError(
    "upstream_credential",
    "The answer to the sign-in is of another authorization server than the one it was begun at.",
    {
      details: { reason: "issuer_mismatch" },
      hint: "Somebody may have tried to mix up two sign-ins. Begin again.",
    },
  );
}

function single(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  return values.length === 1 && values[0] !== "" ? values[0]! : null;
}

function refusedByServer(query: URLSearchParams): GatewayError {
  const said = single(query, "error");
  const code = said !== null && /^[a-z_]{1,40}$/.test(said) ? said : "no_code";
  return new GatewayError("upstream_credential", `The authorization server did not sign in: ${code}.`, {
    details: { reason: "sign_in_refused", idp_code: code },
  });
}
