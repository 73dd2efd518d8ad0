import type { EncodedRequest } from "../codec.js";

const jsonHeaders = [
  ["content-type", "application/json"],
  ["accept", "application/json"],
] as const;
const streamHeaders = [
  ["content-type", "application/json"],
  ["accept", "text/event-stream"],
] as const;

/** The headers of a request to a vendor, beside its credential and what else the provider sends with every call. */
export function requestHeaders(stream: boolean): EncodedRequest["headers"] {
  return stream ? streamHeaders : jsonHeaders;
}
