import type { Headers } from "../../../calls/index.js";
import type { OAuthTokenRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { update, type Clock, type Within } from "../../../ports/index.js";
import { oauthToken } from "../../../entities/index.js";
import type { Secret } from "../../../util/secret.js";
import type { Authorizer, Challenge } from "../../lanes/authorizer.js";
import { waitWithin } from "../../upstream/wait-within.js";
import { hintOf, scopeUnion, type Hint } from "../challenge.js";
import { isIssuerOf, type OAuthServer } from "../oauth-server.js";
import { bearer, isNearEnd } from "./own-credentials.js";
import type { Refreshes } from "./refreshes.js";
import type { TokenRows } from "./token-rows.js";
import type { ShownTokens } from "./shown-tokens.js";

export interface SignedInOptions {
  readonly server: OAuthServer;
  /** Empty: all callers. */
  readonly principal: string;
  readonly clock: Clock;
  readonly rows: TokenRows;
  readonly refreshes: Refreshes;
  readonly shown: ShownTokens;
  /** What is thrown where a person has to act; `found`: the sign-in that is of no use, null: there was none. */
  readonly needed: (why: string, found: OAuthTokenRow | null) => Promise<GatewayError>;
}

/** The gateway as somebody signed it in: the token is read from the store for every request, and renewed before its end. */
export class SignedIn implements Authorizer {
  readonly #o: SignedInOptions;
  /** What the server said of where to sign in, for the next sign-in. */
  hint: Hint = {};

  constructor(options: SignedInOptions) {
    this.#o = options;
  }

  async headers(w: Within): Promise<Headers> {
    const row = await this.#row();
    const { clock } = this.#o;
    const issuedAtMs = row.lastRefreshedAtMs ?? row.authenticatedAtMs;
    const isOld = isNearEnd({ issuedAtMs, expiresAtMs: row.expiresAtMs }, clock.now());
    return bearer(await this.#tokenOf(isOld ? await this.#renewed(row, w) : row));
  }

  async standing(): Promise<string | null> {
    const { server, principal, rows, clock } = this.#o;
    const row = await rows.get({ server: server.name, principal });
    if (row === null || whyNot(row, server) !== null) return null;
    const isOver = row.refreshToken === null && row.expiresAtMs !== null && row.expiresAtMs <= clock.now();
    return isOver ? null : `${row.issuer}\n${row.authenticatedAtMs}`;
  }

  secrets(): readonly string[] {
    return this.#o.shown.texts;
  }

  async refused(challenge: Challenge, sent: Headers, w: Within): Promise<boolean> {
    const { error, ...hint } = await hintOf(challenge);
    if (challenge.status === 403 && error !== "insufficient_scope") return false;
    this.hint = hint;
    const row = await this.#row();
    if (challenge.status === 403) {
      const wantedScope = scopeUnion(row.scope, row.wantedScope, hint.scope) ?? null;
      if (wantedScope !== row.wantedScope)
        await this.#o.rows.commit([update(oauthToken, row.id, { change: { set: { wantedScope } }, ifVersion: row.version })]);
      throw await this.#o.needed(`it wants more than was agreed to (${hint.scope ?? "it does not say what"})`, row);
    }
    const stands = this.#o.rows.open(row, "accessToken");
    // Another request was refused before, and there is a new token since.
    if (stands !== null && sent[0]?.[1] !== `Bearer ${stands.reveal()}`) return true;
    if (row.refreshToken === null) throw await this.#o.needed("it does not take the token any more", row);
    const after = await this.#wait(row, w);
    if (after !== null && after.accessToken !== row.accessToken && after.state === "connected") return true;
    throw after?.state === "connected" ? this.#later(after) : await this.#o.needed("it does not take the token any more", row);
  }

  async #row(): Promise<OAuthTokenRow> {
    const { server, principal, rows } = this.#o;
    const row = await rows.get({ server: server.name, principal });
    if (row === null) throw await this.#o.needed("nobody has signed in yet", null);
    const why = whyNot(row, server);
    if (why !== null) throw await this.#o.needed(why, row);
    return row;
  }

  async #tokenOf(row: OAuthTokenRow): Promise<Secret> {
    const token = this.#o.rows.open(row, "accessToken");
    if (token === null) throw await this.#o.needed("nobody has signed in yet", row);
    return this.#o.shown.noted(token);
  }

  async #renewed(row: OAuthTokenRow, w: Within): Promise<OAuthTokenRow> {
    const nowMs = this.#o.clock.now();
    const isValid = (one: OAuthTokenRow): boolean =>
      one.state === "connected" && (one.expiresAtMs === null || one.expiresAtMs > this.#o.clock.now());
    if (row.refreshToken === null) {
      if (isValid(row)) return row;
      throw await this.#o.needed("the sign-in is over", row);
    }
    if (row.retryAtMs > nowMs) {
      if (isValid(row)) return row;
      throw this.#later(row);
    }
    const after = await this.#wait(row, w);
    if (after === null || after.state === "revoked")
      throw await this.#o.needed(`the authorization server ended the sign-in (${after?.lastError ?? "removed"})`, row);
    if (isValid(after)) return after;
    if (after.lastError === "refresh_skipped_expired") throw await this.#o.needed("the sign-in is over", row);
    throw this.#later(after);
  }

  #wait(row: OAuthTokenRow, w: Within): Promise<OAuthTokenRow | null> {
    const { server, refreshes, clock } = this.#o;
    return waitWithin(refreshes.renew(server, row), clock, { ...w, what: `a token for the MCP server "${server.name}"` });
  }

  #later(row: OAuthTokenRow): GatewayError {
    return new GatewayError(
      "upstream_unavailable",
      `The sign-in at the MCP server "${this.#o.server.name}" could not be renewed (${row.lastError ?? "unknown"}).`,
      {
        retryAfterMs: Math.max(1_000, row.retryAtMs - this.#o.clock.now()),
        hint: "It is tried again; the authorization server may be down.",
      },
    );
  }
}

/** Why a sign-in is of no use; null: it is. */
function whyNot(row: OAuthTokenRow, server: OAuthServer): string | null {
  if (row.state === "revoked") return `the authorization server ended the sign-in (${row.lastError ?? "it does not say why"})`;
  // A token goes where it was made for, and nowhere else (T15).
  if (row.url !== server.url) return "the sign-in was made for another address";
  return isIssuerOf(server, row.issuer) ? null : "the sign-in is of another authorization server";
}
