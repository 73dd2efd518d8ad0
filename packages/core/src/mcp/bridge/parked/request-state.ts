import type { Crypto } from "../../../ports/index.js";
import { canonicalArguments } from "../../../policy/approvals/arguments-hash.js";
import { fromBase64Url, toBase64Url } from "../../../util/encoding/base64url.js";
import { toHex } from "../../../util/encoding/hex.js";
import { isObject, parseJsonText, utf8 } from "../../../util/json.js";

/**
 * What a client carries from one round of a call to the next. `held`: the call goes on at the process that keeps it, under the id of its row; `relay`: the server's own state; `again`: nothing but the leave to
 * call once more, after a person was sent to a page.
 */
export type Carried =
  | { readonly kind: "held"; readonly row: string; readonly round: number }
  | { readonly kind: "relay"; readonly theirs: string | null }
  | { readonly kind: "again" }
  /** A server's own task, in a handle of ours. */
  | { readonly kind: "task"; readonly server: string; readonly tool: string; readonly theirs: string };

/** A state that opened. */
export interface OpenedState {
  readonly carried: Carried;
  /** Of no other state. */
  readonly id: string;
  readonly expiresAtMs: number;
}

/** What a state is bound to: it opens for nothing else. */
export interface Bond {
  readonly callerId: string;
  /** The address that was called, by the key of its view. */
  readonly address: string;
  readonly server: string;
  readonly method: string;
  /** JSON text of what was asked for: name or URI, and arguments. */
  readonly asked: string;
}

export interface RequestStatesOptions {
  readonly crypto: Crypto;
  /** The purpose key `parked-calls`. */
  readonly key: () => Uint8Array;
  readonly clock: { now(): number };
}

/** Longer ones are not ours. */
const LONGEST = 1_048_576;

/**
 * The `requestState` of this gateway: AES-256-GCM over what is carried and until when, with the caller, the address, the server, the method and a digest of the arguments as associated data. What was changed in any bit, has expired, or is
 * another's or another call's does not open. Source: MCP 2026-07-28, multi round-trip requests, server requirements 4 and 5.
 */
export class RequestStates {
  readonly #o: RequestStatesOptions;
  constructor(options: RequestStatesOptions) {
    this.#o = options;
  }

  seal(carried: Carried, bond: Bond, expiresAtMs: number): string {
    const { crypto, key } = this.#o;
    return toBase64Url(crypto.seal(key(), utf8(JSON.stringify({ ...carried, expiresAtMs })), this.#aad(bond)));
  }

  /** null: it is not for this call of this caller, or not any more. */
  open(state: string, bond: Bond): OpenedState | null {
    const { crypto, key, clock } = this.#o;
    const bytes = state.length > LONGEST ? null : fromBase64Url(state);
    const plain = bytes === null ? null : crypto.open(key(), bytes, this.#aad(bond));
    if (bytes === null || plain === null) return null;
    const value: unknown = parseJsonText(new TextDecoder().decode(plain));
    if (!isObject(value) || typeof value["expiresAtMs"] !== "number" || value["expiresAtMs"] <= clock.now()) return null;
    const { expiresAtMs, ...carried } = value;
    // A text has more than one way to be written in base64.
    return { carried: carried as unknown as Carried, id: toHex(crypto.sha256(bytes)), expiresAtMs };
  }

  /** A text of a row, bound to the row. */
  sealText(text: string, row: string): string {
    const { crypto, key } = this.#o;
    return toBase64Url(crypto.seal(key(), utf8(text), utf8(`sallyport/parked-row/1\n${row}`)));
  }
  openText(sealed: string, row: string): string | null {
    const { crypto, key } = this.#o;
    const bytes = fromBase64Url(sealed);
    const plain = bytes === null ? null : crypto.open(key(), bytes, utf8(`sallyport/parked-row/1\n${row}`));
    return plain === null ? null : new TextDecoder().decode(plain);
  }

  #aad({ callerId, address, server, method, asked }: Bond): Uint8Array {
    const digest = toBase64Url(this.#o.crypto.sha256(utf8(canonicalArguments(asked))));
    return utf8(JSON.stringify(["sallyport/request-state/1", callerId, address, server, method, digest]));
  }
}
