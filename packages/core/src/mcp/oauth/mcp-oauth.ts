import type { Caller } from "../../calls/index.js";
import { oauthClient } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { remove } from "../../ports/index.js";
import type { OAuthStatus, Services } from "../../seams/index.js";
import { Secret } from "../../util/secret.js";
import type { Authorizer } from "../lanes/authorizer.js";
import type { HttpTarget, PrincipalAuthorizer, ServerTarget } from "../server-target.js";
import { Awaited } from "./awaited.js";
import { clientDocument } from "./client-document.js";
import { Clients } from "./clients.js";
import { Discovery } from "./discovery.js";
import type { McpOAuthOptions, OAuthTokenInput, WhoseSignIn } from "./mcp-oauth-options.js";
import { oauthEvent } from "./oauth-events.js";
import type { OAuthServer } from "./oauth-server.js";
import { statusOf } from "./oauth-status.js";
import { OwnCredentials } from "./tokens/own-credentials.js";
import { RefreshRounds } from "./tokens/refresh-rounds.js";
import { Refreshes } from "./tokens/refreshes.js";
import { SignedIn } from "./tokens/signed-in.js";
import { Consents, type Agreed, type Consent } from "./sign-in/consents.js";
import { probingAuthorizer } from "./probing.js";
import { awaiting, type SignInLink } from "./sign-in-needed.js";
import { SignInLinks, type LinkFor } from "./sign-in-links.js";
import { SignInRows } from "./sign-in/sign-in-rows.js";
import { SignInSource } from "../inbox/sign-in-source.js";
import { SignIns, type BegunSignIn, type FinishedSignIn } from "./sign-in/sign-ins.js";
import { clientRowId, TokenRows } from "./tokens/token-rows.js";
import { ShownTokens } from "./tokens/shown-tokens.js";
import { isOwnBrowser } from "./sign-in/whose-browser.js";

const TOPIC = "mcp-sign-ins";
const MAX_PRINCIPALS = 1_000;
/** Characters. */
const MAX_PRINCIPAL = 100;

/**
 * The gateway's own sign-ins at MCP servers: one for all callers of a server, or one for each. Tokens are sealed in the store, renewed by one process at a time, and never shown.
 */
export class McpOAuth {
  readonly #services: Services;
  readonly #o: McpOAuthOptions;
  readonly #rows: TokenRows;
  readonly #discovery: Discovery;
  readonly #clients: Clients;
  readonly #refreshes: Refreshes;
  readonly #signIns: SignIns;
  readonly #rounds: RefreshRounds;
  readonly #awaited: Awaited;
  /** What callers are asked for in the inbox. */
  readonly asked: SignInSource;
  readonly #servers = new Map<string, OAuthServer>();
  /** As they were prepared. */
  readonly #dialled = new Map<string, HttpTarget>();
  readonly #authorizers = new Map<string, OwnCredentials | SignedIn>();
  readonly #links: SignInLinks;
  readonly #consents: Consents;
  #unsubscribe: (() => Promise<void>) | null = null;

