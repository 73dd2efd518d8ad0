import { GatewayError } from "../errors/index.js";
import type { Crypto } from "../ports/index.js";
import type { SealedPlace, Vault } from "../seams/index.js";
import { Secret } from "../util/secret.js";
import type { OpenKeys } from "./key-ring.js";
import type { Redactor } from "./redactor.js";
import { readSealed, writeSealed } from "./sealed-text.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Seals values of rows. What leads from a data key to a value is a key of that column alone, and the row's id is authenticated with the value: one that was copied to another row, column or
 * table does not open.
 */
export class SealedVault implements Vault {
  readonly #crypto: Crypto;
  readonly #redactor: Redactor;
  #keys: OpenKeys;
  readonly #columns = new Map<string, Uint8Array>();
  readonly #onUnknownKey: () => void;

  /** `onUnknownKey`: a value was met whose key is not among these; there may be a newer one. */
  constructor(o: { readonly crypto: Crypto; readonly redactor: Redactor; readonly keys: OpenKeys; readonly onUnknownKey?: () => void }) {
    this.#onUnknownKey = o.onUnknownKey ?? (() => undefined);
    this.#crypto = o.crypto;
    this.#redactor = o.redactor;
    this.#keys = o.keys;
  }

  /** Goes on with other keys, after a rotation. */
  useKeys(keys: OpenKeys): void {
    this.#keys = keys;
    this.#columns.clear();
  }

  /** Whether the value was sealed with the key that seals now. */
  isCurrent(sealed: string): boolean {
    return readSealed(sealed)?.keyId === this.#keys.active.id;
  }

  seal(value: Secret | string, place: SealedPlace): string {
    const plain = typeof value === "string" ? value : value.reveal();
    if (place.isContent !== true) this.#redactor.add(plain);
    const { id, bytes } = this.#keys.active;
    return writeSealed({
      keyId: id,
      sealed: this.#crypto.seal(this.#columnKey(id, bytes, place), encoder.encode(plain), aadOf(place, id)),
    });
  }

  open(sealed: string, place: SealedPlace): Secret {
    const read = readSealed(sealed);
    const bytes = read === null ? undefined : this.#keys.data.get(read.keyId);
    if (read !== null && bytes === undefined) this.#onUnknownKey();
    if (read === null || bytes === undefined) throw corrupt(place, read === null ? "it is not sealed" : "its key is gone");
    const plain = this.#crypto.open(this.#columnKey(read.keyId, bytes, place), read.sealed, aadOf(place, read.keyId));
    if (plain === null) throw corrupt(place, "it was changed, or sealed for another place");
    const text = decoder.decode(plain);
    if (place.isContent !== true) this.#redactor.add(text);
    return new Secret(text);
  }

  #columnKey(keyId: string, bytes: Uint8Array, { table, column }: SealedPlace): Uint8Array {
    const name = `${keyId}|${table}|${column}`;
    let key = this.#columns.get(name);
    if (key === undefined) this.#columns.set(name, (key = this.#crypto.hmac(bytes, encoder.encode(`${table}|${column}\x01`))));
    return key;
  }
}

function aadOf({ table, column, rowId }: SealedPlace, keyId: string): Uint8Array {
  return encoder.encode(`${table}|${column}|${rowId}|${keyId}`);
}

function corrupt({ table, column, rowId }: SealedPlace, why: string): GatewayError {
  return new GatewayError("state_corrupt", `A stored secret (${table}.${column} of ${rowId}) does not open: ${why}.`, {
    hint: "Set it anew, or restore the row and the table data_keys from one backup.",
  });
}
