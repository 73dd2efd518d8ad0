import type { Caller, Headers } from "../../calls/index.js";
import type { Asker } from "../bridge/question.js";
import type { RpcMessage } from "../frames/message.js";

/** One request to an upstream server, still without the id that the lane gives it. */
export interface UpstreamRequest {
  readonly method: string;
  /** The name or URI that it is about, mirrored in `Mcp-Name` over HTTP since 2026-07-28; null when the method has none. */
  readonly subject: string | null;
  /** `Mcp-Param-*`, for tools that ask for them. */
  readonly headers: Headers;
  /** `traceparent` and `tracestate`, over HTTP as headers too; left out: none. */
  readonly trace?: Headers | undefined;
  /** The revision that its `_meta` names; null when the connection was made by a handshake. */
  readonly version: string | null;
  /** Its answer may be nested deeper than what is read elsewhere: whoever asks leaves out what is. Left out: such an answer is none. */
  readonly mayBeDeep?: boolean | undefined;
  /** The whole message; progress, if asked for, under the id itself as token. */
  encode(id: number): Uint8Array;
}

export interface ExchangeOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Notifications that belong to this request, before its answer. */
  readonly onNotice?: ((notice: RpcMessage) => void) | undefined;
  /** Whose request it is; null for the gateway's own. Decides who may see what the server says in passing. */
  readonly owner: string | null;
  /** Who is asked what the server wants to know in the course of this request; left out: nobody can be. */
  readonly asker?: Asker | undefined;
  /** Does what waits for somebody else than the server; whoever gives it keeps the server's own time. Left out: nobody is waited for. */
  readonly aside?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  /** Who is behind it, for servers that each caller signs in at; left out: nobody. */
  readonly caller?: Caller | undefined;
}

/** What a server says outside of any request. */
export interface LaneEvents {
  onNotice(notice: RpcMessage): void;
  /** A log message, and the one caller whose it can only be. */
  onLog(owner: string, notice: RpcMessage): void;
  /** The connection is over; null when we ended it. Called once. */
  onClose(why: Error | null): void;
}

/**
 * A connection to one upstream server on which JSON-RPC requests are exchanged as bytes. Any number of requests at once.
 */
export interface Lane {
  /**
   * Sends a request and gives the answer, a result or a JSON-RPC error alike. Aborting the signal cancels it at the server.
   * Errors: `upstream_unavailable` (nothing was sent), `upstream_interrupted` (the connection broke after it was sent), `upstream_timeout`, `upstream_protocol`,
   * `upstream_credential`, `upstream_rate_limited`, `upstream_rejected`, `cancelled`.
   */
  exchange(request: UpstreamRequest, o: ExchangeOptions): Promise<RpcMessage>;
  notify(message: Uint8Array, deadlineMs: number): Promise<void>;
  /** The revision that both sides agreed on. */
  adopt(version: string): void;
  /** The handshake is over: from now on the server may speak unasked. */
  begin(): void;
  /** What the process wrote to its error output of late; null when there is none. */
  stderr(): string | null;
  /** Ends the connection and, for a child process, the process. Idempotent; resolves when it is over. */
  close(): Promise<void>;
}
