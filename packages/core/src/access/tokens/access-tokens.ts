import type { JWTPayload } from "jose";
import type { Caller, Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, Crypto, HttpClient } from "../../ports/index.js";
import { toHex } from "../../util/encoding/hex.js";
import { Secret } from "../../util/secret.js";
import { isGranted } from "../grants.js";
import { IssuerKeys } from "./issuer-keys.js";
import { noteSubjectToken } from "./subject-tokens.js";

/** An issuer as its configuration has it. */
export interface TokenIssuer {
  readonly issuer: string;
  /** Left out: as the issuer's metadata names it. */
  readonly jwksUrl?: string | undefined;
  /** Left out: the gateway, or the very address that is asked. */
  readonly audience?: readonly string[] | undefined;
  readonly algorithms: readonly string[];
  /** Grants by scope. */
  readonly scopes: Readonly<Record<string, readonly string[]>>;
  readonly project: string;
}
export interface AccessTokensOptions {
  readonly config: { readonly issuers: readonly TokenIssuer[] };
  readonly publicUrl: string;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly crypto: Crypto;
}
interface Known {
  readonly caller: Caller;
  readonly untilMs: number;
  readonly scopes: readonly string[];
}

const TOKEN = /^eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const WELL_KNOWN = "/.well-known/oauth-protected-resource";
const TOLERANCE_S = 30;
const MAX_KNOWN = 2_000;
const encoder = new TextEncoder();

/**
 * The gateway as an OAuth resource server for MCP: access tokens (JWT) of the operator's issuers, for the very address that is asked, by scopes that stand for grants. What a token says of where its keys are is not
 * looked at. Source: RFC 9068, RFC 9728, RFC 6750, MCP Authorization.
 */
export class AccessTokens {
  readonly #o: AccessTokensOptions;
  readonly #keys = new Map<string, IssuerKeys>();
  readonly #known = new Map<string, Known>();
  readonly #scopes = new WeakMap<Caller, readonly string[]>();
  readonly #ends = new WeakMap<Caller, number>();

  constructor(options: AccessTokensOptions) {
    this.#o = options;
  }

  /** Whether a credential has the form of one: no key of a gateway has. */
  isToken(credential: string): boolean {
    return TOKEN.test(credential);
  }

  /** Errors: `unauthenticated` for whatever is not right, `upstream_unavailable` when the issuer's keys cannot be had, `missing_dependency`. */
  identify(token: string, inbound: Pick<Inbound, "path">): Caller | Promise<Caller> {
    const nowMs = this.#o.clock.now();
    const known = this.#known.get(`${inbound.path} ${token}`);
    return known !== undefined && known.untilMs > nowMs ? known.caller : this.#verified(token, inbound.path);
  }

  /** The end of the token that a caller came in with, Unix ms; undefined: it came in otherwise. */
  untilMs(caller: Caller): number | undefined {
    return this.#ends.get(caller);
  }

  /** `WWW-Authenticate` of a 401. */
  challenge(path: string, isRefused: boolean): string {
    return `Bearer ${isRefused ? 'error="invalid_token", ' : ""}resource_metadata="${this.#metadataUrl(path)}"`;
  }

  /** `WWW-Authenticate` of a 403, for a caller that came with a token; null: it did not, or no scope would help. */
  stepUp(caller: Caller, missing: string, path: string): string | null {
    const has = this.#scopes.get(caller);
    const at = missing.indexOf(":");
    if (has === undefined || at < 0) return null;
    const [what, name] = [missing.slice(0, at), missing.slice(at + 1)];
    const helps = this.#o.config.issuers
      .flatMap(({ scopes }) => Object.entries(scopes))
      .find(([, grants]) => isGranted(grants, what, name))?.[0];
    if (helps === undefined || has.includes(helps)) return null;
    const scope = [...new Set([...has, helps])].join(" ");
    return `Bearer error="insufficient_scope", scope="${scope}", resource_metadata="${this.#metadataUrl(path)}"`;
  }

  /** Protected-resource metadata of an MCP address. Source: RFC 9728 §3.2. */
  metadata(path: string): Readonly<Record<string, unknown>> {
    const { issuers } = this.#o.config;
    return {
      resource: `${this.#base()}${path}`,
      authorization_servers: issuers.map(({ issuer }) => issuer),
      scopes_supported: [...new Set(issuers.flatMap(({ scopes }) => Object.keys(scopes)))],
      bearer_methods_supported: ["header"],
      resource_name: "Sallyport",
    };
  }

