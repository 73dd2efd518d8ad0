/**
 * What stands in place of a signature on a function call that Google did not make, or whose signature is lost: newer models refuse a call without one.
 * Source: https://ai.google.dev/gemini-api/docs/thought-signatures (FAQ).
 */
export const skipSignature = "skip_thought_signature_validator";
const placeholders: ReadonlySet<unknown> = new Set([skipSignature, "context_engineering_is_the_way_to_go"]);

/** A part's signature; undefined for none and for what only stands in its place. */
export function signatureOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && !placeholders.has(value) ? value : undefined;
}
