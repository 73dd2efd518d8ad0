// Names and numbers of the Model Context Protocol that both sides of the proxy use.

/** The revision without sessions. https://modelcontextprotocol.io/specification/2026-07-28 */
export const MODERN_VERSION = "2026-07-28";
/** Revisions with an initialize handshake, newest first. */
export const LEGACY_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
/** What a request without a version header is taken for, as the 2025-06-18 transport says. */
export const ASSUMED_LEGACY_VERSION = "2025-03-26";

export type Era = "legacy" | "modern";

/** Revisions are dates; those from the stateless one on carry their version in every request. */
export function isModern(version: string): boolean {
  return version >= MODERN_VERSION;
}

export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
  /** Ours: repeats of one call have the same value. */
  idempotencyKey: "sallyport/idempotencyKey",
} as const;

/** The keys of a request's `_meta` that belong to one hop: written anew for the next, never relayed. */
const hopKeys: ReadonlySet<string> = new Set([
  META.protocolVersion,
  META.clientInfo,
  META.clientCapabilities,
  META.logLevel,
  "progressToken",
]);
export function isHopKey(key: string): boolean {
  return hopKeys.has(key);
}

export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** For servers' own use: what has no code of its own; `data.code` says which of ours it is. */
  serverError: -32000,
  /** Up to 2025-11-25; -32602 since. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** How severe a log message is: its place in this list, least severe first (RFC 5424). */
export const LOG_LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;
export function severity(level: string): number {
  return (LOG_LEVELS as readonly string[]).indexOf(level);
}
