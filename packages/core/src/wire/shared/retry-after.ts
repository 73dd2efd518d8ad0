import type { Headers } from "../../calls/index.js";

/** A wait that a vendor may ask for; what is longer is cut, so that one bad header cannot bench a provider for ever. */
const maxWaitMs = 24 * 3600 * 1000;

/**
 * When a vendor says the request may be repeated, in ms from `nowMs`; undefined when it does not say. Read in this order: `retry-after-ms`; `Retry-After` as
 * seconds or as an HTTP date (RFC 9110 §10.2.3); the reset of the buckets that are empty, OpenAI's such as `x-ratelimit-reset-tokens: 6m0s`, or Anthropic's such as
 * `anthropic-ratelimit-tokens-reset: 2026-11-21T00:00:00Z`.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const get = (name: string) => headers.find(([key]) => key === name)?.[1].trim();
  return bounded(numberOf(get("retry-after-ms"))) ?? bounded(fromRetryAfter(get("retry-after"), nowMs)) ?? bounded(fromBuckets(get, nowMs));
}

/** A duration such as `6m0s`, `1h2m3.5s`, `120ms` or plain seconds, in ms. */
export function durationMs(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const seconds = numberOf(text);
  if (seconds !== undefined) return seconds * 1000;
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/.exec(text);
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, secs = 0, ms = 0] = match.slice(1).map((group) => Number(group ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + secs) * 1000 + ms;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function fromRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const given = durationMs(text);
  if (given !== undefined) return given;
  // An HTTP date names its day; without this check Date.parse would take "-5" for a year.
  const atMs = /[a-z]{3}/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function fromBuckets(get: (name: string) => string | undefined, nowMs: number): number | undefined {
  let longest = fromInstants(get, nowMs);
  for (const bucket of ["requests", "tokens"]) {
    const remaining = get(`x-ratelimit-remaining-${bucket}`);
    const resetMs = durationMs(get(`x-ratelimit-reset-${bucket}`));
    if (resetMs === undefined || (remaining !== undefined && Number(remaining) > 0)) continue;
    longest = Math.max(longest ?? 0, resetMs);
  }
  return longest;
}

/** Anthropic says when a bucket is full again as an instant (RFC 3339). Source: https://platform.claude.com/docs/en/api/rate-limits#response-headers */
function fromInstants(get: (name: string) => string | undefined, nowMs: number): number | undefined {
  let longest: number | undefined;
  for (const bucket of ["requests", "tokens", "input-tokens", "output-tokens"]) {
    if (get(`anthropic-ratelimit-${bucket}-remaining`) !== "0") continue;
    const atMs = Date.parse(get(`anthropic-ratelimit-${bucket}-reset`) ?? "");
    if (!Number.isNaN(atMs)) longest = Math.max(longest ?? 0, atMs - nowMs);
  }
  return longest;
}

function bounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(Math.ceil(ms), maxWaitMs);
}
