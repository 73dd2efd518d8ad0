import type { AuthorizationServerMetadata, OAuthTokens } from "@modelcontextprotocol/client";
import { GatewayError } from "../../../errors/index.js";
import { Secret } from "../../../util/secret.js";
import type { Authority } from "../discovery.js";
import { invalidMetadata, type GuardedFetch } from "../guarded-fetch.js";

/** Who the gateway is at an authorization server. */
export interface ClientIdentity {
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
  /** Where the secret goes, when the operator says it. */
  readonly style?: "header" | "params" | undefined;
}
/** What was issued. Instants are Unix ms. */
export interface Tokens {
  readonly accessToken: Secret;
  /** null: none was sent. */
  readonly refreshToken: Secret | null;
  readonly expiresAtMs: number | null;
  readonly refreshExpiresAtMs: number | null;
  readonly scope: string | null;
}
export type Asking =
  | { readonly grant: "client_credentials"; readonly scope: string | undefined }
  | {
      readonly grant: "authorization_code";
      readonly code: string;
      readonly verifier: Secret;
      readonly redirectUri: string;
      readonly iss: string | undefined;
    }
  | { readonly grant: "refresh_token"; readonly refreshToken: Secret; readonly scope: string | undefined }
  | { readonly grant: "token_exchange"; readonly subject: Secret; readonly scope: string | undefined };
export interface TokenRequest {
  readonly authority: Authority;
  readonly client: ClientIdentity;
  readonly resource: string | undefined;
  readonly asking: Asking;
  readonly guarded: GuardedFetch;
  readonly nowMs: number;
}

/** By these the authorization server says that it is no use to come again. Source: RFC 6749 §5.2. */
const TERMINAL: ReadonlySet<string> = new Set(["invalid_grant", "invalid_client", "unauthorized_client", "unsupported_grant_type"]);
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

/** A token that was not issued. `terminal`: asking again with the same grant is no use. `idpCode`: one word of the authorization server, or of ours. */
export class TokenRefused extends Error {
  constructor(
    readonly terminal: boolean,
    readonly idpCode: string,
    readonly error: GatewayError,
  ) {
    super(error.message);
  }
}

/**
 * One request to a token endpoint, by the SDK's functions: HTTP Basic with the id and secret as they are, since large providers compare them so, or both in the body.
 * Errors: `TokenRefused` alone; nothing of an answer's text is in it.
 */
export async function requestToken(o: TokenRequest): Promise<Tokens> {
  try {
    return tokensOf(await ask(o), o);
  } catch (error) {
    throw refusalOf(error, o.guarded);
  }
}

async function ask(o: TokenRequest): Promise<OAuthTokens> {
  const sdk = await import("@modelcontextprotocol/client");
  const { authority, asking, guarded, resource } = o;
  const clientInformation = {
    client_id: o.client.clientId,
    ...(o.client.clientSecret === undefined ? {} : { client_secret: o.client.clientSecret.reveal() }),
    ...methodOf(o.client),
  };
  const metadata = metadataFor(authority.metadata, o.client);
  const target = resource === undefined ? {} : { resource };
  const common = { metadata, clientInformation, fetchFn: guarded.fetch, ...target };
  switch (asking.grant) {
    case "authorization_code": {
      const { code, verifier, redirectUri, iss } = asking;
      const given = { authorizationCode: code, codeVerifier: verifier.reveal(), redirectUri, ...(iss === undefined ? {} : { iss }) };
      return sdk.exchangeAuthorization(authority.issuer, { ...common, ...given });
    }
    case "refresh_token":
      return sdk.refreshAuthorization(authority.issuer, { ...common, refreshToken: asking.refreshToken.reveal() });
    default: {
      const params = new URLSearchParams({ grant_type: asking.grant === "client_credentials" ? asking.grant : EXCHANGE });
      if (asking.scope !== undefined) params.set("scope", asking.scope);
      if (asking.grant === "token_exchange") {
        params.set("subject_token", asking.subject.reveal());
        params.set("subject_token_type", ACCESS_TOKEN);
        params.set("requested_token_type", ACCESS_TOKEN);
      }
      const provider = {
        redirectUrl: undefined,
        clientMetadata: { redirect_uris: [] },
        clientInformation: () => ({ ...clientInformation, issuer: metadata.issuer }),
        prepareTokenRequest: () => params,
        ...never,
      };
      return sdk.fetchToken(provider, authority.issuer, {
        metadata,
        fetchFn: guarded.fetch,
        ...(resource === undefined ? {} : { resource: new URL(resource) }),
      });
    }
  }
}

