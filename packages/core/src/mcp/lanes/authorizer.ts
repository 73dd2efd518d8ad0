import type { Headers } from "../../calls/index.js";
import type { Within } from "../../ports/index.js";

/** How a server refused a request before it did anything. */
export interface Challenge {
  readonly status: 401 | 403;
  /** The header as it came; undefined: there was none. */
  readonly wwwAuthenticate: string | undefined;
}

/** Who the gateway is to one server, for one principal: asked before every request over HTTP. Any number of requests at once. */
export interface Authorizer {
  /** Errors: `authorization_required`, `upstream_credential`, and those of asking for a token. */
  headers(w: Within): Promise<Headers>;
  /** The sign-in that stands now, as a text that stays the same however often it is renewed; null: there is none. Nobody is asked for one. Errors: those of the store. */
  standing(): Promise<string | null>;
  /** The tokens that it showed of late: nothing that the server says may quote them. */
  secrets(): readonly string[];
  /**
   * The server refused a request that carried these headers. True: there are others now, so it may be sent once more. Errors: `authorization_required`, `upstream_credential` when a person has to act.
   */
  refused(challenge: Challenge, sent: Headers, w: Within): Promise<boolean>;
}
