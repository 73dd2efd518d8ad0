import type { GatewayError } from "../errors/index.js";

/**
 * One request as a host hands it to the gateway: nothing is parsed, decoded or read before it is asked for.
 * Concurrency: `body` may be called once.
 */
export interface Inbound {
  readonly method: string;
  /** Below the mount, still percent-encoded, always starting with "/"; no query. */
  readonly path: string;
  /** Without the "?"; empty when there is none. */
  readonly query: string;
  /** The path under which the gateway is mounted, without a trailing slash; empty at the root. */
  readonly basePath: string;
  /** Address of the peer; null when the host does not know it. */
  readonly remoteAddress: string | null;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  /** Ends the call from our side, with the reason: `signal` is aborted with it, and a stream that has begun ends with it. Left out by hosts that cannot. */
  readonly abort?: ((reason: GatewayError) => void) | undefined;
  /** The host's own request object, for the auth hook of its application: an IncomingMessage, Express's Request, a web Request. The gateway itself never looks into it. */
  readonly raw?: unknown;
  /** A header by its lower-case name; several values are joined by ", ". */
  header(name: string): string | undefined;
  /** The whole body. Errors: `payload_too_large` past `maxBytes`, `cancelled` when the caller goes away. */
  body(maxBytes: number): Promise<Uint8Array>;
}
