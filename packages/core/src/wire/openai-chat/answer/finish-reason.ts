import type { FinishReason } from "../../../calls/index.js";

type ChatReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call";

/** What an answer holds, which the protocol's word depends on. */
export interface Holds {
  readonly calls: boolean;
  /** The call is of the legacy kind. */
  readonly legacyCall: boolean;
  readonly refusal: boolean;
}

const decoded = new Map<string, FinishReason>([
  ["stop", "stop"],
  ["length", "length"],
  ["tool_calls", "tool-calls"],
  ["function_call", "tool-calls"],
  ["content_filter", "content-filter"],
  ["refusal", "refusal"],
]);

/** Cut short in one way or another is `length`, so that no client takes the answer for whole. */
const encoded: Readonly<Record<FinishReason, ChatReason>> = {
  stop: "stop",
  "tool-calls": "tool_calls",
  length: "length",
  "context-overflow": "length",
  "content-filter": "content_filter",
  refusal: "content_filter",
  paused: "length",
  "malformed-tool": "stop",
  cancelled: "length",
  interrupted: "length",
  other: "stop",
};

/** What a vendor's word means: compatible vendors say `stop` after tool calls, and a refusal ends in `stop` by the protocol. `raw` is set where we would say another. */
export function decodeFinish(word: string | undefined, holds: Holds): { readonly reason: FinishReason; readonly raw?: string } {
  const said = (word === undefined ? undefined : decoded.get(word)) ?? "other";
  const plain = said === "stop" || word === undefined;
  const reason = plain && holds.calls ? "tool-calls" : plain && holds.refusal ? "refusal" : said;
  return word === undefined || encodeFinish(reason, holds) === word ? { reason } : { reason, raw: word };
}

/** The protocol's word for a reason. A refusal that stands in its own field ends in `stop`, as the vendor does it. */
export function encodeFinish(reason: FinishReason, holds: Holds): ChatReason {
  if (holds.calls && (reason === "tool-calls" || reason === "stop" || reason === "other"))
    return holds.legacyCall ? "function_call" : "tool_calls";
  if (reason === "refusal" && holds.refusal) return "stop";
  return encoded[reason];
}

/** Whether the last tool call of an answer may have been cut off: unless the vendor said that it had come to its end. */
export function mayBeCut(word: string | undefined, reason: FinishReason): boolean {
  return word === undefined || (reason !== "stop" && reason !== "tool-calls");
}

/** A function's arguments that are a whole JSON object: no proper prefix of one is one. */
export function areWholeArguments(text: string): boolean {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

/** Which stop sequence was met, as some servers of this protocol say it: vLLM's `stop_reason`, SGLang's `matched_stop`. The number of a token there is none of the caller's words. */
export function takeStopSequence(choice: Record<string, unknown>): {
  readonly stopSequence?: string;
  readonly own: Record<string, unknown>;
} {
  const { stop_reason: reason, ...others } = choice;
  if (typeof reason === "string") return { stopSequence: reason, own: others };
  const matched = choice["matched_stop"];
  return typeof matched === "string" ? { stopSequence: matched, own: choice } : { own: choice };
}
