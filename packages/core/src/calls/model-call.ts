import type { Json, JsonObject } from "./json.js";
import type { Extras, ProtocolId } from "./protocol.js";

/** The prompt up to and including this part may be kept by the vendor for later calls. `ttl` as the caller said it: `5m`, `30m`, `1h`, `12h`. */
export interface CacheMark {
  readonly ttl?: string | undefined;
}
/** What a text rests on. `start` and `end` count UTF-16 code units of the part's text; absent when the vendor does not say. */
export interface Citation {
  readonly url?: string | undefined;
  readonly title?: string | undefined;
  readonly citedText?: string | undefined;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly extras?: Extras | undefined;
}
/** One token of an answer with its probability, and those that stood beside it. `bytes` are the token's UTF-8. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[] | undefined;
  readonly top?: readonly Omit<TokenLogprob, "top">[] | undefined;
}

/**
 * A picture, sound or document: by URL, as bytes in base64, or as a file that was uploaded to a vendor, whose id means something to that vendor alone.
 * `mediaType` is as exact as is known: `image/*` for a picture by URL, `application/octet-stream` for an uploaded file.
 */
export interface MediaPart {
  readonly type: "media";
  readonly mediaType: string;
  readonly source:
    | { readonly kind: "url"; readonly url: string }
    | { readonly kind: "base64"; readonly data: string }
    | { readonly kind: "file"; readonly id: string };
  readonly filename?: string | undefined;
  /** How closely a picture is to be looked at: `low`, `high`, `auto`, or a vendor's own word. */
  readonly detail?: string | undefined;
  readonly cache?: CacheMark | undefined;
  readonly extras?: Extras | undefined;
}
export interface TextPart {
  readonly type: "text";
  readonly text: string;
  readonly citations?: readonly Citation[] | undefined;
  readonly logprobs?: readonly TokenLogprob[] | undefined;
  /** A vendor's sealed token that belongs to this part, as in `ReasoningPart`. */
  readonly opaque?: string | undefined;
  readonly cache?: CacheMark | undefined;
  readonly extras?: Extras | undefined;
}
/**
 * The model's own reasoning. `opaque` is a vendor's sealed form, to be returned unchanged to whoever made it: between a codec and its vendor it is the vendor's
 * own token; between a codec and a caller it is an envelope of ours that says where it is from (`routing/opaque`). A text may be empty and the token valid.
 */
export interface ReasoningPart {
  readonly type: "reasoning";
  readonly text: string;
  readonly opaque?: string | undefined;
  /** There is only the sealed form: the vendor withheld the text. */
  readonly redacted?: boolean | undefined;
  /** The vendor's id of the item, where tokens are bound to one. */
  readonly itemId?: string | undefined;
  readonly extras?: Extras | undefined;
}
export interface RefusalPart {
  readonly type: "refusal";
  readonly text: string;
  readonly extras?: Extras | undefined;
}
/** `arguments` is the JSON text exactly as the model wrote it, so that big numbers and key order survive; it may be invalid. Of a tool with text input it is that text. */
export interface ToolCallPart {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** "text": the tool takes free text. "json" when left out. */
  readonly input?: "json" | "text" | undefined;
  /** A vendor's sealed token that belongs to this call, as in `ReasoningPart`. */
  readonly opaque?: string | undefined;
  readonly cache?: CacheMark | undefined;
  readonly extras?: Extras | undefined;
}
export interface ToolResultPart {
  readonly type: "tool-result";
  readonly callId: string;
  readonly content: readonly (TextPart | MediaPart)[];
  readonly isError?: boolean | undefined;
  readonly cache?: CacheMark | undefined;
  readonly extras?: Extras | undefined;
}
/**
 * An item of one protocol that has no neutral form (the use of a hosted tool, a compaction, …), whole as it came. It goes back to that protocol in its place;
 * another protocol leaves it out with a warning.
 */
export interface NativePart {
  readonly type: "native";
  readonly protocol: ProtocolId;
  readonly item: JsonObject;
}

