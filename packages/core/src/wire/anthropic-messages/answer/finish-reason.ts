import type { StopReason } from "@anthropic-ai/sdk/resources/messages";
import type { FinishReason } from "../../../calls/index.js";

const decoded: Readonly<Record<StopReason, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  tool_use: "tool-calls",
  max_tokens: "length",
  pause_turn: "paused",
  refusal: "refusal",
  model_context_window_exceeded: "context-overflow",
};

/** Cut short in one way or another is `max_tokens`, so that no client takes the answer for whole. */
const encoded: Readonly<Record<FinishReason, StopReason>> = {
  stop: "end_turn",
  "tool-calls": "tool_use",
  length: "max_tokens",
  "context-overflow": "model_context_window_exceeded",
  "content-filter": "refusal",
  refusal: "refusal",
  paused: "pause_turn",
  "malformed-tool": "end_turn",
  cancelled: "max_tokens",
  interrupted: "max_tokens",
  other: "end_turn",
};

export interface Finish {
  readonly reason: FinishReason;
  /** The vendor's word, where it has no exact neutral one. */
  readonly raw?: string | undefined;
  readonly stopSequence?: string | undefined;
}

/** What the vendor's word means; without a word, that the answer came to its end is all that is known. */
export function decodeFinish(word: unknown, sequence: unknown, calls: boolean): Finish {
  const known = typeof word === "string" && Object.hasOwn(decoded, word) ? decoded[word as StopReason] : undefined;
  const stopSequence = typeof sequence === "string" ? { stopSequence: sequence } : {};
  // Compatible hosts say end_turn after tool calls.
  if (calls && (known === "stop" || typeof word !== "string")) return { reason: "tool-calls", ...stopSequence };
  const named = known !== undefined && (word !== "stop_sequence" || typeof sequence === "string");
  return { reason: known ?? "other", ...(named || typeof word !== "string" ? {} : { raw: word }), ...stopSequence };
}

/** The protocol's word for a reason. `holds`: what is in the answer, which the word depends on; `own`: the word that a vendor of this protocol said and we do not know. */
export function encodeFinish(
  finish: Pick<Finish, "reason" | "stopSequence">,
  holds: { readonly calls: boolean; readonly refusal: boolean },
  own: unknown,
): string {
  const { reason } = finish;
  if (typeof own === "string") return own;
  if (holds.refusal && (reason === "stop" || reason === "other")) return "refusal";
  if (holds.calls && (reason === "stop" || reason === "other")) return "tool_use";
  return reason === "stop" && finish.stopSequence !== undefined ? "stop_sequence" : encoded[reason];
}

/** Whether the last call of an answer may have been cut off: unless the vendor said that the model came to its end. */
export function mayBeCut(reason: FinishReason): boolean {
  return reason !== "stop" && reason !== "tool-calls" && reason !== "paused";
}
