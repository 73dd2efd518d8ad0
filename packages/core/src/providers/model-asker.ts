import type {
  EmbedCall,
  ImageCall,
  MediaBytes,
  Message,
  ModelAnswer,
  ModelCall,
  ModelEvent,
  OperationName,
  Operations,
  SpeechCall,
  TranscribeCall,
  VideoCall,
} from "../calls/index.js";

/** What a call in code says beside what it asks. */
export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** `server.timeouts.requestMs` when left out. */
  readonly timeoutMs?: number | undefined;
}
export interface VideoOptions extends AskOptions {
  /** The same key gives the same film. */
  readonly idempotencyKey?: string | undefined;
}

/** A whole answer; `text` is the visible text of its first candidate. */
export interface GeneratedAnswer extends ModelAnswer {
  readonly text: string;
}

/** A film that was begun. It is kept in the store: another process finds it by its id. */
export interface Film {
  readonly id: string;
  /** As it was when it was last asked after. */
  readonly status: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "expired";
  readonly progress: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Asks now. */
  refresh(o?: AskOptions): Promise<Film>;
  /** Resolves when it is there. Errors: `upstream_rejected` with the vendor's reason when it fails, `deadline_exceeded`, `cancelled`. */
  wait(o?: AskOptions): Promise<Film>;
  /** The film itself. Errors: `conflict` when it is not there yet. */
  bytes(o?: AskOptions): Promise<MediaBytes>;
  cancel(o?: AskOptions): Promise<Film>;
}

type Without<C> = Omit<C, "model">;
export type GenerateInput = string | readonly Message[] | Without<ModelCall>;
export type EmbedInput = string | readonly string[] | Without<EmbedCall>;
export type ImageInput = string | Without<ImageCall>;
export type SpeechInput = string | Without<SpeechCall>;
export type TranscribeInput = MediaBytes | Without<TranscribeCall>;
export type VideoInput = string | Without<VideoCall>;

/** Who calls models for those who hold a `Model`; made by the gateway, for its owner. */
export interface ModelAsker {
  generate(call: ModelCall, o?: AskOptions): Promise<ModelAnswer>;
  stream(call: ModelCall, o?: AskOptions): AsyncIterable<ModelEvent>;
  operate<K extends OperationName>(name: K, call: Operations[K]["call"], o?: AskOptions): Promise<Operations[K]["answer"]>;
  film(call: VideoCall, o?: VideoOptions): Promise<Film>;
}

export function generateCall(model: string, input: GenerateInput): ModelCall {
  if (typeof input === "string") return { model, messages: [{ role: "user", content: [{ type: "text", text: input }] }] };
  return isMessages(input) ? { model, messages: input } : { ...input, model };
}
export function embedCall(model: string, input: EmbedInput): EmbedCall {
  if (typeof input === "string") return { model, inputs: [input] };
  return isTexts(input) ? { model, inputs: input } : { ...input, model };
}
export function transcribeCall(model: string, input: TranscribeInput): TranscribeCall {
  return "audio" in input ? { ...input, model } : { model, audio: input };
}

/** An answer with its text within reach. */
export function withText(answer: ModelAnswer): GeneratedAnswer {
  const parts = answer.candidates[0]?.content ?? [];
  return { ...answer, text: parts.map((part) => (part.type === "text" ? part.text : "")).join("") };
}

function isMessages(input: Exclude<GenerateInput, string>): input is readonly Message[] {
  return Array.isArray(input);
}
function isTexts(input: Exclude<EmbedInput, string>): input is readonly string[] {
  return Array.isArray(input);
}
