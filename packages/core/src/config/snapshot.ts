import type { GatewayKeyRow, RouteRules } from "../entities/index.js";
import type { Records } from "./records.js";
import type { Config } from "./schema.js";

/**
 * What a call is decided by: keys, routes and configuration as they were when it was admitted. Immutable, swapped whole; a call keeps the one
 * it was admitted with.
 */
export interface Snapshot {
  /** Grows when keys, routes or configuration changed; stays when they were only read again. */
  readonly version: number;
  readonly config: Config;
  /** Enabled keys by their id. */
  readonly keys: ReadonlyMap<string, GatewayKeyRow>;
  /** By name: those of the configuration, and the stored ones whose name it does not use. */
  readonly routes: ReadonlyMap<string, RouteRules>;
  /** The other stored records that calls are decided by. */
  readonly records: Records;
  /** When the read of the store began that showed this state to be current, Unix ms. Credentials are refused when this is older than `access.maxStaleMs`. */
  readonly readAtMs: number;
}