  async #verified(token: string, path: string): Promise<Caller> {
    const jose = await load();
    let said: JWTPayload;
    try {
      said = jose.decodeJwt(token);
    } catch {
      throw refused("form");
    }
    const issuer = this.#o.config.issuers.find((one) => one.issuer === said.iss);
    if (issuer === undefined) throw refused("issuer");
    let payload: JWTPayload;
    try {
      const verified = await jose.jwtVerify(token, this.#keysOf(issuer, jose).get, {
        issuer: issuer.issuer,
        audience: issuer.audience === undefined ? [`${this.#base()}${path}`, this.#base()] : [...issuer.audience],
        algorithms: [...issuer.algorithms],
        requiredClaims: ["exp", "sub"],
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(this.#o.clock.now()),
      });
      payload = verified.payload;
    } catch (error) {
      if (GatewayError.is(error)) throw error;
      if (error instanceof jose.errors.JWKSTimeout || !(error instanceof jose.errors.JOSEError) || error.code === "ERR_JOSE_GENERIC")
        throw new GatewayError("upstream_unavailable", "The keys of the token's issuer could not be read.");
      throw refused(error.code);
    }
    return this.#admit(token, path, { payload, issuer });
  }

  #admit(token: string, path: string, { payload, issuer }: { readonly payload: JWTPayload; readonly issuer: TokenIssuer }): Caller {
    const scopes = scopesOf(payload);
    const grants = [...new Set(scopes.flatMap((scope) => (Object.hasOwn(issuer.scopes, scope) ? issuer.scopes[scope]! : [])))];
    const { sub = "" } = payload;
    const digest = toHex(this.#o.crypto.sha256(encoder.encode(`${issuer.issuer}\n${sub}`))).slice(0, 40);
    const id = `oauth_${digest}`;
    const said = [payload["name"], payload["preferred_username"], sub].find(
      (name): name is string => typeof name === "string" && name !== "",
    );
    const caller: Caller = { kind: "user", id, userId: id, name: (said ?? id).slice(0, 100), projects: [issuer.project], grants };
    noteSubjectToken(caller, new Secret(token));
    this.#scopes.set(caller, scopes);
    const endMs = (payload.exp ?? 0) * 1_000;
    // One that is taken after its end, since clocks differ, is taken that long.
    this.#ends.set(caller, endMs > this.#o.clock.now() ? endMs : endMs + TOLERANCE_S * 1_000);
    this.#known.set(`${path} ${token}`, { caller, scopes, untilMs: endMs });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    return caller;
  }

  #keysOf({ issuer, jwksUrl }: TokenIssuer, jose: Awaited<ReturnType<typeof load>>): IssuerKeys {
    let keys = this.#keys.get(issuer);
    if (keys === undefined)
      this.#keys.set(issuer, (keys = new IssuerKeys({ issuer, jwksUrl, http: this.#o.http, clock: this.#o.clock, jose })));
    return keys;
  }

  #base(): string {
    return this.#o.publicUrl.replace(/\/+$/, "");
  }
  #metadataUrl(path: string): string {
    return `${this.#base()}${WELL_KNOWN}${path}`;
  }
}

/** `scope` as RFC 9068 has it, or `scp` as some large providers do. */
function scopesOf(payload: JWTPayload): string[] {
  const said = payload["scope"] ?? payload["scp"];
  const list = typeof said === "string" ? said.split(" ") : Array.isArray(said) ? said : [];
  return list.filter((scope): scope is string => typeof scope === "string" && /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(scope));
}

function refused(reason: string): GatewayError {
  return new GatewayError("unauthenticated", "The access token is not one that this gateway takes here.", {
    details: { reason: reason.toLowerCase() },
    hint: "It has to be of one of the gateway's issuers, for this very address, and not over.",
  });
}

async function load(): Promise<typeof import("jose")> {
  try {
    return await import("jose");
  } catch (cause) {
    throw new GatewayError("missing_dependency", "Access tokens need the package jose.", { hint: "npm install jose", cause });
  }
}
