import type { Headers, OperationName, Operations, VideoJob } from "../calls/index.js";
import type { HttpClient } from "../ports/index.js";
import type { Quirks } from "../wire/shared/codec.js";
import type { ProviderKey } from "./key-pool.js";
import type { ModelKind } from "./model.js";

/** What an operation of a provider is given beside the call. */
export interface OperationContext {
  /** The vendor's id of the model. */
  readonly model: string;
  /** What the model is listed as; null: nobody listed it. */
  readonly kind: ModelKind | null;
  /** null: the provider has no key and needs none. */
  readonly key: ProviderKey | null;
  /** The guarded client: the only way out. */
  readonly http: HttpClient;
  /** Where the provider is, without a slash at the end; empty for one in this process. */
  readonly baseUrl: string;
  /** What every request to the provider carries, its credential included. */
  readonly headers: Headers;
  readonly quirks: Quirks;
  /** Who named the address; "operator" when left out. */
  readonly trust?: "operator" | "untrusted" | undefined;
  /** Longest silence between two chunks of an answer, ms. */
  readonly idleMs: number;
  /** Aborted when the caller goes, and at the deadline; its reason is a GatewayError. */
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly deadlineMs: number;
}

/** The bytes of something that a provider keeps, as they come. */
export interface Download {
  readonly mediaType: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** How a film that was begun is followed. `ref` is the `VideoJob`'s. The context is of the key that the film was begun with. */
export interface VideoFollowing {
  poll(ref: string, context: OperationContext): Promise<VideoJob>;
  /** The film of a job that succeeded. Left out: its address is fetched with the provider's headers. */
  download?(job: VideoJob, context: OperationContext): Promise<Download>;
  /** Left out: the vendor cannot be told to stop. */
  cancel?(ref: string, context: OperationContext): Promise<void>;
}

/** A batch as the vendor sees it. `outputRef` and `errorRef` are the vendor's files of JSON lines. */
export interface NativeBatch {
  readonly ref: string;
  readonly status: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "expired";
  readonly counts?: { readonly total: number; readonly completed: number; readonly failed: number } | undefined;
  readonly outputRef?: string | undefined;
  readonly errorRef?: string | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}
/** A vendor's own batches: cheaper, within a day. Lines are in the dialect of the vendor's own endpoint, under the vendor's ids of models. */
export interface NativeBatches {
  /** Those that lines may name; a batch of another is worked off here. */
  readonly endpoints: readonly string[];
  submit(
    batch: { readonly endpoint: string; readonly lines: Uint8Array; readonly window: string },
    context: OperationContext,
  ): Promise<NativeBatch>;
  poll(ref: string, context: OperationContext): Promise<NativeBatch>;
  cancel(ref: string, context: OperationContext): Promise<NativeBatch>;
  read(fileRef: string, context: OperationContext): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * What a provider can do beside chat. An operation that is left out is not offered. Errors: those of `Codec.decodeError`, and `missing_dependency` naming the install
 * command of a package that is needed and not there.
 */
export type ProviderOperations = {
  readonly [K in OperationName]?: (call: Operations[K]["call"], context: OperationContext) => Promise<Operations[K]["answer"]>;
} & {
  /** For those that have `video`. */
  readonly videos?: VideoFollowing;
  readonly batches?: NativeBatches;
};
