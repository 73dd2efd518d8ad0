import type { Era } from "../frames/protocol.js";
import type { GuardState } from "../resilience/server-guard.js";

export type ServerTransport = "stdio" | "http" | "sse" | "openapi" | "in-process";

export interface ServerStatus extends GuardState {
  readonly name: string;
  /** `sse`: HTTP+SSE, the transport of 2024-11-05. */
  readonly transport: ServerTransport;
  readonly connected: boolean;
  readonly tools: number;
  readonly lastError: string | null;
  /** Unix ms: when it was last known to answer; null: never. */
  readonly lastSuccessMs: number | null;
  readonly era: Era | null;
  /** The protocol revision agreed on. */
  readonly version: string | null;
  /** The end of what a child process wrote to its error output; for the operator's eyes. */
  readonly stderr: string | null;
}
