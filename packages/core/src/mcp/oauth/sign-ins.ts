import { oauthState, type OAuthStateRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, remove, update, type Write } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { toBase64Url } from "../../util/encoding/base64url.js";
import { toHex } from "../../util/encoding/hex.js";
import { scopeUnion, type Hint } from "./challenge.js";
import { CALLBACK_PATH } from "./client-document.js";
import type { Clients } from "./clients.js";
import type { Authority, Discovery } from "./discovery.js";
import { invalidMetadata } from "./guarded-fetch.js";
import { oauthEvent } from "./oauth-events.js";
import type { OAuthServer } from "./oauth-server.js";
import { requestToken, TokenRefused } from "./tokens/token-endpoint.js";
import type { TokenRows } from "./tokens/token-rows.js";

export interface SignInsDeps {
  readonly services: Services;
  readonly rows: TokenRows;
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
  /** Where a browser is to be sent: the authorization server's, or for one caller's sign-in the gateway's own page of consent. */
  readonly authorizationUrl: string;
  readonly state: string;
  readonly redirectUri: string;
  readonly expiresAtMs: number;
}
/** A sign-in that waits for its user to agree. */
export interface Consent {
  readonly server: string;
  readonly startedBy: string;
  readonly principal: string;
  /** The authorization server's, which the user will see. */
  readonly host: string;
}
export interface FinishedSignIn {
  readonly server: string;
  readonly principal: string;
  readonly returnUrl: string | null;
}

export const CONSENT_PATH = "/api/v1/oauth/sign-in";
const STATE_MS = 600_000;
const WITHIN_MS = 10_000;
const SWEEP = 500;
const scope = { system: "sign-ins at MCP servers that have begun" };
const encoder = new TextEncoder();

/**
 * Sign-ins by authorization code with PKCE S256: begun for ten minutes, agreed to by the user of one browser where it is one caller's, and finished once. What comes back counts only from the authorization server
 * that it was begun at.
 */
export class SignIns {
  readonly #deps: SignInsDeps;

  constructor(deps: SignInsDeps) {
    this.#deps = deps;
  }

