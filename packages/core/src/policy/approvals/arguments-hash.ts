import type { Crypto } from "../../ports/index.js";
import { toHex } from "../../util/encoding/hex.js";
import { canonicalJson } from "../../util/payload-hash.js";

const encoder = new TextEncoder();

/**
 * What an approval is bound to: caller, tool and arguments, in 64 hex characters. Arguments that mean the same have the same hash, whatever their spaces and the order of their keys. Where reading
 * them would lose something (a key that stands twice, a number beyond what JavaScript holds exactly) their text counts as it stands: two calls that a server might read differently are never taken for one.
 */
export function argumentsHash(
  crypto: Crypto,
  o: { readonly projectId: string; readonly callerId: string; readonly server: string; readonly tool: string; readonly arguments: string },
): string {
  return toHex(crypto.sha256(encoder.encode(JSON.stringify([o.projectId, o.callerId, o.server, o.tool, canonicalArguments(o.arguments)]))));
}

/** A text that is the same for all JSON texts that mean the same. */
export function canonicalArguments(text: string): string {
  const bare = withoutSpaces(text);
  const value: unknown = JSON.parse(text);
  return JSON.stringify(value) === bare ? canonicalJson(value) : `exactly ${bare}`;
}

/** JSON without the spaces between its tokens. */
function withoutSpaces(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|[\t\n\r ]+/g, (_all, string: string | undefined) => string ?? "");
}
