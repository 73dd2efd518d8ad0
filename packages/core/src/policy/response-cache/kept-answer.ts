import type { ModelAnswer } from "../../calls/index.js";
import type { Crypto } from "../../ports/index.js";
import { fromUtf8 } from "../../util/json.js";
import { CACHE_VERSION, type CacheKey } from "./cache-key.js";

/** A model's answer as it is kept. */
export interface KeptAnswer {
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
  readonly provider: string;
  readonly model: string;
  /** What the answer cost when it was made; null: nobody knows. */
  readonly costNanoUsd: number | null;
  /** `x-sallyport-warnings` of the answer; null: none. */
  readonly warnings: string | null;
  /** The whole answer in the dialect that it was asked in, or neutral. */
  readonly body: { readonly kind: "bytes"; readonly bytes: Uint8Array } | { readonly kind: "answer"; readonly answer: ModelAnswer };
}

interface Head extends CacheKey, Omit<KeptAnswer, "body"> {
  readonly version: number;
  readonly form: KeptAnswer["body"]["kind"];
}

const MAC_BYTES = 32;
const LINE = 0x0a;
const encoder = new TextEncoder();

/** A keyed digest, then a line of JSON that says whose answer to what this is, then the body. */
export function encodeKept(kept: KeptAnswer, at: CacheKey, o: { readonly crypto: Crypto; readonly secret: Uint8Array }): Uint8Array {
  const { body, ...told } = kept;
  const head: Head = { ...told, ...at, version: CACHE_VERSION, form: body.kind };
  const line = encoder.encode(`${JSON.stringify(head)}\n`);
  const rest = body.kind === "bytes" ? body.bytes : encoder.encode(JSON.stringify(body.answer));
  const value = new Uint8Array(MAC_BYTES + line.byteLength + rest.byteLength);
  value.set(line, MAC_BYTES);
  value.set(rest, MAC_BYTES + line.byteLength);
  value.set(o.crypto.hmac(o.secret, value.subarray(MAC_BYTES)), 0);
  return value;
}

/** null: it is not what was kept under this key by a gateway of this secret and version, or has expired. */
export function decodeKept(
  value: Uint8Array,
  at: CacheKey,
  o: { readonly crypto: Crypto; readonly secret: Uint8Array; readonly nowMs: number },
): KeptAnswer | null {
  const signed = value.subarray(MAC_BYTES);
  const end = signed.indexOf(LINE);
  if (end < 0 || !o.crypto.equal(o.crypto.hmac(o.secret, signed), value.subarray(0, MAC_BYTES))) return null;
  try {
    const { version, form, key, scope, dialect, ...told } = JSON.parse(fromUtf8(signed.subarray(0, end))) as Head;
    if (version !== CACHE_VERSION || key !== at.key || scope !== at.scope || dialect !== at.dialect) return null;
    if (!(told.expiresAtMs > o.nowMs)) return null;
    const rest = signed.subarray(end + 1);
    if (form === "bytes") return { ...told, body: { kind: "bytes", bytes: rest } };
    return { ...told, body: { kind: "answer", answer: JSON.parse(fromUtf8(rest)) as ModelAnswer } };
  } catch {
    return null;
  }
}
