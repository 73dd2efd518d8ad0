import type { ModelAnswer, Usage } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import { isOwn, ownExtras, type Json } from "../extras.js";
import { encodeItems } from "./encode-items.js";
import { encodeFinish } from "./finish-status.js";
import { encodeUsage } from "./usage.js";

/** What a response says of a request that it was not told of. */
const unsaid: Json = {
  instructions: null,
  max_output_tokens: null,
  parallel_tool_calls: true,
  previous_response_id: null,
  temperature: null,
  tool_choice: "auto",
  tools: [],
  top_p: null,
  metadata: {},
};
/** Words for tiers that the protocol has; the word of another vendor is left out. */
const tiers = new Set(["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]);

/** `Codec.encodeAnswer` of Responses: the first candidate, as the protocol has one. Usage that is not known is left out. */
export function encodeAnswer(answer: ModelAnswer): Uint8Array {
  const candidate = answer.candidates[0];
  const parts = candidate?.content ?? [];
  const ended = encodeFinish({ finishReason: candidate?.finishReason ?? "other", parts, extras: candidate?.extras });
  const output = encodeItems(parts, { responseId: answer.id, incomplete: ended.status === "incomplete" });
  return utf8(JSON.stringify(encodeResponse(answer, { ...ended, output, usage: answer.usage })));
}

export interface ResponseState {
  readonly status: string;
  readonly incomplete_details?: unknown;
  readonly error?: unknown;
  readonly output: readonly unknown[];
  /** Null while it is not known yet. */
  readonly usage: Usage | null;
}

/** A response object, whole or at any point of its stream. */
export function encodeResponse(head: Pick<ModelAnswer, "id" | "model" | "createdAtMs" | "extras">, state: ResponseState): Json {
  const { usage: ownUsage, ...own } = ownExtras(head);
  const tier = state.usage?.serviceTier;
  const usage = state.usage === null ? null : encodeUsage(state.usage, ownUsage);
  const said = {
    id: head.id,
    object: "response",
    created_at: Math.floor(head.createdAtMs / 1000),
    status: state.status,
    error: state.error ?? null,
    incomplete_details: state.incomplete_details ?? null,
    model: head.model,
    output: state.output,
  };
  return {
    ...said,
    ...unsaid,
    ...(tier !== undefined && (isOwn(head) || tiers.has(tier)) ? { service_tier: tier } : {}),
    ...own,
    // Again, because nothing that rides along may stand in its place.
    ...said,
    ...(usage === null ? {} : { usage }),
  };
}
