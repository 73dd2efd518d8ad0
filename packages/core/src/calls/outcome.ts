import type { ErrorCode } from "../errors/index.js";

/** How a call ended, told to every `leave` of its steps exactly once. */
export interface Outcome {
  readonly kind: "done" | "failed" | "aborted" | "parked";
  /** Set when failed. */
  readonly code?: ErrorCode | undefined;
  /** HTTP status that the caller saw. */
  readonly status: number;
  /** The first byte reached the caller before it ended. */
  readonly started: boolean;
}
