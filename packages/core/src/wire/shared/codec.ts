import type {
  EmbedAnswer,
  EmbedCall,
  Headers,
  ModelAnswer,
  ModelCall,
  ModelEvent,
  ModelHead,
  ProtocolId,
  TokenCount,
  Usage,
} from "../../calls/index.js";
import type { GatewayError } from "../../errors/index.js";

/** A head with where its parts stand in the bytes, so that they can be replaced without building a tree. Offsets are bytes; `end` is exclusive. */
export interface ScannedHead extends ModelHead {
  readonly spans: { readonly [field: string]: { readonly start: number; readonly end: number } };
  /** The caller asked for usage in the stream (protocols where that is a choice). */
  readonly wantsUsage: boolean;
}
/** The path's part of a call, for protocols that say model and stream there. */
export interface PathHead {
  readonly model: string;
  readonly stream: boolean;
}

/**
 * How a vendor departs from its protocol, declared in its row and passed to the codec: no codec knows a vendor. Everything defaults to what the
 * protocol's own vendor does.
 */
export interface Quirks {
  /** Which field limits output tokens. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** The vendor knows `developer` messages; otherwise they are sent as `system`. Default true. */
  readonly developerRole?: boolean;
  /** The vendor accepts `stream_options.include_usage`. Default true. */
  readonly usageInStream?: boolean;
  /**
   * Where an assistant message carries reasoning back. Default: reasoning that came in this protocol goes back in the field that it came in, other reasoning is
   * left out. A name: other reasoning goes there. "none": the vendor refuses the field, nothing is sent.
   */
  readonly reasoningField?: "reasoning_content" | "reasoning" | "none";
  /** What stands between the base URL and `/{model}:generateContent`. Default `/v1beta/models`. */
  readonly modelsPath?: string;
  /** The words that the vendor knows for how much to think, weakest first; another word becomes the nearest weaker one, with a warning. Default: any. */
  readonly efforts?: readonly string[];
  /** Fields that the vendor refuses although the protocol has them: left out, with a warning. */
  readonly dropped?: readonly ("temperature" | "topP" | "topK" | "presencePenalty" | "frequencyPenalty" | "seed" | "logprobs" | "stop")[];
  /** The vendor takes a picture by URL. Default true; otherwise routing fetches it and sends its bytes. */
  readonly mediaByUrl?: boolean;
  /** The vendor only knows that JSON is wanted, not its schema. */
  readonly jsonObjectOnly?: boolean;
  /** An assistant message with tool calls has to carry its reasoning field, even empty. */
  readonly reasoningOnToolTurns?: boolean;
  /** The vendor takes `role: "system"` after the first user turn. Default true. */
  readonly systemAnywhere?: boolean;
  /** What ids of tool calls the vendor takes: "nine", letters and digits, nine of them. Default: as its protocol. */
  readonly toolCallIds?: "nine";
  /** The vendor knows tools that take text. Default: as its protocol. */
  readonly textTools?: boolean;
  /** As in `CodecTraits`, of a vendor or model that takes only one of the two. */
  readonly reasoningBy?: "effort" | "budget";
  /** In Chat Completions: the vendor knows `top_k`, which the protocol does not have. */
  readonly topK?: boolean;
  /** The vendor refuses a conversation with tool calls that declares no tools. Default: as its protocol. */
  readonly toolsWithHistory?: boolean;
  /**
   * In Chat Completions, the field that says how much to think: `reasoning_effort` (the default), OpenRouter's `reasoning` with effort or tokens, or DeepSeek's
   * `thinking` beside `reasoning_effort`.
   */
  readonly reasoningRequest?: "reasoning_effort" | "reasoning" | "thinking";
  /**
   * In Chat Completions, how the end of a part that is to be cached is marked: as OpenAI does (`prompt_cache_breakpoint`), as Anthropic does (`cache_control`), or
   * not at all. Default: marks that came in this protocol go back as they came, others are left out with a warning.
   */
  readonly cacheMarks?: "prompt_cache_breakpoint" | "cache_control" | "none";
  /** In Responses, models seal their reasoning when asked; those that do not reason refuse to be asked. Default true. */
  readonly sealedReasoning?: boolean;
}

