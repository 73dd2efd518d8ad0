import type { Headers } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Clock, Within } from "../../../ports/index.js";
import type { Secret } from "../../../util/secret.js";
import type { Authorizer, Challenge } from "../../lanes/authorizer.js";
import { waitWithin } from "../../upstream/wait-within.js";
import { hintOf, scopeUnion, type Hint } from "../challenge.js";
import { configuredClient } from "../clients.js";
import type { Discovery } from "../discovery.js";
import type { OAuthServer } from "../oauth-server.js";
import { requestToken, TokenRefused, type Asking, type Tokens } from "./token-endpoint.js";
import type { ShownTokens } from "./shown-tokens.js";

const EARLY_MS = 60_000;

/** Whether a token is used no longer: a minute before its end, or a tenth of its life where that is shorter. Instants are Unix ms; null: it has no end that is known. */
export function isNearEnd(token: { readonly issuedAtMs: number; readonly expiresAtMs: number | null }, nowMs: number): boolean {
  const { issuedAtMs, expiresAtMs } = token;
  return expiresAtMs !== null && expiresAtMs - Math.min(EARLY_MS, (expiresAtMs - issuedAtMs) / 10) <= nowMs;
}
/** After a failure nobody is asked again for so long. */
const PAUSE_MS = 5_000;

export interface OwnCredentialsOptions {
  readonly server: OAuthServer;
  readonly clock: Clock;
  readonly discovery: Discovery;
  readonly shown: ShownTokens;
  /** Client credentials, or the exchange of a caller's token. Errors: `upstream_credential`. */
  readonly ask: (scope: string | undefined) => Asking;
}

/**
 * Tokens that the gateway can get anew by itself whenever it likes (client credentials, token exchange): kept in memory until shortly before their end, asked for once however many wait. Nothing of them is stored.
 */
export class OwnCredentials implements Authorizer {
  readonly #o: OwnCredentialsOptions;
  #kept: Tokens | null = null;
  #flight: Promise<Tokens> | null = null;
  #failed: { readonly untilMs: number; readonly error: GatewayError } | null = null;
  #hint: Hint = {};
  #wanted: string | undefined;
  acquiredAtMs: number | null = null;

  constructor(options: OwnCredentialsOptions) {
    this.#o = options;
  }

  get lastError(): string | null {
    return this.#failed?.error.message ?? null;
  }
  /** Unix ms; null: there is no token, or it has no end that is known. */
  get expiresAtMs(): number | null {
    return this.#kept?.expiresAtMs ?? null;
  }
  get hasToken(): boolean {
    const endMs = this.#kept?.expiresAtMs ?? Infinity;
    return this.#kept !== null && endMs > this.#o.clock.now();
  }

  async headers(w: Within): Promise<Headers> {
    const { accessToken } = await this.#token(w);
    return bearer(accessToken);
  }

  /** Whoever it is for has shown what it takes. */
  standing(): Promise<string> {
    return Promise.resolve("own");
  }

  secrets(): readonly string[] {
    return this.#o.shown.texts;
  }

  async refused(challenge: Challenge, sent: Headers, w: Within): Promise<boolean> {
    const { error, ...hint } = await hintOf(challenge);
    const isScope = challenge.status === 403 && error === "insufficient_scope";
    if (challenge.status === 403 && !isScope) return false;
    const kept = this.#kept;
    // Another request was refused before, and there is a new token since.
    if (kept !== null && sent[0]?.[1] !== `Bearer ${kept.accessToken.reveal()}`) return true;
    const wanted = scopeUnion(this.#wanted ?? kept?.scope ?? this.#o.server.auth.scope, hint.scope);
    if (isScope && wanted === this.#wanted) return false;
    if (isScope) this.#wanted = wanted;
    this.#hint = hint;
    this.#kept = null;
    await this.#token(w);
    return true;
  }

  /** The token is asked for anew with the next use. */
  forget(): void {
    this.#kept = null;
    this.#failed = null;
  }

  #token(w: Within): Promise<Tokens> {
    const { clock, server } = this.#o;
    const kept = this.#kept;
    if (kept !== null && !isNearEnd({ issuedAtMs: this.acquiredAtMs ?? 0, expiresAtMs: kept.expiresAtMs }, clock.now()))
      return Promise.resolve(kept);
    if (this.#failed !== null && this.#failed.untilMs > clock.now()) return Promise.reject(this.#failed.error);
    this.#flight ??= this.#acquire().finally(() => (this.#flight = null));
    return waitWithin(this.#flight, clock, { ...w, what: `a token for the MCP server "${server.name}"` });
  }

  async #acquire(): Promise<Tokens> {
    const { server, discovery, clock } = this.#o;
    try {
      const client = configuredClient(server);
      if (client === null) throw new GatewayError("misconfigured", `The server "${server.name}" has no client id.`);
      const authority = await discovery.of(server, this.#hint);
      const scope = this.#wanted ?? server.auth.scope ?? this.#hint.scope ?? authority.scope;
      const asking = this.#o.ask(scope);
      const tokens = await requestToken({
        authority,
        client,
        resource: authority.resource,
        asking,
        guarded: discovery.fetchFor(server),
        nowMs: clock.now(),
      });
      this.#o.shown.noted(tokens.accessToken);
      this.#failed = null;
      this.acquiredAtMs = clock.now();
      return (this.#kept = tokens);
    } catch (thrown) {
      const error = thrown instanceof TokenRefused ? thrown.error : GatewayError.from(thrown);
      this.#failed = { untilMs: clock.now() + PAUSE_MS, error };
      throw error;
    }
  }
}

export function bearer(token: Secret): Headers {
  return [["authorization", `Bearer ${token.reveal()}`]];
}
