import type { JsonObject } from "../../calls/index.js";

/**
 * What passes between a server that asks in the middle of a call and whoever made the call: a question comes from outside, as results do; an answer goes to a server, as arguments do. What is given back is the value itself when there
 * was nothing to change. Errors of both: `content_blocked`, `payload_too_large`, `cancelled`.
 */
export interface QuestionGuard {
  /** The parameters of what is asked. */
  question(said: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  /** The result that it is answered with. */
  answer(said: JsonObject, signal: AbortSignal): Promise<JsonObject>;
}