/** What a protocol can and cannot carry, beside what its own encoder refuses. Read by `adaptCall` before a call is encoded. */
export interface CodecTraits {
  /** Names of tools: what matches is sent as it is, everything else under a name made from it. */
  readonly toolName: RegExp;
  /** Ids of tool calls, likewise. */
  readonly toolCallId: RegExp;
  /** It has tools that take free text. */
  readonly textTools: boolean;
  /** Where its callers can carry a vendor's sealed tokens back to us. What they cannot is kept in the stash, by tool-call id. */
  readonly carries: { readonly reasoning: boolean; readonly toolCalls: boolean; readonly text: boolean };
  /** What its sealed tokens are bound to, beside provider and protocol: they go back only where all of it is the same. Left out: the model and the key. */
  readonly tokensBoundTo?: readonly TokenBond[] | undefined;
  /** A call has to limit its output: routing fills in the model's own limit where the caller gave none. */
  readonly needsMaxTokens?: boolean | undefined;
  /** A whole answer that may be longer than this, in tokens, is asked for as a stream and put together here: no vendor's connection outlives the wait. */
  readonly streamAbove?: number | undefined;
  /** How much to think can be said in words alone ("effort") or in tokens alone ("budget"); both when left out. */
  readonly reasoningBy?: "effort" | "budget";
  /** A conversation with tool calls has to declare tools, also when none may be called any more. */
  readonly toolsWithHistory?: boolean;
  /** The types of media that it takes by URL. Default: all. */
  readonly mediaByUrl?: RegExp;
  /** It can be told how closely to look at a picture. */
  readonly imageDetail?: boolean;
  /** Fields of its own that say that a part of the conversation is kept at the vendor: a result may then answer a call that is not here. */
  readonly keptHistory?: readonly string[];
  /** Fields of its own, wherever they stand, that name what lies at the vendor (files, stores, containers, caches) by the vendor's ids. */
  readonly handles?: readonly string[];
  /** Headers of a caller that belong to its call, by their lower-case names, and which values of them (parted by commas) a vendor of this protocol is sent. All others stay here. */
  readonly callerHeaders?: readonly { readonly name: string; readonly value: RegExp }[] | undefined;
}

/**
 * What a vendor binds a sealed token to: the very `model`, its `family` (the name up to its first number), the `key` it was made with (its organization or project),
 * the `prefix` (what users said before it), the `text` that it seals.
 */
export type TokenBond = "model" | "family" | "key" | "prefix" | "text";

/** Something of a call that the target gets in another form, or not at all. Told to the caller, in `x-sallyport-warnings`. */
export interface Warning {
  /** The neutral field, such as `temperature` or `messages[2].content[0]`. */
  readonly field: string;
  readonly what: string;
}

