import type { ProtocolId } from "../../calls/index.js";
import type { Clock, HttpClient } from "../../ports/index.js";
import type { Codec } from "../../wire/shared/codec.js";
import type { OpaqueTokens } from "../opaque/index.js";

/** What lanes send with. */
export interface Wires {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly tokens: OpaqueTokens;
  /** null: this version does not speak it. */
  codecOf(protocol: ProtocolId): Codec | null;
}
