import type { Inbound } from "../../calls/index.js";
import { isLoopback } from "../../util/loopback-name.js";

type Head = Pick<Inbound, "header">;

/** Over HTTPS browsers keep it for this host alone; the prefix says so, and no other site or subdomain can set it. Source: RFC 6265bis §4.1.3.2 */
const SECURE = "__Host-sallyport_session";
/** Over HTTP only on this machine, where there is no network to listen on. */
const LOOPBACK = "sallyport_session";
const SIGN_IN = "sallyport_sign_in";
/** Of a browser whose user agreed to sign the gateway in somewhere. */
const AGREED = "sallyport_agreed";
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

export function agreedToken(head: Head): string | null {
  return cookie(head, isSecure(head) ? `__Host-${AGREED}` : AGREED);
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

export function setAgreedCookie(head: Head, token: string, maxAgeMs: number): SetCookie {
  return setCookie(isSecure(head) ? `__Host-${AGREED}` : AGREED, { head, value: token, maxAgeMs });
}

function setCookie(name: string, o: { readonly head: Head; readonly value: string; readonly maxAgeMs: number }): SetCookie {
  const secure = isSecure(o.head) ? "; Secure" : "";
  return ["set-cookie", `${name}=${o.value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(o.maxAgeMs / 1_000)}${secure}`];
}

/** The address that the browser knows this gateway by, without a slash at the end: `publicUrl`, or what the request says. */
export function ownUrl(inbound: Pick<Inbound, "header" | "basePath">, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, "");
  const host = inbound.header("host") ?? "localhost";
  return `${isSecure(inbound) ? "https" : "http"}://${host}${inbound.basePath}`;
}
