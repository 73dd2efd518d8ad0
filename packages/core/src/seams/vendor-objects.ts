import type { Caller, Headers, Json, VideoCall } from "../calls/index.js";
import type { CallOptions } from "./call-options.js";

// Films, files and batches: what a call begins or keeps, under ids of ours. Whatever is not the caller's project's is `not_found`.

export interface ObjectPage {
  /** 1 to 1,000. */
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** The id of the last one of the page before. */
  readonly after?: string | undefined;
}
export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}
/** Bytes with their type, as they come. */
export interface ObjectContent {
  readonly mediaType: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface StoredVideo {
  readonly id: string;
  /** In full, as it was asked for. */
  readonly model: string;
  readonly prompt: string;
  readonly status: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "expired";
  /** 0 to 100. */
  readonly progress: number;
  readonly seconds: number | null;
  readonly size: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  readonly expiresAtMs: number | null;
}
/** Films being made. A vendor's address of one, and the key that it may need, never leave the gateway. */
export interface Videos {
  /**
   * Begins a film. The same `idempotencyKey` gives the same film; with another call it is `idempotency_key_reuse`. Errors: those of `ModelCaller.operate`.
   */
  begin(
    call: VideoCall,
    o: CallOptions & { readonly idempotencyKey?: string | undefined },
  ): Promise<{ readonly video: StoredVideo; readonly headers: Headers }>;
  /** As its vendor sees it now, or saw it a moment ago. What a finished one cost is in the usage ledger, once. */
  get(id: string, o: CallOptions): Promise<StoredVideo>;
  list(page: ObjectPage, caller: Caller): Promise<ObjectList<StoredVideo>>;
  /** Errors: also `conflict` for a film that is not there yet, `upstream_rejected` for one whose vendor has let it go. */
  content(id: string, o: CallOptions): Promise<ObjectContent>;
  /** Ends one that is being made, here and, where that can be told, at its vendor; one that has ended stays as it is. */
  cancel(id: string, o: CallOptions): Promise<StoredVideo>;
  remove(id: string, o: CallOptions): Promise<void>;
}

export interface StoredFile {
  readonly id: string;
  readonly filename: string;
  readonly purpose: string;
  readonly bytes: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}
export interface NewFile {
  readonly filename: string;
  readonly purpose: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly expiresAtMs?: number | undefined;
}
export interface Files {
  create(file: NewFile, caller: Caller): Promise<StoredFile>;
  get(id: string, caller: Caller): Promise<StoredFile>;
  list(page: ObjectPage & { readonly purpose?: string | undefined }, caller: Caller): Promise<ObjectList<StoredFile>>;
  content(id: string, caller: Caller): Promise<ObjectContent>;
  remove(id: string, caller: Caller): Promise<void>;
}

/** One request of a batch: `body` is that of the endpoint. */
export interface BatchRequest {
  readonly customId: string;
  readonly body: Readonly<Record<string, Json>>;
}
/** What became of one. `body` is JSON in the endpoint's dialect, an error in its shape when it is not `ok`. */
export interface BatchResult {
  readonly customId: string;
  readonly ok: boolean;
  readonly status: number;
  readonly requestId: string;
  readonly body: string;
}
export interface StoredBatch {
  readonly id: string;
  readonly endpoint: string;
  readonly status: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "expired";
  readonly cancelRequested: boolean;
  readonly window: string;
  readonly metadata: Readonly<Record<string, Json>> | null;
  readonly model: string | null;
  readonly inputFileId: string | null;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly expiresAtMs: number | null;
}
/** Of an uploaded file of requests, as OpenAI has them, or of messages that come with the call, as Anthropic does. */
export type BatchFace = "file" | "messages";
/** What a batch is made of: the requests themselves, or an uploaded file of them. */
export interface NewBatch {
  readonly face: BatchFace;
  /** The path of the requests: `/v1/chat/completions`, … */
  readonly endpoint: string;
  readonly requests: readonly BatchRequest[] | { readonly fileId: string };
  readonly window?: string | undefined;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
}
/**
 * Many requests, answered within a day. They are a vendor's own batch when all name models of one vendor that has batches; otherwise the gateway makes each call itself, a few at a time, under
 * every policy, and another process goes on when this one ends.
 */
export interface Batches {
  /** Errors: `validation_failed` for a file that holds no requests, or two of one `custom_id`. */
  create(batch: NewBatch, o: CallOptions): Promise<StoredBatch>;
  get(id: string, face: BatchFace, caller: Caller): Promise<StoredBatch>;
  list(page: ObjectPage, face: BatchFace, caller: Caller): Promise<ObjectList<StoredBatch>>;
  cancel(id: string, face: BatchFace, caller: Caller): Promise<StoredBatch>;
  /** Of those answered so far, in the order they were. */
  results(id: string, face: BatchFace, caller: Caller): Promise<AsyncIterable<BatchResult>>;
  /** Errors: `conflict` for one that is not over. */
  remove(id: string, face: BatchFace, caller: Caller): Promise<void>;
}

/** Filled by `routing`. */
export interface VendorObjects {
  readonly videos: Videos;
  readonly files: Files;
  readonly batches: Batches;
}
