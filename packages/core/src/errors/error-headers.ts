import type { GatewayError } from "./gateway-error.js";

type Headers = readonly (readonly [string, string])[];

const told = new WeakMap<GatewayError, Headers>();

/** Adds headers to the answer that tells this error: what steps of ours said, by lower-case names. Nobody else sees them. */
export function tellHeaders(error: GatewayError, headers: Headers): void {
  told.set(error, [...headersOf(error), ...headers]);
}

export function headersOf(error: GatewayError): Headers {
  return told.get(error) ?? [];
}
