import type { ProtocolId } from "../../calls/index.js";

/** Where something was answered: a protocol, or a provider that answers in this process. */
export type Spoken = ProtocolId | "in-process";

/** A vendor's sealed token and all that is known of where it is from: what decides whether it may go back. */
export interface Provenance {
  readonly token: string;
  readonly protocol: Spoken;
  /** The provider's name: a vendor reached by two ways is two providers, and neither takes the other's tokens. */
  readonly provider: string;
  /** The vendor's id of the model. */
  readonly model: string;
  /** Of the key that the answer was paid with, as `KeyPrints` gives it, never the key; null: there was none. */
  readonly keyPrint: string | null;
  /** Of what users had said before it, as `Prefixes` counts. */
  readonly prefix: string;
  /** The vendor's id of the item that it belongs to. */
  readonly itemId?: string | undefined;
  readonly redacted?: boolean | undefined;
  /** A short hash of the text that it stands beside. */
  readonly text?: string | undefined;
}
