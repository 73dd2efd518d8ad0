import { GatewayError } from "../errors/index.js";
import type { Inbound } from "../calls/index.js";

/** The headers that carry a key, beside `Authorization: Bearer`. Each is the habit of one vendor's SDK. */
const keyHeaders = ["x-api-key", "x-goog-api-key", "api-key"] as const;
/** Longer ones are not hashed: no key of ours is that long. */
const MAX_LENGTH = 4096;

/**
 * The one key that a request presents, whole and unparsed; null: it presents none. The same key in several places counts once.
 * `inQuery`: also `?key=`, as Google's SDKs send it; only for paths of that dialect, because addresses end up in logs.
 * Errors: `unauthenticated` for two different keys, and for an Authorization header that carries no key.
 */
export function readCredential(inbound: Pick<Inbound, "header" | "query">, o: { readonly inQuery: boolean }): string | null {
  let found: string | null = null;
  const authorization = inbound.header("authorization");
  if (authorization !== undefined) found = bearer(authorization);
  for (const name of keyHeaders) {
    const value = inbound.header(name);
    if (value === undefined) continue;
    if (found === null) found = value.trim();
    else if (found !== value.trim()) throw twoKeys();
  }
  if (o.inQuery && inbound.query !== "") {
    for (const value of new URLSearchParams(inbound.query).getAll("key")) {
      if (found === null) found = value;
      else if (found !== value) throw twoKeys();
    }
  }
  if (found !== null && (found === "" || found.length > MAX_LENGTH)) throw notAKey();
  return found;
}

function bearer(authorization: string): string {
  if (authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === "bearer ") return authorization.slice(7).trim();
  throw notAKey();
}

function twoKeys(): GatewayError {
  return new GatewayError("unauthenticated", "The request carries two different keys.", {
    hint: "Send one key, in one header: Authorization: Bearer <key>.",
  });
}

function notAKey(): GatewayError {
  return new GatewayError("unauthenticated", "The credential of the request is not a key of this gateway.", {
    hint: "Send Authorization: Bearer <key>, with a key of this gateway.",
  });
}