const refuse = (): never => {
  throw new GatewayError("internal", "The SDK asked for a part of a sign-in that is not its own here.");
};
const never = { tokens: refuse, saveTokens: refuse, redirectToAuthorization: refuse, saveCodeVerifier: refuse, codeVerifier: refuse };

function methodOf({ clientSecret, style }: ClientIdentity): { readonly token_endpoint_auth_method?: string } {
  if (clientSecret === undefined) return { token_endpoint_auth_method: "none" };
  if (style === undefined) return {};
  return { token_endpoint_auth_method: style === "header" ? "client_secret_basic" : "client_secret_post" };
}

/** What the operator says of the method goes before what the metadata says. */
function metadataFor(metadata: AuthorizationServerMetadata, client: ClientIdentity): AuthorizationServerMetadata {
  return client.style === undefined && client.clientSecret !== undefined
    ? metadata
    : { ...metadata, token_endpoint_auth_methods_supported: [] };
}

function tokensOf(tokens: OAuthTokens, o: TokenRequest): Tokens {
  if (tokens.token_type.toLowerCase() !== "bearer") throw invalidMetadata("the token is of another type than bearer", "token_type");
  if (!/^[\x21-\x7e]{1,16384}$/.test(tokens.access_token)) throw invalidMetadata("the token is no header's value", "token");
  const said = o.guarded.seen()?.json;
  // The SDK gives the one that was sent, where there is no other.
  const refreshToken = said?.["refresh_token"];
  return {
    accessToken: new Secret(tokens.access_token),
    refreshToken: typeof refreshToken === "string" && refreshToken !== "" ? new Secret(refreshToken) : null,
    expiresAtMs: instantOf(said?.["expires_in"], o.nowMs),
    refreshExpiresAtMs: instantOf(said?.["refresh_expires_in"], o.nowMs),
    scope: tokens.scope ?? null,
  };
}

/** Some send the seconds as text. 0 is what Keycloak says of a token without an end. */
function instantOf(seconds: unknown, nowMs: number): number | null {
  const count = typeof seconds === "string" && /^\d{1,10}$/.test(seconds) ? Number(seconds) : seconds;
  return typeof count === "number" && Number.isFinite(count) && count > 0
    ? nowMs + Math.floor(Math.min(count, 3_153_600_000) * 1_000)
    : null;
}

function refusalOf(error: unknown, guarded: GuardedFetch): TokenRefused {
  if (error instanceof TokenRefused) return error;
  if (GatewayError.is(error, "address_refused"))
    return new TokenRefused(
      false,
      "address_refused",
      invalidMetadata("the token endpoint's address is private, and the operator did not name it", "private_address"),
    );
  if (GatewayError.is(error)) return new TokenRefused(false, error.code, error);
  const seen = guarded.seen();
  const named: unknown = error instanceof Error && "kind" in error ? error.kind : undefined;
  if (named === "authorization_response")
    return new TokenRefused(
      true,
      "issuer_mismatch",
      new GatewayError("upstream_credential", "The answer to the sign-in is of another authorization server."),
    );
  const said = seen?.json?.["error"];
  const idpCode = typeof said === "string" && /^[a-z_]{1,40}$/.test(said) ? said : seen === null ? "no_answer" : `status_${seen.status}`;
  const terminal = seen !== null && (seen.status === 401 || (seen.status === 400 && TERMINAL.has(idpCode)));
  const details = { reason: "oauth_token_refused", idp_code: idpCode, ...(seen === null ? {} : { token_status: seen.status }) };
  if (terminal)
    return new TokenRefused(
      true,
      idpCode,
      new GatewayError("upstream_credential", `The authorization server refused the gateway's credential: ${idpCode}.`, { details }),
    );
  if (seen !== null && seen.status >= 400 && seen.status < 500 && seen.status !== 429 && seen.status !== 408)
    return new TokenRefused(
      false,
      idpCode,
      new GatewayError("upstream_credential", `The authorization server refused to issue a token: ${idpCode}.`, { details }),
    );
  if (seen !== null && seen.status < 300)
    return new TokenRefused(
      false,
      "not_a_token",
      new GatewayError("upstream_protocol", "The authorization server answered with what is no token.", { details }),
    );
  return new TokenRefused(
    false,
    idpCode,
    new GatewayError("upstream_unavailable", "The authorization server could not be asked for a token.", { details }),
  );
}
