import { GatewayError } from "../../errors/index.js";
import { isObject, parseJson, parseJsonText } from "../../util/json.js";

/** A vendor's JSON object. Errors: `upstream_protocol`. */
export function parseUpstreamJson(source: Uint8Array | string): Record<string, unknown> {
  const value = asUpstream(() => (typeof source === "string" ? parseJsonText(source) : parseJson(source)));
  if (isObject(value)) return value;
  throw new GatewayError("upstream_protocol", "The vendor sent JSON that is no object.");
}

/** Runs `read` on a vendor's bytes: that they are not valid is then the vendor's fault and not the caller's. */
export function asUpstream<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (GatewayError.is(error, "invalid_json"))
      throw new GatewayError("upstream_protocol", "The vendor sent what is not valid JSON.", {
        details: error.details ?? {},
        cause: error,
      });
    throw error;
  }
}
