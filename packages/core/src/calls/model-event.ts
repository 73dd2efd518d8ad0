import type { JsonObject } from "./json.js";
import type { Citation, TokenLogprob } from "./model-call.js";
import type { Extras, ProtocolId } from "./protocol.js";
import type { Usage } from "./usage.js";

export type FinishReason =
  | "stop"
  | "tool-calls"
  | "length"
  | "context-overflow"
  | "content-filter"
  | "refusal"
  | "paused"
  | "malformed-tool"
  | "cancelled"
  /** Ours: the stream ended without a terminator. */
  | "interrupted"
  | "other";

/**
 * The neutral stream of one model answer, a closed union with this grammar:
 *
 *     start (block* | extra)* finish
 *     block = text-start (text-delta | citation)* text-end | reasoning-start reasoning-delta* reasoning-end | refusal-start refusal-delta* refusal-end
 *           | tool-call-start tool-call-delta* tool-call-end | media | native
 *
 * `index` numbers the candidate (0 unless `n` > 1), `block` the block within it, increasing; blocks of one candidate may interleave only when
 * they are tool calls. `finish` comes once a candidate; `usage` may come more than once, each time cumulative, the last is true. A stream that
 * fails throws a GatewayError instead of finishing.
 */
export type ModelEvent =
  | {
      readonly type: "start";
      readonly id: string;
      readonly model: string;
      readonly createdAtMs: number;
      readonly extras?: Extras | undefined;
    }
  | {
      readonly type: "text-start" | "reasoning-start" | "refusal-start";
      readonly index: number;
      readonly block: number;
      /** Of reasoning alone, where the vendor says it at the start; its end says it too. */
      readonly itemId?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  | {
      readonly type: "text-delta" | "reasoning-delta" | "refusal-delta";
      readonly index: number;
      readonly block: number;
      readonly text: string;
      /** Of a text alone. */
      readonly logprobs?: readonly TokenLogprob[] | undefined;
      readonly extras?: Extras | undefined;
    }
  | { readonly type: "citation"; readonly index: number; readonly block: number; readonly citation: Citation }
  | {
      readonly type: "text-end";
      readonly index: number;
      readonly block: number;
      readonly opaque?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  | { readonly type: "refusal-end"; readonly index: number; readonly block: number; readonly extras?: Extras | undefined }
  | {
      readonly type: "reasoning-end";
      readonly index: number;
      readonly block: number;
      readonly opaque?: string | undefined;
      readonly redacted?: boolean | undefined;
      readonly itemId?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  | {
      readonly type: "tool-call-start";
      readonly index: number;
      readonly block: number;
      readonly id: string;
      readonly name: string;
      readonly input?: "json" | "text" | undefined;
      readonly extras?: Extras | undefined;
    }
  /** A fragment of the JSON text of the arguments. */
  | { readonly type: "tool-call-delta"; readonly index: number; readonly block: number; readonly text: string }
  /** The call is whole; only now may it be executed. */
  | {
      readonly type: "tool-call-end";
      readonly index: number;
      readonly block: number;
      readonly opaque?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  /** A whole item of one protocol that has no neutral form: see `NativePart`. */
  | { readonly type: "native"; readonly index: number; readonly block: number; readonly protocol: ProtocolId; readonly item: JsonObject }
  | {
      readonly type: "media";
      readonly index: number;
      readonly block: number;
      readonly mediaType: string;
      readonly data: string;
      readonly extras?: Extras | undefined;
    }
  | { readonly type: "usage"; readonly usage: Usage; readonly extras?: Extras | undefined }
  | {
      readonly type: "finish";
      readonly index: number;
      readonly reason: FinishReason;
      readonly raw?: string | undefined;
      /** Which of the caller's stop sequences ended it, where the vendor says. */
      readonly stopSequence?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  /** An event of one protocol that has no neutral meaning. */
  | { readonly type: "extra"; readonly extras: Extras };
