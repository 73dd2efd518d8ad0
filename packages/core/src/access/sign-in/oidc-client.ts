import { GatewayError } from "../../errors/index.js";
import type { HttpClient } from "../../ports/index.js";
import type { Secret } from "../../util/secret.js";

type OpenidClient = typeof import("openid-client");
type Configuration = import("openid-client").Configuration;

/** A provider as its configuration has it. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
  readonly scopes: readonly string[];
}
/** What one sign-in is bound by. */
export interface OidcBinding {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}
export type OidcClaims = Readonly<Record<string, unknown>> & { readonly iss: string; readonly sub: string };

const DISCOVERY_MS = 3_600_000;
const WITHIN_MS = 15_000;
const MAX_BYTES = 1_048_576;

/**
 * One OpenID provider through `openid-client`: authorization code with PKCE S256, state and nonce; issuer, audience, times, nonce and the signature of the id token are checked by the library, the
 * signature too although the token comes straight from the provider. What the provider's documents name is dialled as a stranger's address, unless it is of the issuer's own origin.
 */
export class OidcClient {
  readonly #settings: OidcSettings;
  readonly #http: HttpClient;
  readonly #now: () => number;
  #configured: { readonly at: number; readonly configuration: Promise<Configuration> } | null = null;

  constructor(settings: OidcSettings, o: { readonly http: HttpClient; readonly now: () => number }) {
    this.#settings = settings;
    this.#http = o.http;
    this.#now = o.now;
  }

  /** Where the browser goes to sign in. Errors: `missing_dependency`, `upstream_unavailable`. */
  async authorizationUrl(binding: OidcBinding, redirectUri: string): Promise<string> {
    const client = await load();
    const configuration = await this.#configuration(client);
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: this.#settings.scopes.join(" "),
      state: binding.state,
      nonce: binding.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(binding.verifier),
      code_challenge_method: "S256",
    });
    return url.href;
  }

  /** What the provider says of who came back. `url`: the address that the browser came back to. Errors: `unauthenticated` for whatever is not right, `upstream_unavailable`. */
  async claims(url: string, binding: OidcBinding): Promise<OidcClaims> {
    const client = await load();
    const configuration = await this.#configuration(client);
    try {
      const tokens = await client.authorizationCodeGrant(configuration, new URL(url), {
        pkceCodeVerifier: binding.verifier,
        expectedState: binding.state,
        expectedNonce: binding.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw refused();
      return claims as unknown as OidcClaims;
    } catch (error) {
      if (GatewayError.is(error)) throw error;
      const cause: unknown = error instanceof Error ? error.cause : undefined;
      if (GatewayError.is(cause)) throw cause;
      throw refused(error instanceof Error && "code" in error ? String(error.code) : undefined);
    }
  }

  #configuration(client: OpenidClient): Promise<Configuration> {
    const known = this.#configured;
    if (known !== null && this.#now() - known.at < DISCOVERY_MS) return known.configuration;
    const configuration = this.#discover(client);
    const entry = { at: this.#now(), configuration };
    this.#configured = entry;
    configuration.catch(() => {
      if (this.#configured === entry) this.#configured = null; // a provider that is down is asked again
    });
    return configuration;
  }

  async #discover(client: OpenidClient): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings;
    const url = new URL(issuer);
    const authentication = clientSecret === undefined ? client.None() : client.ClientSecretPost(clientSecret.reveal());
    const insecure = url.protocol === "http:" ? [client.allowInsecureRequests] : [];
    try {
      const configuration = await client.discovery(url, clientId, {}, authentication, {
        execute: [...insecure, client.enableNonRepudiationChecks],
        [client.customFetch]: this.#fetch(url.origin),
        timeout: WITHIN_MS / 1_000,
      });
      if (configuration.serverMetadata().issuer !== issuer) throw otherIssuer();
      return configuration;
    } catch (error) {
      if (GatewayError.is(error)) throw error;
      throw new GatewayError("upstream_unavailable", "The OpenID provider's configuration could not be read.", {
        hint: "See that access.oidc.<name>.issuer is exactly what its discovery document names.",
        cause: withoutBody(error),
      });
    }
  }

  /** The library's requests through the guarded dialer; no redirect is followed. */
  #fetch(issuerOrigin: string): import("openid-client").CustomFetch {
    return async (url, options) => {
      const body = options.body === undefined || options.body === null ? null : new TextEncoder().encode(String(options.body as unknown));
      const headers = [...new Headers(options.headers)].map(([name, value]) => [name.toLowerCase(), value] as const);
      const trust = new URL(url).origin === issuerOrigin ? "operator" : "untrusted";
      const deadlineMs = this.#now() + WITHIN_MS;
      const answer = await this.#http.exchange(
        { method: options.method, url, headers, body, trust, idleMs: WITHIN_MS, endByMs: deadlineMs },
        { deadlineMs },
      );
      const bytes = await answer.bytes(MAX_BYTES);
      const given = answer.headers.map(([name, value]): [string, string] => [name, value]);
      return new Response(answer.status === 204 || answer.status === 304 ? null : (bytes as Uint8Array<ArrayBuffer>), {
        status: answer.status,
        headers: given,
      });
    };
  }
}

async function load(): Promise<OpenidClient> {
  try {
    return await import("openid-client");
  } catch (cause) {
    throw new GatewayError("missing_dependency", "Sign-in with an OpenID provider needs the package openid-client.", {
      hint: "npm install openid-client",
      cause,
    });
  }
}

function refused(code?: string): GatewayError {
  return new GatewayError("unauthenticated", "The OpenID provider did not say in a valid way who this is.", {
    hint: "Sign in again.",
    ...(code === undefined ? {} : { details: { reason: code } }),
  });
}

function otherIssuer(): GatewayError {
  return new GatewayError("misconfigured", "The OpenID provider names another issuer than was configured.", {
    hint: "Set access.oidc.<name>.issuer exactly as the discovery document has it.",
  });
}

/** An error of the library may carry the provider's answer. */
function withoutBody(error: unknown): Error {
  return new Error(error instanceof Error ? error.name : "unknown failure");
}
