import type { Crypto } from "../../ports/index.js";
import { isObject, parseJson, utf8 } from "../../util/json.js";
import { encodeBase64 } from "../../wire/shared/base64.js";
import { fromBase64 } from "./from-base64.js";
import type { Provenance } from "./provenance.js";

/**
 * What every envelope begins with, in base64 like all that follows: vendors' dialects take a token only as that. The last character is the version of what is inside.
 * No vendor's token begins so, and it survives being read as bytes and written again, URL-safe or not.
 */
export const ENVELOPE_MARK = "ZySallyport1";

/** Beyond this nothing is opened: no vendor's token is that long. */
const LONGEST = 16_777_216;

/**
 * Puts vendors' tokens into envelopes that only this gateway's secret opens, and only within the project that they were given to: what one project was answered tells
 * another nothing, and nobody makes one by hand. AES-256-GCM; stateless.
 */
export class Sealer {
  readonly #crypto: Crypto;
  readonly #key: () => Uint8Array;

  /** `key`: the purpose key `opaque-tokens`. */
  constructor(o: { readonly crypto: Crypto; readonly key: () => Uint8Array }) {
    this.#crypto = o.crypto;
    this.#key = o.key;
  }

  /** An envelope: `ENVELOPE_MARK` and base64. */
  seal(provenance: Provenance, projectId: string): string {
    return ENVELOPE_MARK + this.sealText(JSON.stringify(provenance), aadOf("envelope/1", projectId));
  }

  /** null: it is no envelope, not ours, of another project, or was changed. */
  open(envelope: string, projectId: string): Provenance | null {
    if (!isEnvelope(envelope) || envelope.length > LONGEST) return null;
    const value = this.openText(envelope.slice(ENVELOPE_MARK.length), aadOf("envelope/1", projectId));
    return isProvenance(value) ? value : null;
  }

  /** A text for a row of ours, bound to `aad`. */
  sealText(text: string, aad: string): string {
    return encodeBase64(this.#crypto.seal(this.#key(), utf8(text), utf8(aad)));
  }

  /** The JSON value that was sealed; null: not with this key and `aad`. */
  openText(sealed: string, aad: string): unknown {
    const bytes = fromBase64(sealed);
    const plain = bytes === null ? null : this.#crypto.open(this.#key(), bytes, utf8(aad));
    return plain === null ? null : parseJson(plain);
  }

  /** A keyed hash, in hex: equal for equal texts, and tells nobody else what the text was. */
  hash(text: string): string {
    let hex = "";
    for (const byte of this.#crypto.hmac(this.#key(), utf8(text))) hex += byte.toString(16).padStart(2, "0");
    return hex;
  }
}

/** Whether it says that it is one; whether it is, only opening shows. */
export function isEnvelope(token: string): boolean {
  return token.startsWith(ENVELOPE_MARK);
}

function aadOf(what: string, projectId: string): string {
  return `sallyport/opaque/${what}\n${projectId}`;
}

/** What was sealed by another version of ours may have another shape. */
export function isProvenance(value: unknown): value is Provenance {
  if (!isObject(value)) return false;
  const { token, protocol, provider, model, prefix, keyPrint } = value;
  return (
    [token, protocol, provider, model, prefix].every((text) => typeof text === "string") &&
    (keyPrint === null || typeof keyPrint === "string")
  );
}
