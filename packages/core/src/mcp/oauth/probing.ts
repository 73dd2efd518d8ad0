import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient } from "../../ports/index.js";
import type { Secret } from "../../util/secret.js";
import type { Authorizer } from "../lanes/authorizer.js";
import { Discovery } from "./discovery.js";
import type { OAuthServer } from "./oauth-server.js";
import { OwnCredentials } from "./tokens/own-credentials.js";
import { ShownTokens } from "./tokens/shown-tokens.js";

export interface ProbingOptions {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** A token that the caller came in with, for exchange; null: none. */
  readonly subject: Secret | null;
}

/**
 * Who the gateway is to a server that it looks at once: signed in by itself where that needs nobody, with a token that is in memory alone and gone after. Where a person has to sign in, it comes as nobody, and is told
 * `upstream_credential`, `details.reason` "authorization_required", if the server takes nobody.
 */
export function probingAuthorizer(server: OAuthServer, { http, clock, subject }: ProbingOptions): Authorizer {
  const { grant } = server.auth;
  const own = (ask: ConstructorParameters<typeof OwnCredentials>[0]["ask"]) =>
    new OwnCredentials({ server, clock, discovery: new Discovery({ http, clock }), shown: new ShownTokens(null), ask });
  if (grant === "client_credentials") return own((scope) => ({ grant, scope }));
  if (grant === "token_exchange" && subject !== null) return own((scope) => ({ grant, subject, scope }));
  return {
    headers: () => Promise.resolve([]),
    standing: () => Promise.resolve(null),
    secrets: () => [],
    refused: () => Promise.reject(nobody(server, grant)),
  };
}

function nobody({ name }: OAuthServer, grant: "authorization_code" | "token_exchange"): GatewayError {
  const isPerson = grant === "authorization_code";
  return new GatewayError(
    "upstream_credential",
    isPerson
      ? `A person has to sign in at "${name}" before it shows anything.`
      : `A token for "${name}" is exchanged for the caller's own, and this caller came in without one.`,
    {
      details: { reason: isPerson ? "authorization_required" : "no_subject_token", server: name },
      hint: isPerson ? "Add the server, and sign in with oauth-start." : "Call with an access token of an issuer of access.resourceServer.",
    },
  );
}
