import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient } from "../../ports/index.js";
import { isLoopback } from "../../util/loopback-name.js";

export const OAUTH_MS = 30_000;
const MAX_BYTES = 262_144;

export interface GuardedFetchOptions {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Origins that the operator named: they may be private. All others are strangers'. */
  readonly operatorOrigins: ReadonlySet<string>;
}
/** What came last: what a library makes of an answer loses its status and the fields that it does not know. */
export interface SeenAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>> | null;
}
export type OAuthFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;
export interface GuardedFetch {
  readonly fetch: OAuthFetch;
  readonly seen: () => SeenAnswer | null;
}

/**
 * `fetch` for the SDK's OAuth functions, over the guarded dialer: no redirect is followed, an answer is whole within 30 s and 256 KiB, plain HTTP only to this machine and to what the operator named.
 * Errors: `upstream_protocol`, and those of the HTTP client.
 */
export function guardedFetch(o: GuardedFetchOptions): GuardedFetch {
  let seen: SeenAnswer | null = null;
  const fetch: OAuthFetch = async (given, init) => {
    seen = null;
    const url = assertOAuthUrl(String(given), o.operatorOrigins);
    const deadlineMs = o.clock.now() + OAUTH_MS;
    const headers = [...new Headers(init?.headers)].map(([name, value]) => [name.toLowerCase(), value] as const);
    const answer = await o.http.exchange(
      {
        method: init?.method ?? "GET",
        url: url.href,
        headers: headers.some(([name]) => name === "accept") ? headers : [...headers, ["accept", "application/json"]],
        body: bodyOf(init?.body),
        trust: o.operatorOrigins.has(url.origin) ? "operator" : "untrusted",
        idleMs: OAUTH_MS,
        endByMs: deadlineMs,
      },
      { deadlineMs },
    );
    if (answer.status >= 300 && answer.status < 400) {
      answer.discard();
      throw invalidMetadata(`${url.origin} answered with a redirect, which is not followed`, "redirect");
    }
    const bytes = await wholeOf(answer.bytes(MAX_BYTES), url.origin);
    seen = { status: answer.status, json: objectOf(bytes) };
    const given_ = answer.headers.flatMap(([name, value]): [string, string][] => (name === "content-type" ? [[name, value]] : []));
    const empty = answer.status === 204 || answer.status === 304;
    return new Response(empty ? null : (bytes as Uint8Array<ArrayBuffer>), { status: answer.status, headers: given_ });
  };
  return { fetch, seen: () => seen };
}

/** Errors: `upstream_protocol` for what is no address that a secret, or a browser, may be sent to (T02). */
export function assertOAuthUrl(text: string, operatorOrigins: ReadonlySet<string>): URL {
  if (!URL.canParse(text) || /[\0-\x20\x7f\\]/.test(text)) throw invalidMetadata("an address is not a URL", "url");
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw invalidMetadata("an address is not one of HTTP", "scheme");
  if (url.username !== "" || url.password !== "") throw invalidMetadata("an address has a user in it", "userinfo");
  if (url.hash !== "") throw invalidMetadata("an address has a fragment", "fragment");
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !operatorOrigins.has(url.origin))
    throw invalidMetadata("an address is not one of HTTPS", "plain_http");
  return url;
}

/** `details.reason` is `oauth_invalid_metadata`, `details.problem` one word. */
export function invalidMetadata(what: string, problem: string): GatewayError {
  return new GatewayError("upstream_protocol", `What the server, or its authorization server, says of signing in is not valid: ${what}.`, {
    details: { reason: "oauth_invalid_metadata", problem },
    hint: "Ask who runs it; with issuer, or tokenUrl, in the server's auth the gateway asks nobody else.",
  });
}

async function wholeOf(bytes: Promise<Uint8Array>, origin: string): Promise<Uint8Array> {
  try {
    return await bytes;
  } catch (error) {
    if (!GatewayError.is(error, "payload_too_large")) throw error;
    throw invalidMetadata(`${origin} answered with more than ${MAX_BYTES} bytes`, "too_large");
  }
}

function bodyOf(body: RequestInit["body"]): Uint8Array | null {
  if (body === undefined || body === null) return null;
  if (typeof body !== "string" && !(body instanceof URLSearchParams))
    throw new GatewayError("internal", "An OAuth request has a body of another kind.");
  return new TextEncoder().encode(body.toString());
}

function objectOf(bytes: Uint8Array): SeenAnswer["json"] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as SeenAnswer["json"]) : null;
  } catch {
    return null;
  }
}
