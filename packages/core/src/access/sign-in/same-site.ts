import type { Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Crypto } from "../../ports/index.js";

const safe = new Set(["GET", "HEAD", "OPTIONS"]);
export const CSRF_HEADER = "x-sallyport-csrf";
const encoder = new TextEncoder();

export function isSafe(method: string): boolean {
  return safe.has(method);
}

/**
 * Whether a browser sent this for a page of the gateway itself: what cookies alone would let any page do is done for our own pages only (T39). Stricter than the check of every request: no other
 * origin may act with a cookie, also none of `server.allowedOrigins`, whose pages bring keys.
 * Errors: `origin_refused`. Source: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function assertOwnPage(inbound: Pick<Inbound, "header">): void {
  const site = inbound.header("sec-fetch-site");
  const origin = inbound.header("origin");
  if (site !== undefined && site !== "same-origin" && site !== "none") throw foreign();
  if (origin === undefined) return;
  const host = inbound.header("host")?.toLowerCase();
  const own = origin.toLowerCase().replace(/^https?:\/\//, "");
  if (host === undefined || own === origin.toLowerCase() || own !== host) throw foreign();
}

/** Errors: `origin_refused`; `forbidden` when the token of the session is missing or another's. */
export function assertNotForged(inbound: Pick<Inbound, "header" | "method">, token: string, crypto: Crypto): void {
  if (isSafe(inbound.method)) return;
  assertOwnPage(inbound);
  const given = inbound.header(CSRF_HEADER) ?? "";
  if (given.length === token.length && crypto.equal(encoder.encode(given), encoder.encode(token))) return;
  throw new GatewayError("forbidden", `The request changes something and lacks its session's ${CSRF_HEADER}.`, {
    hint: `Send the csrf_token of the login, or of GET /api/v1/me, as ${CSRF_HEADER}.`,
    details: { missing: CSRF_HEADER },
  });
}

function foreign(): GatewayError {
  return new GatewayError("origin_refused", "A page of another origin cannot act with a session's cookie.", {
    hint: "Call from the gateway's own pages, or with a key in a header.",
  });
}
