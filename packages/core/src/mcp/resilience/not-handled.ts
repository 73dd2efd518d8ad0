import { GatewayError } from "../../errors/index.js";

/**
 * Whether a request that failed so certainly reached nobody who acts on it: it was not sent; its server knows no such session, as the protocol has it say; or a limit was reached, and the server said when to come again. A 503 is no such proof,
 * nor is a 429 by itself: they come from handlers too, and from what stands before them when a handler takes long (F66).
 */
export function wasNotHandled(error: unknown): boolean {
  if (GatewayError.is(error, "upstream_rate_limited")) return error.retryAfterMs !== undefined;
  if (!GatewayError.is(error, "upstream_unavailable")) return false;
  return typeof error.details?.["status"] !== "number" || error.details["session"] === "lost";
}