  /** Errors: `upstream_protocol`, `upstream_unavailable`, `misconfigured`, `upstream_credential`, those of the store. */
  async begin(o: SignInRequest): Promise<BegunSignIn> {
    const { services, clients, discovery } = this.#deps;
    const { startAuthorization } = await import("@modelcontextprotocol/client");
    const authority = await discovery.of(o.server, o.hint);
    assertPkce(authority);
    const redirectUri = `${o.base}${CALLBACK_PATH}`;
    const client = await clients.forSignIn(o.server, authority, redirectUri);
    const wanted = wantedScope(o, authority);
    const state = this.#random();
    const begun = await startAuthorization(authority.issuer, {
      metadata: authority.metadata,
      clientInformation: { client_id: client.clientId },
      redirectUrl: redirectUri,
      state,
      ...(wanted === undefined ? {} : { scope: wanted }),
      ...(authority.resource === undefined ? {} : { resource: authority.resource }),
    });
    const { prompt } = o.server.auth;
    if (prompt !== undefined) begun.authorizationUrl.searchParams.set("prompt", prompt);
    const ticket = o.principal === "" ? null : this.#random();
    const expiresAtMs = services.clock.now() + STATE_MS;
    const id = this.#digest(state).slice(0, 64);
    const seal = (column: "verifier" | "authorizationUrl", value: string) => services.seams.vault.get().seal(value, placeOf(id, column));
    const row = {
      ...{ id, server: o.server.name, principal: o.principal, startedBy: o.startedBy, issuer: authority.issuer, clientId: client.clientId },
      ...{ url: o.server.url, resource: authority.resource ?? null, scope: wanted ?? null, redirectUri, returnUrl: o.returnUrl ?? null },
      ...{ verifier: seal("verifier", begun.codeVerifier), authorizationUrl: seal("authorizationUrl", begun.authorizationUrl.href) },
      ...{ ticketDigest: ticket === null ? null : this.#digest(ticket), cookieDigest: null, expiresAtMs },
    };
    await this.#commit([insert(oauthState, row), this.#event("connect_started", row)]);
    const authorizationUrl = ticket === null ? begun.authorizationUrl.href : `${o.base}${CONSENT_PATH}/${ticket}`;
    return { authorizationUrl, state, redirectUri, expiresAtMs };
  }

  /** What the page of consent tells. Errors: `not_found`. */
  async consent(ticket: string): Promise<Consent> {
    const { server, startedBy, principal, issuer } = await this.#byTicket(ticket);
    return { server, startedBy, principal, host: new URL(issuer).host };
  }

  /** The user of a browser agreed: only that browser, which keeps `cookie`, can finish. Once. Errors: `not_found`. */
  async agree(ticket: string): Promise<{ readonly authorizationUrl: string; readonly cookie: string; readonly maxAgeMs: number }> {
    const row = await this.#byTicket(ticket);
    const cookie = this.#random();
    const change = { set: { cookieDigest: this.#digest(cookie), ticketDigest: null } };
    if (!(await this.#commit([update(oauthState, row.id, { change, ifVersion: row.version })]))) throw noSuchSignIn();
    const authorizationUrl = this.#deps.services.seams.vault.get().open(row.authorizationUrl, placeOf(row.id, "authorizationUrl")).reveal();
    return { authorizationUrl, cookie, maxAgeMs: row.expiresAtMs - this.#deps.services.clock.now() };
  }

  /**
   * The browser came back. Of N that come with one state, one finishes it, whether or not it succeeds. `serverOf`: the server as it is configured now.
   * Errors: `not_found`, `bad_request`, `upstream_credential` when the authorization server refused, or is another (RFC 9207), `upstream_unavailable`.
   */
  async finish(
    query: URLSearchParams,
    o: { readonly cookie: string | null; readonly serverOf: (name: string) => OAuthServer | undefined },
  ): Promise<FinishedSignIn> {
    const row = await this.#take(query, o.cookie);
    const server = o.serverOf(row.server);
    if (server === undefined || server.url !== row.url)
      throw new GatewayError("conflict", `The MCP server "${row.server}" was changed meanwhile.`, { hint: "Begin again." });
    const { clock, seams } = this.#deps.services;
    const authority = await this.#deps.discovery.byIssuer(server, row.issuer);
    const iss = assertIssuer(query, server, authority);
    const code = single(query, "code");
    if (code === null) throw refusedByServer(query);
    const client = await this.#deps.clients.named(server, row);
    const verifier = seams.vault.get().open(row.verifier, placeOf(row.id, "verifier"));
    const asking = { grant: "authorization_code" as const, code, verifier, redirectUri: row.redirectUri, iss };
    const guarded = this.#deps.discovery.fetchFor(server);
    let tokens: Awaited<ReturnType<typeof requestToken>>;
    try {
      tokens = await requestToken({ authority, client, resource: row.resource ?? undefined, asking, guarded, nowMs: clock.now() });
    } catch (error) {
      throw error instanceof TokenRefused ? error.error : error;
    }
    const { rows } = this.#deps;
    const id = rows.idOf(row);
    const lifeMs = server.auth.refreshMaxLifetimeMs;
    await rows.replace(
      {
        ...{
          id,
          server: row.server,
          principal: row.principal,
          state: "connected",
          grant: "authorization_code",
          url: row.url,
          issuer: row.issuer,
        },
        ...{ clientId: row.clientId, resource: row.resource, scope: tokens.scope ?? row.scope, wantedScope: null },
        accessToken: rows.seal({ id }, "accessToken", tokens.accessToken),
        refreshToken: rows.seal({ id }, "refreshToken", tokens.refreshToken),
        expiresAtMs: tokens.expiresAtMs,
        refreshExpiresAtMs: tokens.refreshExpiresAtMs ?? (lifeMs === undefined ? null : clock.now() + lifeMs),
        ...{ authenticatedBy: row.startedBy, authenticatedAtMs: clock.now(), lastRefreshedAtMs: null, lastError: null, retryAtMs: 0 },
      },
      [this.#event("connect_completed", row)],
    );
    return { server: row.server, principal: row.principal, returnUrl: row.returnUrl };
  }

  /** Removes those that nobody came back from. Errors: those of the store. */
  async sweep(): Promise<void> {
    const { store, clock } = this.#deps.services;
    const query = { where: { expiresAtMs: { lt: clock.now() } }, orderBy: "expiresAtMs" as const, limit: SWEEP };
    for (;;) {
      const { rows } = await store.find(oauthState, query, scope, this.#within());
      if (rows.length > 0)
        await store.commit(
          rows.map((row) => ({ scope, writes: [remove(oauthState, row.id)] })),
          this.#within(),
        );
      if (rows.length < SWEEP) return;
    }
  }

  async #take(query: URLSearchParams, cookie: string | null): Promise<OAuthStateRow> {
    const { store, clock } = this.#deps.services;
    const state = single(query, "state");
    const row = state === null || state.length > 200 ? null : await store.get(oauthState, this.#digest(state), scope, this.#within());
    if (row === null) throw noSuchSignIn();
    // One that waits for consent, or belongs to another browser, is not used up by whoever knows its state.
    if (row.principal !== "" && (row.cookieDigest === null || cookie === null || row.cookieDigest !== this.#digest(cookie)))
      throw noSuchSignIn();
    const taken = await this.#commit([remove(oauthState, row.id)]);
    if (!taken || row.expiresAtMs <= clock.now()) throw noSuchSignIn();
    return row;
  }

  async #byTicket(ticket: string): Promise<OAuthStateRow> {
    const { store, clock } = this.#deps.services;
    const where = { ticketDigest: this.#digest(ticket) };
    const [row] = (await store.find(oauthState, { where, orderBy: "id", limit: 1 }, scope, this.#within())).rows;
    if (row === undefined || row.expiresAtMs <= clock.now()) throw noSuchSignIn();
    return row;
  }

  #event(kind: "connect_started" | "connect_completed", row: Pick<OAuthStateRow, "server" | "principal" | "startedBy" | "issuer">): Write {
    const { server, principal, startedBy: actor, issuer } = row;
    return oauthEvent({ kind, server, principal, actor, issuer, detail: {} }, this.#deps.services.clock.now());
  }

  #random(): string {
    return toBase64Url(this.#deps.services.crypto.random(32));
  }
  #digest(text: string): string {
    return toHex(this.#deps.services.crypto.sha256(encoder.encode(text)));
  }
  async #commit(writes: readonly Write[]): Promise<boolean> {
    const [result] = await this.#deps.services.store.commit([{ scope, writes }], this.#within());
    return result?.ok === true;
  }
  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#deps.services.clock.now() + WITHIN_MS };
  }
}

function placeOf(rowId: string, column: "verifier" | "authorizationUrl") {
  return { table: oauthState.table, column, rowId, isContent: true as const };
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

function noSuchSignIn(): GatewayError {
  return new GatewayError("not_found", "This sign-in was not begun by this browser, is over, or was used already.", {
    hint: "Begin again.",
  });
}
