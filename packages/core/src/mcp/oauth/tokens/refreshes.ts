import type { AuthEventKind, OAuthTokenRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Clock, Write } from "../../../ports/index.js";
import type { Log } from "../../../util/log.js";
import type { Clients } from "../clients.js";
import type { Discovery } from "../discovery.js";
import type { OAuthServer } from "../oauth-server.js";
import { oauthEvent, type EventDetail } from "../oauth-events.js";
import { requestToken, TokenRefused, type Tokens } from "./token-endpoint.js";
import type { TokenRows } from "./token-rows.js";

export interface RefreshDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly rows: TokenRows;
  readonly clients: Clients;
  readonly discovery: Discovery;
}
/** What became of a row whose token had to be renewed; null: it is gone. */
export type Refreshed = OAuthTokenRow | null;

/** After a failure that may pass, nobody asks again for so long. */
const RETRY_MS = 5_000;
const LOOK_MS = 100;
const WAIT_MS = 60_000;
/** Pauses between tries to store what was renewed; together far shorter than a hold. */
const WRITE_AGAIN_MS = [100, 500, 2_000, 5_000];

/**
 * Renews sign-ins with their refresh tokens, each once at a time over all processes: a rotating refresh token is never sent twice. Whoever finds the row held waits and reads what came of it.
 */
export class Refreshes {
  readonly #deps: RefreshDeps;
  readonly #flights = new Map<string, Promise<Refreshed>>();

  constructor(deps: RefreshDeps) {
    this.#deps = deps;
  }

  /**
   * The row with another access token than `stale` has, or as it stands when that could not be had: `lastError` and `retryAtMs` say so. Errors: those of the store.
   */
  renew(server: OAuthServer, stale: OAuthTokenRow): Promise<Refreshed> {
    let flight = this.#flights.get(stale.id);
    if (flight === undefined) {
      flight = this.#renew(server, stale).finally(() => this.#flights.delete(stale.id));
      this.#flights.set(stale.id, flight);
    }
    return flight;
  }

  /** As `renew`, unless somebody is at it already. */
  async renewIfFree(server: OAuthServer, stale: OAuthTokenRow): Promise<void> {
    if (this.#flights.has(stale.id)) return;
    const held = await this.#deps.rows.hold(stale.id);
    if (held !== null) await this.#holding(server, held, stale);
  }

  async #renew(server: OAuthServer, stale: OAuthTokenRow): Promise<Refreshed> {
    const { clock, rows } = this.#deps;
    const endMs = clock.now() + WAIT_MS;
    for (;;) {
      const held = await rows.hold(stale.id);
      if (held !== null) return this.#holding(server, held, stale);
      const row = await rows.get(stale);
      if (row === null || isAnother(row, stale) || clock.now() >= endMs) return row;
      await new Promise<void>((resolve) => clock.at(clock.now() + LOOK_MS, resolve));
    }
  }

