import type {
  EmbedAnswer,
  ImageAnswer,
  ModelEvent,
  ModerateAnswer,
  ModerateCall,
  SpeechAnswer,
  TranscribeAnswer,
  Usage,
} from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import {
  embedCall,
  generateCall,
  transcribeCall,
  withText,
  type AskOptions,
  type EmbedInput,
  type Film,
  type GeneratedAnswer,
  type GenerateInput,
  type ImageInput,
  type ModelAsker,
  type SpeechInput,
  type TranscribeInput,
  type VideoInput,
  type VideoOptions,
} from "./model-asker.js";
import { PriceList, type Prices } from "./prices.js";

export type ModelKind = "chat" | "embedding" | "image" | "speech" | "transcription" | "music" | "video" | "classifier";

/** What is known of a model; what is left out is unknown. */
export interface ModelOptions {
  /** The name of the provider that serves it. */
  readonly provider: string;
  /** The vendor's own id; may contain slashes. */
  readonly code: string;
  /** Other ids that the vendor knows it by. A call goes out under the one that the caller used. */
  readonly aliases?: readonly string[] | undefined;
  /** For people; the code when left out. */
  readonly title?: string | undefined;
  readonly kind?: ModelKind | undefined;
  /** What it can do: `chat`, `streaming`, `tools`, `vision`, `reasoning`, `structured-output`, or words of your own. */
  readonly features?: readonly string[] | undefined;
  /** Modalities that it reads: `text`, `image`, `pdf`, `audio`, `video`. */
  readonly inputFormats?: readonly string[] | undefined;
  /** Modalities that it answers in: `text`, `image`, `audio`, … */
  readonly outputFormats?: readonly string[] | undefined;
  /** Input and output together, tokens. */
  readonly contextTokens?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** The words that it knows for how much to think, weakest first; empty: it cannot be told. */
  readonly efforts?: readonly string[] | undefined;
  /** It takes no temperature and no `top_p`. */
  readonly fixedSampling?: boolean | undefined;
  readonly prices?: Prices | undefined;
  /** It can be offered MCP tools. */
  readonly supportsMcp?: boolean | undefined;
  readonly releasedAtMs?: number | undefined;
  /** The vendor is about to take it away. */
  readonly deprecated?: boolean | undefined;
  /** When the vendor begins to refuse it; from then on nobody is asked. Left out or null: nobody said. */
  readonly retiresAtMs?: number | null | undefined;
  /** The code of the model that takes its place. */
  readonly successor?: string | undefined;
  /** Where these facts are from, and when they held. */
  readonly source?: string | undefined;
}

/**
 * One model of one provider, as the gateway knows it. Immutable. Models of the catalogue register themselves when their provider is added; others may be added by
 * hand with `gateway.models.add(...)`. A model that nobody listed can be called all the same: it is forwarded, and its cost stays unknown.
 */
export class Model {
  /** `provider/code`: the name that callers use. */
  readonly id: string;
  readonly provider: string;
  readonly code: string;
  readonly aliases: readonly string[];
  /** Every name in full, `id` first; null: it has no other. */
  readonly names: readonly string[] | null;
  readonly title: string;
  readonly kind: ModelKind;
  readonly features: readonly string[];
  /** Empty: nobody said. */
  readonly inputFormats: readonly string[];
  readonly outputFormats: readonly string[];
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** null: nobody said. */
  readonly efforts: readonly string[] | null;
  readonly fixedSampling: boolean;
  readonly prices: Prices | null;
  /** null: nobody said. */
  readonly supportsMcp: boolean | null;
  readonly releasedAtMs: number | null;
  readonly deprecated: boolean;
  /** null: nobody said. */
  readonly retiresAtMs: number | null;
  readonly successor: string | null;
  readonly source: string | null;
  readonly #priceList: PriceList | null;
  readonly #options: ModelOptions;
  readonly #asker: ModelAsker | null;

