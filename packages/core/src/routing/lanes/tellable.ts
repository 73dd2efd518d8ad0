import { GatewayError } from "../../errors/index.js";
import type { Attempt } from "./attempt.js";

/** A shorter beginning of a key is no secret, and may be a word. */
const SHORTEST_PIECE = 8;

/**
 * What an attempt failed with, as anybody may hear it: without the key, which some vendors repeat; and of a vendor's failure, whose it was. Whatever looks like another
 * credential has been taken out by the codec.
 */
export function tellable({ target, key, redact }: Pick<Attempt, "target" | "key" | "redact">, error: unknown): GatewayError {
  const known = GatewayError.from(error);
  const secret = key?.secret.reveal();
  const isTheirs = known.code.startsWith("upstream_");
  if (secret === undefined && !isTheirs) return known;
  // A vendor may also repeat a header of its provider, or the key in base64: the redactor knows them all, in every form.
  const told = (text: string): string => without(secret, redact === undefined ? text : redact(text));
  const details = Object.entries(known.details ?? {}).map(([name, value]) => [name, typeof value === "string" ? told(value) : value]);
  const message = told(known.message);
  const hint = known.hint === undefined ? undefined : told(known.hint);
  return new GatewayError(known.code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(known.retryAfterMs === undefined ? {} : { retryAfterMs: known.retryAfterMs }),
    ...(known.details === undefined && !isTheirs
      ? {}
      : { details: { ...Object.fromEntries(details), ...(isTheirs ? { provider: target.provider.name, model: target.code } : {}) } }),
    cause: known.cause,
  });
}

function without(secret: string | undefined, text: string): string {
  if (secret === undefined) return text;
  const whole = text.replaceAll(secret, "***");
  // A text that was cut to length may end within the key.
  const end = whole.endsWith("…") ? whole.length - 1 : whole.length;
  for (let length = Math.min(secret.length - 1, end); length >= SHORTEST_PIECE; length--)
    if (whole.startsWith(secret.slice(0, length), end - length)) return `${whole.slice(0, end - length)}***`;
  return whole;
}
