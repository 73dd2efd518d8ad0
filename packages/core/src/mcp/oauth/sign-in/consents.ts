import { oauthState, type OAuthStateRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { insert, remove, update } from "../../../ports/index.js";
import type { Clock } from "../../../ports/index.js";
import { plainCode } from "./confirmation-code.js";
import { noSuchSignIn, type SignInRows } from "./sign-in-rows.js";

/** A sign-in that waits for somebody to agree, as the page of consent tells it. */
export interface Consent {
  readonly server: string;
  /** Whoever began it, and will own what comes of it where it is one caller's. */
  readonly startedBy: string;
  /** Empty: it is used for all callers. */
  readonly principal: string;
  /** The authorization server's, which the user will see. */
  readonly host: string;
  /** The one that the MCP server was held to before; null: the same, or none. */
  readonly formerHost: string | null;
  readonly scope: string | null;
  /** Where the browser comes back to. */
  readonly redirectUri: string;
}
/** A browser whose user agreed. */
export interface Agreed {
  readonly authorizationUrl: string;
  /** Of the sign-in, for the name of the cookie. */
  readonly id: string;
  readonly cookie: string;
  readonly maxAgeMs: number;
}
/** What a browser brings that is nobody here: the code that the starter was told. */
export interface Proof {
  /** Its user is whoever the sign-in is for, as the gateway knows by itself. */
  readonly isOwn: boolean;
  readonly code: string | null;
}

const MAX_TRIES = 5;

/**
 * The step between whoever began a sign-in and the browser that does it (T36): only then a state is issued, and only the browser that agreed can come back with it. Who may agree is the person that the sign-in is for,
 * signed in here, or who has the code that the starter alone was told: a link that was sent on is of no use.
 */
export class Consents {
  readonly #o: { readonly rows: SignInRows; readonly clock: Clock };
  constructor(options: { readonly rows: SignInRows; readonly clock: Clock }) {
    this.#o = options;
  }

  /** Whether somebody can agree still. Errors: those of the store. */
  async isOpen(ticket: string): Promise<boolean> {
    try {
      return (await this.#waiting(ticket)).tries < MAX_TRIES;
    } catch (error) {
      if (GatewayError.is(error, "not_found")) return false;
      throw error;
    }
  }

  /** Errors: `not_found`. */
  async of(ticket: string): Promise<Consent> {
    return consentOf(await this.#waiting(ticket));
  }

  /** Once. Errors: `not_found`; `forbidden` for a code that is missing or wrong: after five the sign-in is over; `conflict` when somebody else tries now. */
  async agree(ticket: string, proof: Proof): Promise<Agreed> {
    const { rows, clock } = this.#o;
    const row = await this.#waiting(ticket);
    const tries = proof.isOwn ? row.tries : await this.#spendTry(row, proof.code);
    if (row.authorizationUrl === null) throw noSuchSignIn();
    const [state, cookie] = [rows.random(), rows.random()];
    const url = new URL(rows.open(row, "authorizationUrl", row.authorizationUrl).reveal());
    url.searchParams.set("state", state);
    const id = rows.stateId(state);
    const { version: _version, createdAtMs: _created, updatedAtMs: _updated, ...same } = row;
    const agreed = {
      ...{ ...same, id, cookieDigest: rows.digest("cookie", cookie), authorizationUrl: null },
      verifier: rows.seal(id, "verifier", rows.open(row, "verifier", row.verifier)),
      clientSecret: row.clientSecret === null ? null : rows.seal(id, "clientSecret", rows.open(row, "clientSecret", row.clientSecret)),
    };
    if (!(await rows.commit([remove(oauthState, row.id, { where: { tries } }), insert(oauthState, agreed)]))) throw noSuchSignIn();
    return { authorizationUrl: url.href, id, cookie, maxAgeMs: row.expiresAtMs - clock.now() };
  }

  /** A try is counted before it is looked at, so that many at once are no more than there are. Gives how many were made. */
  async #spendTry(row: OAuthStateRow, code: string | null): Promise<number> {
    const { rows } = this.#o;
    if (code === null || plainCode(code) === "") throw wrongCode("The code that came with this link is needed.");
    if (row.tries >= MAX_TRIES) throw noSuchSignIn();
    if (!(await rows.commit([update(oauthState, row.id, { change: { add: { tries: 1 } }, ifVersion: row.version })])))
      throw new GatewayError("conflict", "Somebody else is trying this link now.", { hint: "Try again." });
    if (rows.digest("code", `${row.id} ${plainCode(code)}`) !== row.codeDigest)
      throw wrongCode("That is not the code that came with this link.");
    return row.tries + 1;
  }

  async #waiting(ticket: string): Promise<OAuthStateRow> {
    const row = await this.#o.rows.get(this.#o.rows.ticketId(ticket));
    if (row.cookieDigest !== null) throw noSuchSignIn();
    return row;
  }
}

export function consentOf(row: OAuthStateRow): Consent {
  const { server, startedBy, principal, issuer, formerIssuer, scope, redirectUri } = row;
  const formerHost = formerIssuer === null ? null : new URL(formerIssuer).host;
  return { server, startedBy, principal, host: new URL(issuer).host, formerHost, scope, redirectUri };
}

function wrongCode(message: string): GatewayError {
  return new GatewayError("forbidden", message, {
    details: { reason: "confirmation_code" },
    hint: "It was told to whoever began the sign-in, beside the address of this page. Never type one that somebody else sent you.",
  });
}
