import type { OperationName, Operations } from "../calls/index.js";
import type { HttpClient } from "../ports/index.js";
import type { ProviderKey } from "./key-pool.js";

/** What an operation of a provider is given beside the call. */
export interface OperationContext {
  /** The vendor's id of the model. */
  readonly model: string;
  /** null: the provider has no key and needs none. */
  readonly key: ProviderKey | null;
  /** The guarded client: the only way out. */
  readonly http: HttpClient;
  /** Aborted when the caller goes. */
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly deadlineMs: number;
}

/**
 * What a provider can do beside chat. An operation that is left out is not offered. Errors: those of `Codec.decodeError`, and `missing_dependency` naming the install
 * command of a package that is needed and not there.
 */
export type ProviderOperations = {
  readonly [K in OperationName]?: (call: Operations[K]["call"], context: OperationContext) => Promise<Operations[K]["answer"]>;
};
