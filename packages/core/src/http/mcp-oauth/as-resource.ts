import type { Access } from "../../access/access.js";
import type { AccessTokens } from "../../access/tokens/access-tokens.js";
import type { Caller, HttpAnswer, Inbound, JsonObject } from "../../calls/index.js";
import { GatewayError, tellHeaders } from "../../errors/index.js";

interface Entering {
  readonly inbound: Inbound;
  readonly requestId: string;
  readonly enter: (caller: Caller) => HttpAnswer | Promise<HttpAnswer>;
}

/** A longer answer is no error. */
const MAX_ERROR_BYTES = 16_384;

/** One request to an MCP address as an OAuth resource server answers it: who has no token that counts is told where to get one, and whose token does not suffice which scope to ask for (RFC 6750, RFC 9728). */
export async function asResource(tokens: AccessTokens, access: Access, { inbound, requestId, enter }: Entering): Promise<HttpAnswer> {
  let caller: Caller;
  try {
    caller = await access.identify(inbound, { keyInQuery: false, accessTokens: true });
  } catch (error) {
    const isRefused = inbound.header("authorization") !== undefined;
    if (GatewayError.is(error, "unauthenticated")) tellHeaders(error, [["www-authenticate", tokens.challenge(inbound.path, isRefused)]]);
    throw error;
  }
  const answer = await enter(caller);
  const missing = missingOf(answer, requestId);
  const challenge = missing === null ? null : tokens.stepUp(caller, missing, inbound.path);
  return challenge === null ? answer : { ...answer, status: 403, headers: [...answer.headers, ["www-authenticate", challenge]] };
}

/** The grant that a JSON-RPC error of ours says is missing; null: it is none of that kind, or a server's, which does not know which request it is. */
function missingOf({ status, headers, body }: HttpAnswer, requestId: string): string | null {
  if (status !== 200 || body.kind !== "bytes" || body.bytes.length > MAX_ERROR_BYTES) return null;
  if (!headers.some(([name, value]) => name === "content-type" && value.startsWith("application/json"))) return null;
  const text = new TextDecoder().decode(body.bytes);
  if (!text.includes('"code":"forbidden"')) return null;
  const { error } = JSON.parse(text) as {
    readonly error?: { readonly data?: { readonly [key: string]: unknown; readonly details?: JsonObject } };
  };
  const isOurs = error?.data?.["code"] === "forbidden" && error.data["request_id"] === requestId;
  const missing = isOurs ? error.data.details?.["missing"] : undefined;
  return typeof missing === "string" ? missing : null;
}