  /** Errors: `validation_failed` for a price that is not a decimal amount. */
  constructor(o: ModelOptions, asker: ModelAsker | null = null) {
    this.#options = o;
    this.#asker = asker;
    this.id = `${o.provider}/${o.code}`;
    this.provider = o.provider;
    this.code = o.code;
    this.aliases = o.aliases ?? [];
    this.names = this.aliases.length === 0 ? null : [this.id, ...this.aliases.map((alias) => `${o.provider}/${alias}`)];
    this.title = o.title ?? o.code;
    this.kind = o.kind ?? "chat";
    this.features = o.features ?? [];
    this.inputFormats = o.inputFormats ?? [];
    this.outputFormats = o.outputFormats ?? [];
    this.contextTokens = o.contextTokens ?? null;
    this.maxOutputTokens = o.maxOutputTokens ?? null;
    this.efforts = o.efforts ?? null;
    this.fixedSampling = o.fixedSampling ?? false;
    this.prices = o.prices ?? null;
    this.supportsMcp = o.supportsMcp ?? null;
    this.releasedAtMs = o.releasedAtMs ?? null;
    this.deprecated = o.deprecated ?? false;
    this.retiresAtMs = o.retiresAtMs ?? null;
    this.successor = o.successor ?? null;
    this.source = o.source ?? null;
    this.#priceList = o.prices === undefined ? null : new PriceList(o.prices);
  }

  /** What a call with this usage costs, in whole nano-US-dollars; null when a count or a price that matters is not known. */
  costNanoUsd(usage: Usage): number | null {
    return this.#priceList === null ? null : this.#priceList.costNanoUsd(usage);
  }

  /** The same model, to be asked: what `gateway.models` gives is bound already. */
  boundTo(asker: ModelAsker): Model {
    return new Model(this.#options, asker);
  }

  // Asking it, as the owner of the gateway and under all its policies. Errors of each: those of any call, `unsupported_feature` when the model cannot be asked so, and
  // `misconfigured` for a model that is of no gateway.

  /** A whole answer to a text, to messages, or to a call with everything that it can say. */
  async generate(input: GenerateInput, o?: AskOptions): Promise<GeneratedAnswer> {
    return withText(await this.#ask().generate(generateCall(this.id, input), o));
  }
  /** The same as it comes. Whoever stops reading ends the call. */
  stream(input: GenerateInput, o?: AskOptions): AsyncIterable<ModelEvent> {
    return this.#ask().stream(generateCall(this.id, input), o);
  }
  /** Vectors, one for each text, in order. */
  async embed(input: EmbedInput, o?: AskOptions): Promise<EmbedAnswer> {
    return this.#ask().operate("embed", embedCall(this.id, input), o);
  }
  async image(input: ImageInput, o?: AskOptions): Promise<ImageAnswer> {
    const call = typeof input === "string" ? { prompt: input } : input;
    return this.#ask().operate("image", { ...call, model: this.id }, o);
  }
  /** A text spoken; by a model of music, played. */
  async speech(input: SpeechInput, o?: AskOptions): Promise<SpeechAnswer> {
    const call = typeof input === "string" ? { input } : input;
    return this.#ask().operate("speech", { ...call, model: this.id }, o);
  }
  async transcribe(input: TranscribeInput, o?: AskOptions): Promise<TranscribeAnswer> {
    return this.#ask().operate("transcribe", transcribeCall(this.id, input), o);
  }
  async moderate(inputs: string | ModerateCall["inputs"], o?: AskOptions): Promise<ModerateAnswer> {
    return this.#ask().operate("moderate", { model: this.id, inputs: typeof inputs === "string" ? [inputs] : inputs }, o);
  }
  /** Begins a film; `wait()` for it. */
  async video(input: VideoInput, o?: VideoOptions): Promise<Film> {
    const call = typeof input === "string" ? { prompt: input } : input;
    return this.#ask().film({ ...call, model: this.id }, o);
  }

  #ask(): ModelAsker {
    if (this.#asker !== null) return this.#asker;
    throw new GatewayError("misconfigured", `The model "${this.id}" is of no gateway that could ask it.`, {
      hint: "Take it from gateway.models.",
    });
  }
}
