import type { Candidate, FinishReason } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { asExtras, ownExtras, textOf, type Json } from "../extras.js";

type Status = "completed" | "incomplete" | "cancelled";
interface Ended {
  readonly status: Status;
  readonly incomplete_details: { readonly reason: string } | null;
}

const completed: Ended = { status: "completed", incomplete_details: null };
const cut: Ended = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
const filtered: Ended = { status: "incomplete", incomplete_details: { reason: "content_filter" } };
const cancelled: Ended = { status: "cancelled", incomplete_details: null };

/** Cut short in one way or another is `max_output_tokens`, so that no client takes the answer for whole. */
const encoded: Readonly<Record<FinishReason, Ended>> = {
  stop: completed,
  "tool-calls": completed,
  length: cut,
  "context-overflow": cut,
  "content-filter": filtered,
  refusal: filtered,
  paused: cut,
  "malformed-tool": completed,
  cancelled,
  interrupted: cut,
  other: completed,
};
const incompleteReasons = new Map<string, FinishReason>([
  ["max_output_tokens", "length"],
  ["content_filter", "content-filter"],
  ["steered", "cancelled"],
]);

interface Typed {
  readonly type: string;
}
type Finish = Pick<Candidate, "finishReason" | "rawFinishReason" | "extras">;

/** Why a response ended. What we would say otherwise is kept in `extras`, and the vendor's word as raw. */
export function decodeFinish(body: Json, parts: readonly Typed[]): Finish {
  const status = textOf(body["status"]) ?? "completed";
  const details = isObject(body["incomplete_details"]) ? body["incomplete_details"] : null;
  const finishReason = reasonOf(status, { details, parts });
  const said = encodeFinish({ finishReason, parts });
  const plain = said.status === status && (said.incomplete_details?.reason ?? null) === (details?.["reason"] ?? null);
  if (plain) return { finishReason };
  return { finishReason, rawFinishReason: textOf(details?.["reason"]) ?? status, ...asExtras({ status, incomplete_details: details }) };
}

function reasonOf(status: string, o: { readonly details: Json | null; readonly parts: readonly Typed[] }): FinishReason {
  switch (status) {
    case "completed":
      return o.parts.some((part) => part.type === "tool-call") ? "tool-calls" : hasRefusal(o.parts) ? "refusal" : "stop";
    case "incomplete":
      return incompleteReasons.get(textOf(o.details?.["reason"]) ?? "") ?? "other";
    case "cancelled":
      return "cancelled";
    case "queued":
    case "in_progress":
      return "paused";
    default:
      return "other";
  }
}

/** How a response ended. A refusal that stands in its own part is a complete answer, as the vendor does it. */
export function encodeFinish(o: {
  readonly finishReason: FinishReason;
  readonly parts: readonly Typed[];
  readonly extras?: Candidate["extras"];
}): { readonly status: string; readonly incomplete_details: { readonly reason?: unknown } | null } {
  const { status, incomplete_details: details } = ownExtras(o);
  if (typeof status === "string") return { status, incomplete_details: isObject(details) ? details : null };
  return o.finishReason === "refusal" && hasRefusal(o.parts) ? completed : encoded[o.finishReason];
}

function hasRefusal(parts: readonly Typed[]): boolean {
  return parts.some((part) => part.type === "refusal");
}
