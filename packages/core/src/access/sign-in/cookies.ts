import type { Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { isLoopback } from "../../util/loopback-name.js";

type Head = Pick<Inbound, "header">;

/** Over HTTPS browsers keep it for this host alone; the prefix says so, and no other site or subdomain can set it. Source: RFC 6265bis §4.1.3.2 */
const SECURE = "__Host-sallyport_session";
/** Over HTTP only on this machine, where there is no network to listen on. */
const LOOPBACK = "sallyport_session";
const SIGN_IN = "sallyport_sign_in";
/** Of a browser whose user agreed to sign the gateway in somewhere, one for each sign-in. */
const AGREED = "sallyport_agreed";
/** Of a browser that was shown a page of consent: what it sends from there has to come from that page. */
const CONSENT = "sallyport_consent";
const tokenForm = /^[A-Za-z0-9_-]{43}$/;
const authorityForm = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/i;

/** Whether the browser reached us over HTTPS. By a loopback name it did not, unless a proxy before us says so; by any other name only HTTPS is served with cookies. */
function isSecure(head: Head): boolean {
  const [, name] = authorityForm.exec(head.header("host") ?? "") ?? [];
  if (name === undefined || !isLoopback(name.toLowerCase())) return true;
  return head.header("x-forwarded-proto")?.trim().toLowerCase() === "https";
}

/** What the request's session cookie holds; null: none. Two of one name count as none: which of them a browser sends first says nothing of whose it is. */
export function sessionToken(head: Head): string | null {
  return cookie(head, isSecure(head) ? SECURE : LOOPBACK);
}

export function signInToken(head: Head): string | null {
  return cookie(head, isSecure(head) ? `__Host-${SIGN_IN}` : SIGN_IN);
}

/** `id`: of the sign-in, in hexadecimal. */
export function agreedToken(head: Head, id: string): string | null {
  return cookie(head, nameOf(head, agreedName(id)));
}

export function consentToken(head: Head): string | null {
  return cookie(head, nameOf(head, CONSENT));
}

function agreedName(id: string): string {
  return `${AGREED}_${id.slice(0, 16)}`;
}
function nameOf(head: Head, name: string): string {
  return isSecure(head) ? `__Host-${name}` : name;
}

function cookie(head: Head, name: string): string | null {
  const header = head.header("cookie");
  if (header === undefined || header.length > 16_384) return null;
  let found: string | null = null;
  // HTTP/2 and our own joining of header lines may have a comma where the browser wrote a semicolon.
  for (const part of header.split(/[;,]/)) {
    const at = part.indexOf("=");
    if (at < 0 || part.slice(0, at).trim() !== name) continue;
    if (found !== null) return null;
    found = part.slice(at + 1).trim();
  }
  return found !== null && tokenForm.test(found) ? found : null;
}

export type SetCookie = readonly ["set-cookie", string];

export function setSessionCookie(head: Head, token: string, maxAgeMs: number): SetCookie {
  return setCookie(isSecure(head) ? SECURE : LOOPBACK, { head, value: token, maxAgeMs });
}

/** The browser forgets its session. */
export function clearSessionCookie(head: Head): SetCookie {
  return setCookie(isSecure(head) ? SECURE : LOOPBACK, { head, value: "", maxAgeMs: 0 });
}

export function setSignInCookie(head: Head, token: string, maxAgeMs: number): SetCookie {
  return setCookie(isSecure(head) ? `__Host-${SIGN_IN}` : SIGN_IN, { head, value: token, maxAgeMs });
}

export function setAgreedCookie(head: Head, o: { readonly id: string; readonly token: string; readonly maxAgeMs: number }): SetCookie {
  return setCookie(nameOf(head, agreedName(o.id)), { head, value: o.token, maxAgeMs: o.maxAgeMs });
}

export function setConsentCookie(head: Head, token: string, maxAgeMs: number): SetCookie {
  return setCookie(nameOf(head, CONSENT), { head, value: token, maxAgeMs });
}

function setCookie(name: string, o: { readonly head: Head; readonly value: string; readonly maxAgeMs: number }): SetCookie {
  const secure = isSecure(o.head) ? "; Secure" : "";
  return ["set-cookie", `${name}=${o.value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(o.maxAgeMs / 1_000)}${secure}`];
}

/**
 * Where browsers reach this gateway for what an authorization server sends them back to: `publicUrl`, or on this machine what the request says. Any other name that stands in a Host header may be of whoever sent it, and a code would go there.
 * Errors: `misconfigured`.
 */
export function browserUrl(inbound: Pick<Inbound, "header" | "basePath">, publicUrl: string | undefined): string {
  const [, name] = authorityForm.exec(inbound.header("host") ?? "") ?? [];
  if (publicUrl !== undefined || (name !== undefined && isLoopback(name.toLowerCase()))) return ownUrl(inbound, publicUrl);
  throw new GatewayError("misconfigured", "Nobody said how browsers reach the gateway.", {
    hint: "Set access.publicUrl; without it sign-ins are begun by a name of this machine alone, such as localhost.",
    details: { setting: "access.publicUrl" },
  });
}

/** The address that the browser knows this gateway by, without a slash at the end: `publicUrl`, or what the request says. */
export function ownUrl(inbound: Pick<Inbound, "header" | "basePath">, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, "");
  const host = inbound.header("host") ?? "localhost";
  return `${isSecure(inbound) ? "https" : "http"}://${host}${inbound.basePath}`;
}
