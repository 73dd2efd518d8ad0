import { GatewayError } from "../errors/index.js";
import type { Within } from "./record-store.js";

/** Errors: `cancelled` when the signal fired, `deadline_exceeded` when the deadline passed. `nowMs` is process time. */
export function assertWithin(w: Within, nowMs: number): void {
  if (w.signal?.aborted === true) throw new GatewayError("cancelled", "The call was cancelled.", { details: { outcome: "none" } });
  if (nowMs > w.deadlineMs)
    throw new GatewayError("deadline_exceeded", "The deadline passed before the store was asked.", { details: { outcome: "none" } });
}