  constructor(services: Services, options: McpOAuthOptions) {
    this.#services = services;
    this.#o = options;
    const { clock, log } = services;
    const rows = (this.#rows = new TokenRows(services));
    const discovery = (this.#discovery = new Discovery({ http: options.http, clock }));
    const clients = (this.#clients = new Clients({ services, discovery, publicUrl: options.publicUrl }));
    this.#refreshes = new Refreshes({ clock, log, rows, clients, discovery });
    const begun = new SignInRows(services);
    this.#signIns = new SignIns({ services, rows: begun, tokens: rows, clients, discovery });
    this.#consents = new Consents({ rows: begun, clock });
    const { publicUrl } = options;
    const isOpen = (ticket: string) => this.#consents.isOpen(ticket);
    this.#links = new SignInLinks({ clock, log, publicUrl, isOpen, start: (name, o) => this.start(name, o) });
    const isSignedIn = async (name: string): Promise<boolean> => (await rows.get({ server: name, principal: "" }))?.state === "connected";
    this.asked = new SignInSource(services, {
      expiresMs: options.askedMs,
      principalOf: (caller) => this.principalOf(caller),
      statusOf: ({ server, principal }) => this.status(server, { principal }),
      links: this.#links,
    });
    this.#awaited = new Awaited({ clock, isSignedIn, onSignedIn: (name) => options.onSignedIn(name, "") });
    const serverOf = (name: string) => this.#servers.get(name);
    this.#rounds = new RefreshRounds({ clock, log, rows, refreshes: this.#refreshes, serverOf, sweep: () => begun.sweep() });
  }

  /** The target as it is dialled: one that is signed in at by OAuth knows by whom. */
  prepared(name: string, target: ServerTarget): ServerTarget {
    this.forgotten(name);
    if (target.kind !== "http" || target.oauth === undefined) return target;
    const server: OAuthServer = { name, url: target.url, trust: target.trust, auth: target.oauth };
    this.#servers.set(name, server);
    const dialled = (made: HttpTarget): HttpTarget => {
      this.#dialled.set(name, made);
      return made;
    };
    if (server.auth.credentials === "shared") return dialled({ ...target, authorizer: this.#shared(server) });
    const authorizerOf = (caller: Caller): PrincipalAuthorizer => {
      const principal = this.principalOf(caller);
      return { principal, ...this.#ofCaller(server, principal, caller) };
    };
    return dialled({ ...target, authorizerOf });
  }

  /** The target as it is looked at once, by what signs in at it anyway, or for one that is not there by itself; of that nothing is kept. `caller`: who looks; left out: nobody. */
  probed(name: string, target: ServerTarget, o: { readonly isThere: boolean; readonly caller?: Caller | undefined }): ServerTarget {
    if (target.kind !== "http" || target.oauth === undefined) return target;
    const server: OAuthServer = { name, url: target.url, trust: target.trust, auth: target.oauth };
    const { caller } = o;
    const known = o.isThere ? this.#dialled.get(name) : undefined;
    if (known?.authorizer !== undefined) return known;
    if (known?.authorizerOf !== undefined && caller !== undefined) return { ...known, authorizer: known.authorizerOf(caller).authorizer };
    const subject = caller === undefined ? null : this.#o.subjectOf(caller);
    return { ...target, authorizer: probingAuthorizer(server, { http: this.#o.http, clock: this.#services.clock, subject }) };
  }

  /** A server is there no longer; its sign-ins stay in the store. */
  forgotten(name: string): void {
    this.#servers.delete(name);
    this.#dialled.delete(name);
    this.#awaited.done(name);
    this.#discovery.forget(name);
    this.#links.forget(name);
    for (const key of [...this.#authorizers.keys()]) if (key.startsWith(`${name}\n`)) this.#authorizers.delete(key);
  }

  /** Whether each caller signs in by itself; null: there is no such server. */
  isPerUser(name: string): boolean | null {
    const server = this.#servers.get(name);
    return server === undefined ? null : server.auth.credentials === "perUser";
  }

  /** Begins a sign-in in a browser. `base`: how that browser reaches the gateway; left out: `access.publicUrl`. Errors: `not_found`, `conflict`, `misconfigured`, and those of the authorization server. */
  async start(
    name: string,
    o: WhoseSignIn & { readonly base?: string | undefined; readonly returnUrl?: string | undefined } = {},
  ): Promise<BegunSignIn> {
    const server = this.#byBrowser(name);
    const base = o.base ?? this.#o.publicUrl?.replace(/\/+$/, "");
    if (base === undefined)
      throw new GatewayError("misconfigured", "Nobody said how browsers reach the gateway.", { hint: "Set access.publicUrl." });
    const principal = this.#principal(server, o.principal);
    const known = this.#authorizers.get(`${name}\n${principal}`);
    const before = await this.#rows.get({ server: name, principal });
    // Whoever begins anew is told what holds today.
    this.#discovery.forget(name);
    const told = known instanceof SignedIn ? known.hint : {};
    const isTold = told.resourceMetadataUrl !== undefined || told.scope !== undefined;
    const hint = isTold || server.auth.tokenUrl !== undefined ? told : await this.#discovery.challengeOf(server);
    return this.#signIns.begin({
      server,
      principal,
      startedBy: o.by ?? "code",
      base,
      returnUrl: o.returnUrl,
      hint,
      scope: before?.wantedScope,
    });
  }

  /** Where a caller signs in, the same until shortly before its end; null: nobody knows how browsers reach the gateway, or no browser is of use. Errors: those of `start`. */
  async linkOf(at: LinkFor): Promise<SignInLink | null> {
    const auth = this.#servers.get(at.server)?.auth;
    return auth?.grant === "authorization_code" ? this.#links.of(at) : null;
  }

  /** Whose sign-in a caller's calls go by: the user's, whatever key the user calls with; else the key's own. */
  principalOf(caller: Caller): string {
    const id = caller.userId ?? caller.id;
    // What is too long for a row stands as its digest, and is nobody else's.
    return id.length <= MAX_PRINCIPAL ? id : this.#rows.idOf({ server: "", principal: id });
  }

  /** Who the gateway is as a client; null: it has no such document. */
  clientDocument(): Readonly<Record<string, unknown>> | null {
    return clientDocument(this.#o.publicUrl);
  }

  /** What the page of consent says to a browser; `caller`: its user, null when the gateway does not know them. Errors: `not_found`, `forbidden` for who is somebody else than whom it is for. */
  async consent(ticket: string, caller: Caller | null): Promise<Consent & { readonly asksCode: boolean }> {
    const consent = await this.#consents.of(ticket);
    return { ...consent, asksCode: !this.#isOwn(consent, caller) };
  }

  /** The user of a browser agreed. Errors: as of `consent` and of `Consents.agree`. */
  async agree(ticket: string, o: { readonly caller: Caller | null; readonly code: string | null }): Promise<Agreed> {
    const isOwn = this.#isOwn(await this.#consents.of(ticket), o.caller);
    return this.#consents.agree(ticket, { isOwn, code: o.code });
  }

  /** The browser came back; `cookieOf`: what it keeps of the sign-in that it agreed to. Errors: as of `SignIns.finish`. */
  async finish(query: URLSearchParams, cookieOf: (id: string) => string | null): Promise<FinishedSignIn> {
    const finished = await this.#signIns.finish(query, { cookieOf, serverOf: (name) => this.#servers.get(name) });
    await this.#signedIn(finished.server, finished.principal);
    return finished;
  }

  #isOwn(consent: Consent, caller: Caller | null): boolean {
    return isOwnBrowser(consent, caller, { principalOf: (one) => this.principalOf(one), resources: this.#services.seams.resources });
  }

  /** Takes a token that was got elsewhere. Errors: `not_found`, `conflict`, `misconfigured`, `validation_failed` for an issuer that is not the server's, and those of discovery when it has to be asked who issued it. */
  async ingest(name: string, token: OAuthTokenInput, o: WhoseSignIn = {}): Promise<OAuthStatus> {
    const server = this.#byBrowser(name);
    const principal = this.#principal(server, o.principal);
    const rows = this.#rows;
    const id = rows.idOf({ server: name, principal });
    const secret = (value: string | Secret | undefined) =>
      value === undefined ? null : typeof value === "string" ? new Secret(value) : value;
    const authority = await this.#clients.issuerOf(server, token.issuer);
    const nowMs = this.#services.clock.now();
    const { issuer } = authority;
    const by = o.by ?? "code";
    await rows.replace(
      {
        ...{ id, server: name, principal, state: "connected", grant: "authorization_code", url: server.url, issuer },
        ...{
          clientId: token.clientId ?? server.auth.clientId ?? "",
          resource: authority.resource ?? null,
          scope: token.scope ?? null,
          wantedScope: null,
        },
        accessToken: rows.seal({ id }, "accessToken", secret(token.accessToken)),
        refreshToken: rows.seal({ id }, "refreshToken", secret(token.refreshToken)),
        ...{ expiresAtMs: token.expiresAtMs ?? null, refreshExpiresAtMs: token.refreshExpiresAtMs ?? null },
        ...{ authenticatedBy: by, authenticatedAtMs: nowMs, lastRefreshedAtMs: null, lastError: null, retryAtMs: 0 },
      },
      { events: [oauthEvent({ kind: "token_ingested", server: name, principal, actor: by, issuer, detail: {} }, nowMs)] },
    );
    await this.#signedIn(name, principal);
    return this.status(name, { principal });
  }

  /** Gets a new token now, with what there is. Errors: `not_found`, `conflict` when a person has to sign in, and those of the authorization server. */
  async reacquire(name: string, o: WhoseSignIn = {}): Promise<OAuthStatus> {
    const server = this.#known(name);
    const within = { deadlineMs: this.#services.clock.now() + 60_000 };
    if (server.auth.grant === "client_credentials") {
      const own = this.#shared(server) as OwnCredentials;
      own.forget();
      await own.headers(within);
      this.#o.onSignedIn(name, "");
      return this.status(name);
    }
    const principal = this.#principal(this.#byBrowser(name), o.principal);
    const row = await this.#rows.get({ server: name, principal });
    if (row?.state !== "connected" || row.refreshToken === null)
      throw new GatewayError("conflict", `There is nothing to renew the sign-in at "${name}" with.`, {
        hint: "A person has to sign in: oauth-start.",
      });
    const after = await this.#refreshes.renew(server, row);
    if (after !== null && after.accessToken !== row.accessToken && after.state === "connected") return this.status(name, { principal });
    throw new GatewayError(
      after?.state === "connected" ? "upstream_unavailable" : "upstream_credential",
      `The sign-in at "${name}" was not renewed (${after?.lastError ?? "it is gone"}).`,
    );
  }

  /** Removes a sign-in, and with all callers' which authorization server the MCP server is held to. False: there was none. */
  async remove(name: string, o: WhoseSignIn = {}): Promise<boolean> {
    const principal = o.principal ?? "";
    const row = await this.#rows.get({ server: name, principal });
    const event = oauthEvent(
      { kind: "token_deleted_admin", server: name, principal, actor: o.by ?? "code", issuer: row?.issuer ?? null, detail: {} },
      this.#services.clock.now(),
    );
    const removed = row !== null && (await this.#rows.remove(row.id, [event]));
    const unpinned = principal === "" && (await this.#rows.commit([remove(oauthClient, clientRowId(name, this.#services))]));
    this.#discovery.forget(name);
    const own = this.#authorizers.get(`${name}\n${principal}`);
    if (own instanceof OwnCredentials) own.forget();
    return removed || unpinned;
  }

  /** What is known of a sign-in; never a token. Errors: those of the store. */
  async status(name: string, o: WhoseSignIn = {}): Promise<OAuthStatus> {
    const server = this.#servers.get(name);
    const principal = o.principal ?? "";
    const own = this.#authorizers.get(`${name}\n${principal}`);
    if (server === undefined || server.auth.grant !== "authorization_code")
      return statusOf({ server, row: null, own: own instanceof OwnCredentials ? own : null });
    return statusOf({ server, row: await this.#rows.get({ server: name, principal }), own: null });
  }

  /** Renews in the background, and hears of sign-ins that other processes finished. */
  async work(): Promise<void> {
    this.#rounds.start();
    const onHint = (names: readonly string[]): void => names.forEach((name) => this.#o.onSignedIn(name, ""));
    this.#unsubscribe ??= await this.#services.bus.subscribe(TOPIC, onHint, () => undefined);
  }

  async close(): Promise<void> {
    this.#rounds.close();
    this.#awaited.close();
    await this.#unsubscribe?.();
  }

  async #signedIn(name: string, principal: string): Promise<void> {
    this.#links.forget(name, principal);
    this.#awaited.done(name);
    this.#o.onSignedIn(name, principal);
    await this.asked.signedIn({ server: name, principal }).catch(() => undefined); // found out with the next look
    await this.#services.bus.publish(TOPIC, [name]).catch(() => undefined); // a hint: the others find out with their next use
  }

  #known(name: string): OAuthServer {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    throw new GatewayError("not_found", `There is no MCP server "${name.slice(0, 64)}" that is signed in at by OAuth.`, {
      hint: "Its auth has to be of the type oauth.",
    });
  }

  #byBrowser(name: string): OAuthServer {
    const server = this.#known(name);
    if (server.auth.grant === "authorization_code") return server;
    throw new GatewayError("conflict", `The MCP server "${name}" is signed in at by ${server.auth.grant}: no browser is of use.`);
  }

  #principal(server: OAuthServer, principal: string | undefined): string {
    if (server.auth.credentials === "shared") return "";
    if (principal !== undefined && principal !== "") return principal;
    throw new GatewayError("validation_failed", `Each caller signs in at "${server.name}": say which.`);
  }

  #shared(server: OAuthServer): Authorizer {
    return this.#authorizer(server, "", () =>
      server.auth.grant === "client_credentials"
        ? this.#own(server, this.#shown(""), (wanted) => ({ grant: "client_credentials", scope: wanted }))
        : this.#signedInAs(server, "", (why) => this.#wait(server.name, why)),
    );
  }

  #ofCaller(server: OAuthServer, principal: string, caller: Caller): Omit<PrincipalAuthorizer, "principal"> {
    if (server.auth.grant === "authorization_code") {
      const ask = (why: string) => this.#links.needed({ server: server.name, principal, by: caller.name }, why);
      return { context: principal, authorizer: this.#authorizer(server, principal, () => this.#signedInAs(server, principal, ask)) };
    }
    const subject = this.#o.subjectOf(caller);
    if (subject === null)
      throw new GatewayError(
        "upstream_credential",
        `A token for "${server.name}" is exchanged for the caller's own, and this caller came in without one.`,
        {
          hint: "Call with an access token of an issuer of access.resourceServer.",
          details: { reason: "no_subject_token", server: server.name },
        },
      );
    // With another token of its own, the caller gets another one there.
    const digest = this.#rows.idOf({ server: principal, principal: subject.reveal() });
    const context = `${principal}\n${digest}`;
    return { context, authorizer: this.#authorizer(server, context, () => this.#exchange(server, principal, subject)) };
  }

  #exchange(server: OAuthServer, principal: string, subject: Secret): OwnCredentials {
    const shown = this.#shown(principal);
    // An answer may quote it as well.
    shown.noted(subject);
    return this.#own(server, shown, (wanted) => ({ grant: "token_exchange", subject, scope: wanted }));
  }

  /** Of all callers' sign-ins there are as many as servers: every text that leaves is cleared of their tokens. */
  #shown(principal: string): ShownTokens {
    return new ShownTokens(principal === "" ? this.#services.redactor : null);
  }

  #authorizer(server: OAuthServer, who: string, make: () => OwnCredentials | SignedIn): OwnCredentials | SignedIn {
    const key = `${server.name}\n${who}`;
    const known = this.#authorizers.get(key) ?? make();
    this.#authorizers.delete(key);
    this.#authorizers.set(key, known);
    for (const oldest of this.#authorizers.keys()) {
      if (this.#authorizers.size <= MAX_PRINCIPALS) break;
      this.#authorizers.delete(oldest);
    }
    return known;
  }

  #own(server: OAuthServer, shown: ShownTokens, ask: ConstructorParameters<typeof OwnCredentials>[0]["ask"]): OwnCredentials {
    return new OwnCredentials({ server, clock: this.#services.clock, discovery: this.#discovery, shown, ask });
  }

  #signedInAs(server: OAuthServer, principal: string, needed: (why: string) => Promise<GatewayError>): SignedIn {
    return new SignedIn({
      server,
      principal,
      clock: this.#services.clock,
      rows: this.#rows,
      refreshes: this.#refreshes,
      shown: this.#shown(principal),
      needed:
        principal === "" ? needed : async (why, found) => this.asked.told(await needed(why), { server: server.name, principal, found }),
    });
  }

  #wait(name: string, why: string): Promise<GatewayError> {
    this.#awaited.add(name);
    return Promise.resolve(awaiting(name, why));
  }
}
