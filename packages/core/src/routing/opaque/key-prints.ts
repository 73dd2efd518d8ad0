import type { ProviderKey } from "../../providers/index.js";
import type { Sealer } from "./sealer.js";

/** Enough to tell the keys of a pool apart, and too little to search for one. */
const LENGTH = 16;

/** Names a provider's key without telling it: the same name for the same key after a restart, of another gateway another. Made once a key. */
export class KeyPrints {
  readonly #sealer: Sealer;
  readonly #made = new WeakMap<ProviderKey, string>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  of(key: ProviderKey | null): string | null {
    if (key === null) return null;
    let print = this.#made.get(key);
    if (print === undefined) this.#made.set(key, (print = this.#sealer.hash(`key\n${key.secret.reveal()}`).slice(0, LENGTH)));
    return print;
  }
}
