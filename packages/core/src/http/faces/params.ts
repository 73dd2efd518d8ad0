import { GatewayError } from "../../errors/index.js";
import type { RawParams } from "../route-table.js";

/** A parameter of the path, decoded once. Errors: `bad_request` when its percent-encoding is broken. */
export function decodeParam(params: RawParams, name: string): string {
  try {
    return decodeURIComponent(params[name] ?? "");
  } catch {
    throw new GatewayError("bad_request", `The ${name} in the path is not percent-encoded UTF-8.`, {
      hint: "Encode it with encodeURIComponent.",
    });
  }
}

export function decodeParams(params: RawParams): [string, string][] {
  return Object.keys(params).map((name) => [name, decodeParam(params, name)]);
}
