import type { Headers, Inbound } from "../calls/index.js";

/** A page may read these of an answer, beside the few that every page may. */
const exposed = [
  "x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, location, mcp-session-id, mcp-protocol-version, www-authenticate",
  "x-sallyport-request-id, x-sallyport-model, x-sallyport-provider, x-sallyport-attempts, x-sallyport-cost-usd, x-sallyport-warnings",
].join(", ");
const token = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
const PREFLIGHT_SECONDS = 600;

/**
 * What lets pages of the origin read an answer. Never with credentials: keys travel in headers that a page has to set itself, so a visitor's browser adds nothing of its own.
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function corsHeaders(origin: string): Headers {
  return [
    ["access-control-allow-origin", origin],
    ["access-control-expose-headers", exposed],
    ["vary", "origin"],
  ];
}

/** The answer's part to a browser that asks before it sends; empty when nobody asks. Any header may be sent: what is not ours is not read. */
export function preflight(inbound: Inbound, methods: readonly string[]): Headers {
  if (inbound.header("access-control-request-method") === undefined) return [];
  const asked = (inbound.header("access-control-request-headers") ?? "").toLowerCase().split(",");
  const headers = asked.map((name) => name.trim()).filter((name) => token.test(name));
  return [
    ["access-control-allow-methods", methods.join(", ")],
    ...(headers.length === 0 ? [] : ([["access-control-allow-headers", headers.join(", ")]] as const)),
    ["access-control-max-age", String(PREFLIGHT_SECONDS)],
  ];
}
