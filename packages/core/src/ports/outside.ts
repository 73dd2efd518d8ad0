import type { Headers } from "../calls/index.js";
import type { AnyEntity, AnyLogEntity } from "../entities/index.js";
import type { GatewayError } from "../errors/index.js";
import type { Secret } from "../util/secret.js";
import type { RecordStore, Within } from "./record-store.js";
import type { Bus, Cache, Counters, Wakeup } from "./volatile.js";

/** Write-once: a key is never overwritten, so readers need no lock. */
export interface Blobs {
  /** Errors: `payload_too_large` past `maxBytes` (nothing is kept), `conflict` when the key exists. */
  put(
    key: string,
    body: AsyncIterable<Uint8Array>,
    o: { readonly maxBytes: number },
    w: Within,
  ): Promise<{ bytes: number; sha256: string }>;
  /** null: no such blob. `range.to` is exclusive. */
  open(key: string, range: { readonly from: number; readonly to?: number } | null, w: Within): Promise<AsyncIterable<Uint8Array> | null>;
  /** Idempotent; called by the sweeper after the row is gone. */
  remove(key: string, w: Within): Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Exactly these are sent, beside host and content-length. */
  readonly headers: Headers;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** `operator`: the address was configured by the operator and may be private; `untrusted`: only public addresses are dialled. */
  readonly trust: "operator" | "untrusted";
  /** Longest silence between two chunks of the answer, ms. */
  readonly idleMs: number;
  /** When the whole answer has to be there, Unix ms; left out: an answer may go on for ever, as long as it is not silent. */
  readonly endByMs?: number | undefined;
}
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names, in the order received. */
  readonly headers: Headers;
  /**
   * The whole body, or chunks as they come; one of the two, once. Aborting the signal closes the socket and rejects the pending read.
   * Errors: `payload_too_large`, `upstream_interrupted` when the connection breaks, `upstream_timeout` when it is silent too long, `deadline_exceeded` past `endByMs`.
   */
  bytes(maxBytes: number): Promise<Uint8Array>;
  chunks(): AsyncIterable<Uint8Array>;
  /** Drops an answer that nobody reads. Idempotent. */
  discard(): void;
}
/**
 * Outbound HTTP/1.1 over pooled connections. The guarded dialer lives inside: the name is resolved once, the address checked is the address dialled, no redirect is followed.
 * The deadline is that of the answer's head, with the wait for a connection; the body is bounded by `idleMs`, `endByMs` and the signal. A signal aborted with a GatewayError as its
 * reason rejects with that error.
 * Errors: `address_refused`, `bad_request` for what is not an http(s) URL, `upstream_unavailable` (nothing was sent, or the connection broke before an answer), `upstream_timeout`,
 * `upstream_protocol`, `cancelled`, `shutting_down`.
 */
export interface HttpClient {
  exchange(r: HttpRequest, w: Within): Promise<HttpResponse>;
  /** Closes idle connections and refuses new exchanges; those under way go on. */
  close(): Promise<void>;
}

/** One JSON-RPC message as it travels: its bytes are UTF-8 JSON without a line break. */
export type McpFrame = Uint8Array;

/** An open connection to an upstream MCP server, as raw JSON-RPC messages both ways. */
export interface McpWire {
  send(frame: McpFrame, w: Within): Promise<void>;
  /** One handler each; set before the first `send`. */
  onFrame(handler: (frame: McpFrame) => void): void;
  onClose(handler: (why: Error | null) => void): void;
  close(): Promise<void>;
}
/** A stdio server as the operator configured it. Spawned without a shell, in a process group of its own, with only this environment and a minimal PATH. */
export interface StdioServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | Secret>>;
  readonly cwd?: string | undefined;
}
/** Opens stdio servers; only Node has one. Errors: `misconfigured` when the command does not exist or may not be run, `upstream_unavailable` when it exits at once. */
export interface McpSpawner {
  open(server: StdioServer, w: Within): Promise<McpWire & { readonly stderr: () => string; readonly pid: number }>;
}

/** Where values named in the configuration come from: `env:NAME`, `file:/path`. */
export interface SecretSource {
  readonly scheme: string;
  resolve(reference: string, w: Within): Promise<{ readonly value: string; readonly refreshAtMs: number | null }>;
}

/** Synchronous on purpose: an HMAC took 2 µs, 25 through subtle. */
export interface Crypto {
  random(bytes: number): Uint8Array;
  sha256(bytes: Uint8Array): Uint8Array;
  hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** In constant time for inputs of one length. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** AES-256-GCM: a random 96-bit nonce, then the ciphertext, then the tag. */
  seal(key: Uint8Array, plain: Uint8Array, aad: Uint8Array): Uint8Array;
  /** null: it was not sealed with this key and aad, or was changed. */
  open(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | null;
}

/** Process time: timers and display only; leases use the store's clock. */
export interface Clock {
  /** Unix ms. */
  now(): number;
  /** Ms from some fixed instant; never goes back. */
  monotonic(): number;
  /** Calls `fn` once at the instant (at once when past); returns the cancellation. Does not keep the process alive. */
  at(ms: number, fn: () => void): () => void;
}

/** Where rows are kept: what `new Gateway({ storage })` takes. */
export interface StorageAdapter {
  /** For messages: "sqlite", "memory". */
  readonly name: string;
  /** Opens and, as it was told, migrates. Called once. Errors: `store_unavailable`, `misconfigured`. */
  open(o: { readonly entities: readonly (AnyEntity | AnyLogEntity)[] }): Promise<RecordStore>;
}
/** A store whose tables come from committed migrations: what `sallyport migrate` shows and does. */
export interface MigratableStorage extends StorageAdapter {
  /** Ids of the migrations that the database has and lacks. Errors: as `open`. */
  migrationState(): Promise<{ readonly applied: readonly string[]; readonly pending: readonly string[] }>;
  /** What `migrate` would run, as one SQL script for a person or another role to run; empty when nothing is missing. Errors: as `open`. */
  migrationScript(): Promise<string>;
  /** Applies what is missing and gives its ids. Safe to run from several processes at once. Errors: as `open`. */
  migrate(): Promise<readonly string[]>;
}

/** What processes share beside the store: what `new Gateway({ redis })` takes. */
export interface SharedAdapter {
  /** For messages: "redis". */
  readonly name: string;
  /** Made at once: it connects by itself, and again whenever the connection was lost. Called once. */
  open(o: { readonly clock: Clock }): Shared;
}
/**
 * The volatile ports of one server. It holds no only copy of anything. While it is away every method fails at once with `store_unavailable`, and subscriptions and listeners wait to be
 * there again: nothing of a gateway waits for it to come back.
 */
export interface Shared {
  readonly counters: Counters;
  readonly cache: Cache;
  readonly bus: Bus;
  readonly wakeup: Wakeup;
  /** null: it answers; otherwise why it does not. */
  readonly away: GatewayError | null;
  /** When it last was lost or came back after that, Unix ms: what it counted may be gone. null: it never was; a server that was merely slow lost nothing. Left out: whenever it was away. */
  readonly lostAtMs?: number | null | undefined;
  /** Called when it went away (with why) and when it is back (null); the first time when it was reached or could not be. */
  onChange(listener: (away: GatewayError | null) => void): void;
  /** Ends its connections. Idempotent. */
  close(): Promise<void>;
}
