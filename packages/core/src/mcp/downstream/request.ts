import type { SessionQuestions } from "../bridge/session-questions.js";
import type { CallOptions } from "../../seams/index.js";
import type { View } from "../catalogue/view.js";
import type { RpcMessage } from "../frames/message.js";
import type { Era } from "../frames/protocol.js";

/** One HTTP request to an MCP address, as the edge hands it over once it knows who calls. */
export interface McpRequest {
  readonly method: string;
  /** By lower-case name. */
  header(name: string): string | undefined;
  /** The whole body; null when there is none. */
  readonly bytes: Uint8Array | null;
  /** Of `/ns/{namespace}/mcp`; null for `/mcp`. */
  readonly namespace: string | null;
  /** One server alone, under its own names; beside a namespace of null. */
  readonly server?: string | undefined;
  /** It came over a pipe or stream, where a message has no headers of its own. */
  readonly isChannel?: boolean | undefined;
}

/** What a log message must reach to be relayed: a level, everything, or nothing. */
export type LogFilter = { readonly least: number } | "all" | "none";

/** One JSON-RPC request on its way through the methods. */
export interface RpcCall {
  readonly request: McpRequest;
  readonly o: CallOptions;
  readonly view: View;
  readonly message: RpcMessage;
  /** The caller's id, as JSON text. */
  readonly id: string;
  readonly era: Era;
  /** The caller takes an event stream as answer. */
  readonly takesStream: boolean;
  readonly logs: LogFilter;
  /** Of a client up to 2025-11-25 with a session: how it is asked. null: it has none, or is of another era. */
  readonly session: SessionQuestions | null;
  /** Aborted when the caller goes, or cancels. */
  readonly signal: AbortSignal;
}
