const encoder = new TextEncoder();

/** JSON with the keys of every object in order, so that equal values have equal text. What JSON leaves out (undefined, functions) is left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    const sorted: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(inner).sort()) sorted[key] = (inner as Record<string, unknown>)[key];
    return sorted;
  });
}

/** SHA-256 of the value's canonical JSON, in hex: tells the repetition of a creation from the reuse of its idempotency key. */
export function payloadHash(value: unknown, sha256: (bytes: Uint8Array) => Uint8Array): string {
  let hex = "";
  for (const byte of sha256(encoder.encode(canonicalJson(value)))) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
