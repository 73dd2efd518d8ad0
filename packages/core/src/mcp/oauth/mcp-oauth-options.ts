import type { Caller } from "../../calls/index.js";
import type { HttpClient } from "../../ports/index.js";
import type { Secret } from "../../util/secret.js";

export interface McpOAuthOptions {
  readonly http: HttpClient;
  /** How browsers reach the gateway; undefined: by what each request says. */
  readonly publicUrl: string | undefined;
  /** A token that the caller showed to come in, for exchange; null: it did not come with one. */
  readonly subjectOf: (caller: Caller) => Secret | null;
  /** How long a caller's sign-in is asked for in the inbox. */
  readonly askedMs: () => number;
  /** Somebody signed in, or all callers at once (an empty principal, or one that is not known here): whoever waited for it is tried again. */
  readonly onSignedIn: (server: string, principal: string) => void;
}
export interface OAuthTokenInput {
  readonly accessToken: string | Secret;
  readonly refreshToken?: string | Secret | undefined;
  /** Unix ms; left out: it has no end that is known. */
  readonly expiresAtMs?: number | undefined;
  readonly refreshExpiresAtMs?: number | undefined;
  readonly scope?: string | undefined;
  /** Who issued it; left out: the authorization server that would be signed in at. */
  readonly issuer?: string | undefined;
  /** What the gateway is called there; left out: as configured. */
  readonly clientId?: string | undefined;
}
export interface WhoseSignIn {
  /** Whose, of a server that each caller signs in at; left out: all callers'. */
  readonly principal?: string | undefined;
  /** Who asks, for the ledger; `code` when left out. */
  readonly by?: string | undefined;
}
