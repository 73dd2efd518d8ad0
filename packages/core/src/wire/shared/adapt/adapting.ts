import type { ProtocolId } from "../../../calls/index.js";
import type { CodecTraits, Quirks } from "../codec.js";

/** Where a call goes: its protocol, and how the vendor departs from it. */
export interface AdaptTarget {
  readonly protocol: ProtocolId;
  readonly traits: CodecTraits;
  readonly quirks: Quirks;
}

/** What the parts of `adaptCall` share. */
export interface Adapting {
  readonly target: AdaptTarget;
  readonly warn: (field: string, what: string) => void;
}
