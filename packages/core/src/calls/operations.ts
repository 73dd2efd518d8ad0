import type { Json } from "./json.js";
import type { ModelCall } from "./model-call.js";
import type { Extras } from "./protocol.js";
import type { Usage } from "./usage.js";

// What models are asked for beside chat, in neutral shape. As in `ModelCall`, what is undefined was not said and is not sent; `extras` are fields of one
// dialect that have no neutral meaning.

/** Bytes with their type. */
export interface MediaBytes {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly filename?: string | undefined;
}

export interface EmbedCall {
  readonly model: string;
  /** Texts, or texts as token numbers. At least one. */
  readonly inputs: readonly (string | readonly number[])[];
  readonly dimensions?: number | undefined;
  /** What the vectors are for, in Google's words: `RETRIEVAL_QUERY`, `RETRIEVAL_DOCUMENT`, … */
  readonly taskType?: string | undefined;
  readonly title?: string | undefined;
  readonly user?: string | undefined;
  readonly extras?: Extras | undefined;
}
export interface EmbedAnswer {
  readonly model: string;
  /** One for each input, in order. */
  readonly vectors: readonly (readonly number[])[];
  readonly usage: Usage;
}

export interface ImageCall {
  readonly model: string;
  readonly prompt: string;
  /** Pictures to change or to follow; none: one is made from the prompt alone. */
  readonly images?: readonly MediaBytes[] | undefined;
  readonly mask?: MediaBytes | undefined;
  readonly n?: number | undefined;
  /** `WIDTHxHEIGHT` or `auto`. */
  readonly size?: string | undefined;
  /** `W:H`. */
  readonly aspectRatio?: string | undefined;
  readonly quality?: string | undefined;
  readonly background?: string | undefined;
  /** `png`, `jpeg`, `webp`. */
  readonly format?: string | undefined;
  readonly user?: string | undefined;
  readonly extras?: Extras | undefined;
}
export interface ImageAnswer {
  readonly model: string;
  readonly createdAtMs: number;
  readonly images: readonly {
    readonly mediaType: string;
    readonly source: { readonly kind: "base64"; readonly data: string } | { readonly kind: "url"; readonly url: string };
    readonly revisedPrompt?: string | undefined;
  }[];
  readonly usage: Usage;
}

export interface SpeechCall {
  readonly model: string;
  /** What is spoken, or for a model of music what is played. */
  readonly input: string;
  readonly voice?: string | undefined;
  /** `mp3`, `wav`, `opus`, `aac`, `flac`, `pcm`. */
  readonly format?: string | undefined;
  readonly speed?: number | undefined;
  readonly instructions?: string | undefined;
  readonly extras?: Extras | undefined;
}
export interface SpeechAnswer {
  readonly model: string;
  readonly audio: MediaBytes;
  readonly usage: Usage;
}

export interface TranscribeCall {
  readonly model: string;
  readonly audio: MediaBytes;
  /** Into English, whatever was spoken. */
  readonly translate?: boolean | undefined;
  /** ISO 639-1. */
  readonly language?: string | undefined;
  readonly prompt?: string | undefined;
  readonly temperature?: number | undefined;
  readonly timestamps?: readonly ("word" | "segment")[] | undefined;
  readonly extras?: Extras | undefined;
}
export interface TranscribeAnswer {
  readonly model: string;
  readonly text: string;
  readonly language?: string | undefined;
  readonly seconds?: number | undefined;
  readonly segments?:
    | readonly { readonly start: number; readonly end: number; readonly text: string; readonly speaker?: string | undefined }[]
    | undefined;
  readonly words?: readonly { readonly start: number; readonly end: number; readonly word: string }[] | undefined;
  readonly usage: Usage;
}

export interface VideoCall {
  readonly model: string;
  readonly prompt: string;
  /** The first frame. */
  readonly image?: MediaBytes | undefined;
  readonly seconds?: number | undefined;
  readonly size?: string | undefined;
  readonly aspectRatio?: string | undefined;
  readonly resolution?: string | undefined;
  readonly user?: string | undefined;
  readonly extras?: Extras | undefined;
}
/** A film being made, as the vendor sees it. `ref` is the vendor's own name of the job. */
export interface VideoJob {
  readonly ref: string;
  readonly model: string;
  readonly status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  /** 0 to 100, where the vendor says. */
  readonly progress?: number | undefined;
  /** Where the films are; such an address may need the provider's key, and may expire. */
  readonly videos?:
    | readonly { readonly mediaType: string; readonly url?: string | undefined; readonly data?: string | undefined }[]
    | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly usage: Usage;
}

export interface ModerateCall {
  readonly model: string;
  readonly inputs: readonly (string | { readonly imageUrl: string })[];
  readonly extras?: Extras | undefined;
}
export interface ModerateAnswer {
  readonly model: string;
  readonly results: readonly {
    readonly flagged: boolean;
    readonly categories: Readonly<Record<string, boolean>>;
    readonly scores: Readonly<Record<string, number>>;
    readonly raw?: Json | undefined;
  }[];
  readonly usage: Usage;
}

export interface TokenCount {
  readonly inputTokens: number;
  /** Counted by us, because the vendor cannot be asked. */
  readonly estimated: boolean;
}

/** What can be asked for in one whole call and one whole answer, by the operation's name. */
export interface Operations {
  readonly "count-tokens": { readonly call: ModelCall; readonly answer: TokenCount };
  readonly embed: { readonly call: EmbedCall; readonly answer: EmbedAnswer };
  readonly image: { readonly call: ImageCall; readonly answer: ImageAnswer };
  readonly speech: { readonly call: SpeechCall; readonly answer: SpeechAnswer };
  readonly transcribe: { readonly call: TranscribeCall; readonly answer: TranscribeAnswer };
  readonly moderate: { readonly call: ModerateCall; readonly answer: ModerateAnswer };
  /** Starts the film; its job is followed by `routing/videos`. */
  readonly video: { readonly call: VideoCall; readonly answer: VideoJob };
}
export type OperationName = keyof Operations;