export interface EncodedRequest {
  /** Appended to the provider's base URL. */
  readonly path: string;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly warnings?: readonly Warning[] | undefined;
}
/** Counting the tokens of a call without making it, where the protocol has that. */
export interface TokenCounter {
  decodeRequest(bytes: Uint8Array, path?: PathHead): ModelCall;
  encodeAnswer(count: TokenCount): Uint8Array;
  encodeRequest(call: ModelCall, o: { readonly model: string; readonly quirks: Quirks }): EncodedRequest;
  decodeAnswer(bytes: Uint8Array): TokenCount;
}
/** Embeddings in a protocol's dialect. Errors: as in `Codec`. */
export interface EmbedCodec {
  decodeRequest(bytes: Uint8Array, path?: PathHead): EmbedCall;
  /** `call` is what was asked: it says the form of the vectors. */
  encodeAnswer(answer: EmbedAnswer, call: EmbedCall): Uint8Array;
  /** How many inputs the protocol takes at once; routing splits larger calls. */
  readonly maxInputs: number;
  encodeRequest(call: EmbedCall, o: { readonly model: string; readonly quirks: Quirks }): EncodedRequest;
  decodeAnswer(bytes: Uint8Array): EmbedAnswer;
}
export interface EncodedError {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** What a relayed answer told us while its bytes went by. */
export interface RelayWatch {
  /** Called with each usage seen; the last is true. */
  usage(usage: Usage): void;
  /** The vendor's error as its caller may see it: a vendor may quote the credential that it was given. */
  tellable(error: GatewayError): GatewayError;
  /** Called once when the stream ends without its terminator or carries the vendor's error, just before the frame that says so is given. */
  failed(error: GatewayError): void;
  /** Counts the bytes that go by, and keeps their beginning as text. */
  readonly delivered?: { bytes: number; sample: string } | undefined;
}

/**
 * One wire protocol, pure and read both ways: a face decodes requests and encodes answers, a provider encodes requests and decodes answers.
 * Functions keep no state between calls and know no vendor. All bytes are UTF-8.
 * Errors: of a caller's bytes `invalid_json`, `validation_failed`, `unsupported_feature` (naming the field); of an upstream's bytes `upstream_protocol`,
 * `upstream_interrupted`, or what `decodeError` says.
 */
export interface Codec {
  readonly protocol: ProtocolId;
  readonly traits: CodecTraits;
  readonly count?: TokenCounter | undefined;
  readonly embed?: EmbedCodec | undefined;

  // ── the caller's side ──
  /** One pass over the bytes: valid JSON, an object, the head's fields of the right type, no duplicate of a field that we act on. */
  scanHead(bytes: Uint8Array, path?: PathHead): ScannedHead;
  decodeRequest(bytes: Uint8Array, path?: PathHead): ModelCall;
  encodeAnswer(answer: ModelAnswer): Uint8Array;
  /** Whole SSE frames. An error thrown by the source becomes the dialect's terminal error frame (told to `onError`), and the iteration ends normally. */
  encodeStream(
    events: AsyncIterable<ModelEvent>,
    o: { readonly includeUsage: boolean; readonly onError: (error: GatewayError) => void },
  ): AsyncIterable<Uint8Array>;
  encodeError(error: GatewayError, requestId: string): EncodedError;

  // ── the vendor's side ──
  encodeRequest(call: ModelCall, o: { readonly model: string; readonly stream: boolean; readonly quirks: Quirks }): EncodedRequest;
  decodeAnswer(bytes: Uint8Array): ModelAnswer;
  decodeStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ModelEvent>;
  /** What a vendor's failed answer means: never carries the vendor's body as a whole, never our credential. */
  decodeError(status: number, headers: Headers, bytes: Uint8Array): GatewayError;

  // ── the relay lane: the same protocol on both sides, bytes forwarded ──
  /** The caller's bytes with the model's name replaced and, for a stream, usage asked for when `quirks` allow it; all other bytes untouched. */
  spliceRequest(bytes: Uint8Array, head: ScannedHead, o: { readonly model: string; readonly quirks: Quirks }): EncodedRequest;
  /**
   * Usage of a whole answer, read from its span without parsing the rest; empty when there is none. Errors: `upstream_protocol` when it is not a JSON object; the
   * vendor's own when it is an error in place of an answer.
   */
  readUsage(bytes: Uint8Array): Usage;
  /**
   * The vendor's frames as they came, byte for byte, several a chunk when they came so; frames that only we asked for are dropped, and a terminator that was left
   * out behind a whole answer is added. When the upstream breaks off, stalls (its error is thrown by `chunks`), ends before the answer does or sends an error, the
   * dialect's error frame follows the last whole frame, `watch.failed` is told, and the iteration ends normally; a vendor's own error frame is never passed on.
   */
  relayStream(chunks: AsyncIterable<Uint8Array>, o: { readonly dropUsage: boolean; readonly watch: RelayWatch }): AsyncIterable<Uint8Array>;
}
