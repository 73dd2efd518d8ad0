import type { Caller, Face } from "../calls/index.js";

/** Where a call came in, and what its caller said of it. */
export interface Origin {
  readonly source: "http" | "mcp" | "code" | "run" | "task";
  /** Why, in the caller's words. */
  readonly purpose: string | null;
  /** The trace that it is part of, as W3C Trace Context has it; null: it names none. */
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}

/** What every call through a seam says of itself. */
export interface CallOptions {
  readonly caller: Caller;
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly deadlineMs: number;
  /** How many calls this one is nested in; 0 at the edge. */
  readonly depth: number;
  /** Why, when a step of ours makes the call: a purpose never re-enters the step that made it. */
  readonly purpose?: string | undefined;
  readonly runId?: string | undefined;
  /** What the caller calls the conversation that this is part of: it keeps its key and target. */
  readonly sessionId?: string | undefined;
  /** Left out: from code, or from the run that it names. */
  readonly origin?: Origin | undefined;
  /** The shape that the answer's headers are wanted in. Left out: nobody reads them. */
  readonly face?: Face | undefined;
  /** What the caller's `cache-control` said. */
  readonly cacheControl?: string | undefined;
}

/** Calls nested deeper than this are refused with `limit_reached`. */
export const MAX_DEPTH = 8;
