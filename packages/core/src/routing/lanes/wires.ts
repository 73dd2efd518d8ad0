import type { ProtocolId } from "../../calls/index.js";
import type { Clock, HttpClient } from "../../ports/index.js";
import type { Codec } from "../../wire/shared/codec.js";
import type { OpaqueTokens } from "../opaque/index.js";
import type { ReadFile } from "./prepare/own-files.js";

/** What lanes send with. */
export interface Wires {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly tokens: OpaqueTokens;
  /** Reads what callers keep here and name in calls. */
  readonly readFile: ReadFile;
  /** null: this version does not speak it. */
  codecOf(protocol: ProtocolId): Codec | null;
}