  async #holding(server: OAuthServer, held: OAuthTokenRow, stale: OAuthTokenRow): Promise<Refreshed> {
    const { rows, clock } = this.#deps;
    if (isAnother(held, stale) || held.retryAtMs > clock.now()) {
      await rows.settle(held, {});
      return rows.get(held);
    }
    const refreshToken = rows.open(held, "refreshToken");
    if (refreshToken === null) return this.#without(held, "refresh_skipped_no_token");
    if (held.refreshExpiresAtMs !== null && held.refreshExpiresAtMs <= clock.now()) return this.#without(held, "refresh_skipped_expired");
    const beganMs = clock.now();
    const { discovery, clients } = this.#deps;
    try {
      const authority = await discovery.byIssuer(server, held.issuer);
      const client = await clients.named(server, held);
      const asking = { grant: "refresh_token" as const, refreshToken, scope: undefined };
      const resource = held.resource ?? undefined;
      const tokens = await requestToken({ authority, client, resource, asking, guarded: discovery.fetchFor(server), nowMs: clock.now() });
      const lifeMs = server.auth.refreshMaxLifetimeMs;
      const isSame = tokens.refreshToken?.reveal() === refreshToken.reveal();
      const laterMs = lifeMs === undefined ? null : held.authenticatedAtMs + lifeMs;
      const refreshEndMs = tokens.refreshExpiresAtMs ?? (isSame ? held.refreshExpiresAtMs : laterMs);
      return await this.#keep(held, { ...tokens, refreshExpiresAtMs: refreshEndMs }, clock.now() - beganMs);
    } catch (error) {
      return this.#failed(held, error, clock.now() - beganMs);
    }
  }

  /** Nobody can renew it but a person. A row that another one stands in the place of is left alone. */
  async #without(held: OAuthTokenRow, kind: AuthEventKind): Promise<Refreshed> {
    // Told once, and not with every call.
    const events = held.lastError === kind ? [] : [this.#event(kind, held, {})];
    await this.#deps.rows.settle(held, { lastError: kind }, events);
    return this.#deps.rows.get(held);
  }

  async #keep(held: OAuthTokenRow, tokens: Tokens, durationMs: number): Promise<Refreshed> {
    const { rows, clock } = this.#deps;
    const rotated = tokens.refreshToken !== null;
    const set = {
      accessToken: rows.seal(held, "accessToken", tokens.accessToken),
      expiresAtMs: tokens.expiresAtMs,
      // Not sent again, the one before goes on, with its deadline.
      ...(rotated
        ? { refreshToken: rows.seal(held, "refreshToken", tokens.refreshToken), refreshExpiresAtMs: tokens.refreshExpiresAtMs }
        : {}),
      ...(tokens.scope === null ? {} : { scope: tokens.scope }),
      ...{ lastRefreshedAtMs: clock.now(), lastError: null, retryAtMs: 0 },
    };
    const detail = {
      before_expires_at: held.expiresAtMs ?? 0,
      after_expires_at: tokens.expiresAtMs ?? 0,
      rotated,
      duration_ms: durationMs,
    };
    // A write of which nobody knows whether it happened is repeated: it writes the same.
    for (let tried = 0; ; tried++) {
      try {
        const isKept = await rows.settle(held, set, tried === 0 ? [this.#event("refresh_succeeded", held, detail)] : []);
        if (!isKept) this.#deps.log.warn("a renewed sign-in at an MCP server was not kept: another one stands in its place", about(held));
        return isKept ? { ...held, ...set } : await rows.get(held);
      } catch (error) {
        const pauseMs = WRITE_AGAIN_MS[tried];
        if (pauseMs === undefined) return this.#lost({ ...held, ...set }, rotated, error);
        await new Promise<void>((resolve) => clock.at(clock.now() + pauseMs, resolve));
      }
    }
  }

  /** The authorization server may take the refresh token before no longer, and the new one stands nowhere. */
  async #lost(held: OAuthTokenRow, rotated: boolean, error: unknown): Promise<Refreshed> {
    this.#deps.log.error("a renewed sign-in at an MCP server could not be stored: it may have to be made anew by a person", {
      ...about(held),
      event: "refresh_rotation_persistence_failed",
      rotated,
      code: GatewayError.from(error).code,
    });
    await this.#deps.rows.commit([this.#event("refresh_rotation_persistence_failed", held, { rotated })]).catch(() => false);
    return held;
  }

  async #failed(held: OAuthTokenRow, error: unknown, durationMs: number): Promise<Refreshed> {
    const { rows, clock, log } = this.#deps;
    const refused =
      error instanceof TokenRefused ? error : new TokenRefused(false, GatewayError.from(error).code, GatewayError.from(error));
    const { terminal, idpCode } = refused;
    const kind = terminal ? "refresh_failed_revoked" : "refresh_failed_transient";
    const over = { state: "revoked" as const, accessToken: null, refreshToken: null, expiresAtMs: null, refreshExpiresAtMs: null };
    const set = terminal ? { ...over, lastError: idpCode } : { lastError: idpCode, retryAtMs: clock.now() + RETRY_MS };
    const detail = { idp_error_code: idpCode, duration_ms: durationMs };
    const events = [this.#event(kind, held, detail), ...(terminal ? [this.#event("token_deleted_revoked", held, {})] : [])];
    log.warn(terminal ? "a sign-in at an MCP server is not valid any more" : "a sign-in at an MCP server could not be renewed", {
      ...about(held),
      code: idpCode,
    });
    await rows.settle(held, set, events);
    return rows.get(held);
  }

  #event(kind: AuthEventKind, row: OAuthTokenRow, detail: EventDetail): Write {
    return oauthEvent(
      { kind, server: row.server, principal: row.principal, actor: null, issuer: row.issuer, detail },
      this.#deps.clock.now(),
    );
  }
}

function isAnother(row: OAuthTokenRow, stale: OAuthTokenRow): boolean {
  return row.accessToken !== stale.accessToken || row.state !== stale.state;
}

function about(row: OAuthTokenRow): { readonly server: string; readonly principal: string } {
  return { server: row.server, principal: row.principal };
}
