import { GatewayError } from "../../errors/index.js";
import { isSessionLost } from "../lanes/http-failure.js";

/** What went wrong with a server, told with its name and without a secret: it may say what a process, or the way, said. */
export function namedError(error: unknown, o: { readonly server: string; readonly redact: (text: string) => string }): GatewayError {
  const known = GatewayError.from(error);
  const message = o.redact(known.message);
  const isNamed = message.includes(`"${o.server}"`);
  if (isNamed && message === known.message) return known;
  return new GatewayError(known.code, isNamed ? message : `MCP server "${o.server}": ${message}`, { ...keep(known), cause: known });
}

/** What an error says beside its code and text. */
export function keep(error: GatewayError) {
  return {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  };
}

/** The server was not reached, or not to the end. */
export function isOutage(error: unknown): boolean {
  return (GatewayError.is(error, "upstream_unavailable") && !isSessionLost(error)) || GatewayError.is(error, "upstream_interrupted");
}
