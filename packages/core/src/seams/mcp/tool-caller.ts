import type { Caller, ToolDefinition, ToolEvent, ToolResult } from "../../calls/index.js";
import type { CallOptions } from "../call-options.js";

export interface ToolCall {
  /** `server__tool`. */
  readonly name: string;
  /** The JSON text of the arguments, an object. */
  readonly arguments: string;
  /** Carried to the server in `_meta`, so that a repetition can be recognised there. */
  readonly idempotencyKey?: string | undefined;
  readonly onProgress?: ((event: Extract<ToolEvent, { type: "progress" }>) => void) | undefined;
}

/** How runs, REST callers and steps call tools; filled by `mcp`. */
export interface ToolCaller {
  /** The tools that this caller may call, in the catalogue's stable order. */
  list(caller: Caller): Promise<readonly ToolDefinition[]>;
  /** For a name or glob that no listed tool matches: whether its server shows its tools only to who is signed in there. Errors: `authorization_required` when the caller has to sign in there first. */
  assertSignedIn(glob: string, caller: Caller): Promise<void>;
  /**
   * One call, every policy step applied. A result with `isError` is a result. Aborting the signal cancels it upstream.
   * Errors: `tool_not_found`, `forbidden`, `upstream_unavailable`, `upstream_timeout`, `outcome_unknown` when the connection broke after the call was sent.
   */
  call(call: ToolCall, o: CallOptions): Promise<ToolResult>;
  /** Counts for `/health`. */
  status(): { readonly servers: number; readonly connected: number; readonly tools: number };
}
