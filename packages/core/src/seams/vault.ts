import type { Secret } from "../util/secret.js";

/** Where a sealed value stands: it opens nowhere else. */
export interface SealedPlace {
  /** The entity's. */
  readonly table: string;
  /** The field's name. */
  readonly column: string;
  readonly rowId: string;
  /** It is content that only some may read, and no secret that has to be taken out of texts. */
  readonly isContent?: true;
}

/** How secrets get into rows and out of them again; filled by `secrets` when the gateway has started. Synchronous: about 10 µs each. */
export interface Vault {
  /** The value as the row keeps it: AES-256-GCM under the newest data key, bound to its place. */
  seal(value: Secret | string, place: SealedPlace): string;
  /** Errors: `state_corrupt` when it was sealed for another place, changed, or sealed with a key that is gone. */
  open(sealed: string, place: SealedPlace): Secret;
}