export type Message =
  | { readonly role: "system" | "developer"; readonly content: readonly TextPart[]; readonly extras?: Extras | undefined }
  | {
      readonly role: "user";
      readonly content: readonly (TextPart | MediaPart | NativePart)[];
      readonly name?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  | {
      readonly role: "assistant";
      readonly content: readonly (TextPart | ReasoningPart | RefusalPart | ToolCallPart | MediaPart | NativePart)[];
      readonly name?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  | { readonly role: "tool"; readonly content: readonly ToolResultPart[]; readonly extras?: Extras | undefined };

/** A tool as a model sees it. `inputSchema` is JSON Schema (2020-12). */
export interface ToolSpec {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: JsonObject;
  /** "text": the model writes free text instead of JSON, and `inputSchema` is `{}`. "json" when left out. */
  readonly input?: "json" | "text" | undefined;
  /** Of a tool of text: what the text has to follow, `lark` or `regex`, where the vendor can hold the model to it. */
  readonly grammar?: { readonly syntax: string; readonly definition: string } | undefined;
  readonly strict?: boolean | undefined;
  readonly cache?: CacheMark | undefined;
  /** What a call of it is to whoever declared it, in a dialect whose calls have no ids. */
  readonly calledAs?: { readonly id: string; readonly extras: Extras } | undefined;
  readonly extras?: Extras | undefined;
}
/** A tool that the vendor itself runs, as its protocol declares it. Any other protocol refuses it. */
export interface HostedTool {
  readonly hosted: ProtocolId;
  readonly definition: JsonObject;
}
/** `allowed`: only these of the declared tools; `required` whether one of them has to be called. */
export type ToolChoice =
  | "auto"
  | "none"
  | "required"
  | { readonly name: string }
  | { readonly allowed: readonly string[]; readonly required: boolean };
/** How much the model is to think before it answers. An empty object: as it likes. */
export interface ReasoningOptions {
  /** `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or a vendor's own word. */
  readonly effort?: string | undefined;
  /** Tokens at most; 0: none. */
  readonly budgetTokens?: number | undefined;
  /** Whether its text, or a summary of it, is to be shown. */
  readonly visible?: boolean | undefined;
}
export type OutputFormat =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | {
      readonly type: "json-schema";
      readonly name: string;
      readonly schema: JsonObject;
      readonly strict?: boolean | undefined;
      readonly description?: string | undefined;
    };

/**
 * One model call in neutral shape: what the callers in code write, and what the translate lane decodes to. What is undefined was not said and is
 * not sent: the gateway adds nothing that neither the caller nor the operator said.
 */
export interface ModelCall {
  /** `provider/model`, `route/name`, or a bare id that one provider owns. */
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly (ToolSpec | HostedTool)[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  readonly parallelToolCalls?: boolean | undefined;
  readonly output?: OutputFormat | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly n?: number | undefined;
  readonly reasoning?: ReasoningOptions | undefined;
  /** How many alternatives are wanted with the probability of each token; 0: only those chosen. */
  readonly logprobs?: number | undefined;
  /** What the answer may be made of, `text`, `image`, `audio`; text alone when left out. */
  readonly outputModalities?: readonly string[] | undefined;
  /** How fast and dear: `auto`, `default`, `flex`, `priority`, or a vendor's own word. */
  readonly serviceTier?: string | undefined;
  /** Calls with the same key are likely to share a beginning that the vendor has kept. */
  readonly promptCacheKey?: string | undefined;
  /** How long the vendor is to keep the beginning: `in_memory`, `24h`, or a vendor's own word. */
  readonly promptCacheRetention?: string | undefined;
  /** How much is to be said: `low`, `medium`, `high`, or a vendor's own word. */
  readonly verbosity?: string | undefined;
  /** The vendor may keep call and answer for whoever owns its key. */
  readonly store?: boolean | undefined;
  readonly user?: string | undefined;
  /** The same user, where the vendor tells abuse by another name than `user`; in dialects that have only one of the two it is `user` as well. */
  readonly safetyIdentifier?: string | undefined;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  readonly extras?: Extras | undefined;
}
