import type { JWTVerifyGetKey } from "jose";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient } from "../../ports/index.js";

type Jose = typeof import("jose");

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Left out: as the issuer's metadata names it. */
  readonly jwksUrl: string | undefined;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly jose: Jose;
}

const WITHIN_MS = 10_000;
const MAX_BYTES = 262_144;
const KEPT_MS = 600_000;
const PAUSE_MS = 30_000;

/**
 * The public keys of a token issuer, by `jose`: read when a token names one that is not known, kept for ten minutes. While they cannot be read, tokens of keys that are not kept are refused. Only the operator's own
 * addresses, and what the issuer's metadata names at public ones, are dialled.
 */
export class IssuerKeys {
  readonly #o: IssuerKeysOptions;
  #keys: { readonly get: JWTVerifyGetKey; readonly atMs: number } | null = null;
  #failedAtMs = -Infinity;

  constructor(options: IssuerKeysOptions) {
    this.#o = options;
  }

  /** Errors: those of jose; `upstream_unavailable` when the issuer cannot be asked. */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    const { clock } = this.#o;
    if (this.#keys === null) {
      if (clock.now() - this.#failedAtMs < PAUSE_MS) throw unavailable();
      this.#keys = { get: await this.#open(), atMs: clock.now() };
    }
    return this.#keys.get(header, token);
  };

  async #open(): Promise<JWTVerifyGetKey> {
    const { jose, issuer } = this.#o;
    try {
      const url = this.#o.jwksUrl ?? (await this.#jwksUrl(issuer));
      const fetchKeys = async (asked: string): Promise<Response> => {
        const { status, bytes } = await this.#get(asked);
        return new Response(bytes as Uint8Array<ArrayBuffer>, { status, headers: { "content-type": "application/json" } });
      };
      return jose.createRemoteJWKSet(new URL(url), {
        cacheMaxAge: KEPT_MS,
        cooldownDuration: PAUSE_MS,
        timeoutDuration: WITHIN_MS,
        [jose.customFetch]: fetchKeys,
      });
    } catch (error) {
      this.#failedAtMs = this.#o.clock.now();
      throw GatewayError.is(error) ? error : unavailable();
    }
  }

  /** RFC 8414, or OpenID Connect Discovery. */
  async #jwksUrl(issuer: string): Promise<string> {
    const { origin, pathname } = new URL(issuer);
    const path = pathname.replace(/\/$/, "");
    const places = [
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
    ];
    for (const place of new Set(places)) {
      const { status, bytes } = await this.#get(place);
      if (status !== 200) continue;
      const said = JSON.parse(new TextDecoder().decode(bytes)) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
      if (said.issuer === issuer && typeof said.jwks_uri === "string" && /^https?:\/\//.test(said.jwks_uri)) return said.jwks_uri;
    }
    throw unavailable();
  }

  async #get(url: string): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
    const { http, clock, issuer, jwksUrl } = this.#o;
    const { origin, protocol } = new URL(url);
    const own = new Set([issuer, jwksUrl].flatMap((known) => (known === undefined ? [] : [new URL(known).origin])));
    const trust = own.has(origin) ? "operator" : "untrusted";
    if (trust === "untrusted" && protocol !== "https:") throw unavailable();
    const deadlineMs = clock.now() + WITHIN_MS;
    const headers = [["accept", "application/json"]] as const;
    const answer = await http.exchange(
      { method: "GET", url, headers, body: null, trust, idleMs: WITHIN_MS, endByMs: deadlineMs },
      { deadlineMs },
    );
    return { status: answer.status, bytes: await answer.bytes(MAX_BYTES) };
  }
}

function unavailable(): GatewayError {
  return new GatewayError("upstream_unavailable", "The keys of the token's issuer could not be read.", {
    hint: "See that access.resourceServer.issuers names the issuer exactly, and that it can be reached.",
  });
}
