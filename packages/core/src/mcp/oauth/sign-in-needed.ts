import { GatewayError } from "../../errors/index.js";

/** Where somebody goes to sign in. */
export interface SignInLink {
  readonly url: string;
  /** What the page there asks of a browser whose user the gateway does not know. */
  readonly confirmationCode: string;
  readonly expiresAtMs: number;
}

/** For a server that each caller signs in at: the caller has to act. */
export function signInNeeded(server: string, why: string, link: SignInLink | null): GatewayError {
  const where =
    link === null ? {} : { authorization_url: link.url, confirmation_code: link.confirmationCode, expires_at_ms: link.expiresAtMs };
  return new GatewayError("authorization_required", `You have to sign in at the MCP server "${server}" first: ${why}.`, {
    details: { server, ...where },
    hint:
      link === null
        ? `POST /api/v1/admin/gateway/connections/${server}/oauth-start gives the address to open in a browser.`
        : "Open the address of details.authorization_url in a browser, type details.confirmation_code if it asks for a code, then call again.",
  });
}

/** For a server that is signed in at once for all callers: a person who runs the gateway has to act. */
export function awaiting(server: string, why: string): GatewayError {
  return new GatewayError("upstream_credential", `Awaiting OAuth authorization: ${why}.`, {
    details: { reason: "authorization_required", server },
    hint: `POST /api/v1/admin/gateway/connections/${server}/oauth-start gives the address to open in a browser.`,
  });
}
