import type { Caller, Json } from "../../calls/index.js";
import type { PinStatus, ToolPinRow } from "../../entities/index.js";

export interface PinQuery {
  readonly server?: string | undefined;
  readonly status?: PinStatus | undefined;
  /** 1 to 500. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}
/** One place where two definitions differ, as JSON Pointer; `before` or `after` is left out where there was nothing. */
export interface PinDifference {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}
export interface PinDetail {
  readonly pin: ToolPinRow;
  /** The approved definition; null: none was. */
  readonly approved: Json;
  /** The one that waits, or was rejected; null: there is none. */
  readonly seen: Json;
  readonly differences: readonly PinDifference[];
}

export interface PinDecision {
  readonly digest: string;
  readonly approve: boolean;
  readonly caller: Caller;
  readonly note?: string | undefined;
}

/** Definitions of MCP tools as they were approved, and those that wait. */
export interface ToolPins {
  /** Errors: those of the store. */
  list(query: PinQuery): Promise<{ readonly rows: readonly ToolPinRow[]; readonly next: string | null }>;
  /** Errors: `not_found`, those of the store. */
  get(id: string): Promise<PinDetail>;
  /**
   * Approves, or rejects, the definition of this digest and no other: what was not looked at is not decided on. Valid on every node within about a second.
   * Errors: `not_found`; `conflict` when another definition waits, or none; those of the store.
   */
  decide(id: string, o: PinDecision): Promise<ToolPinRow>;
}
