import type { Usage } from "../calls/index.js";
import { PriceList, type Prices } from "./prices.js";

export type ModelKind = "chat" | "embedding" | "image" | "speech" | "transcription" | "music" | "video" | "classifier";

/** What is known of a model; what is left out is unknown. */
export interface ModelOptions {
  /** The name of the provider that serves it. */
  readonly provider: string;
  /** The vendor's own id; may contain slashes. */
  readonly code: string;
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
  readonly prices?: Prices | undefined;
  /** It can be offered MCP tools. */
  readonly supportsMcp?: boolean | undefined;
  readonly releasedAtMs?: number | undefined;
  /** The vendor is about to take it away. */
  readonly deprecated?: boolean | undefined;
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
  readonly prices: Prices | null;
  /** null: nobody said. */
  readonly supportsMcp: boolean | null;
  readonly releasedAtMs: number | null;
  readonly deprecated: boolean;
  readonly source: string | null;
  readonly #priceList: PriceList | null;

  /** Errors: `validation_failed` for a price that is not a decimal amount. */
  constructor(o: ModelOptions) {
    this.id = `${o.provider}/${o.code}`;
    this.provider = o.provider;
    this.code = o.code;
    this.title = o.title ?? o.code;
    this.kind = o.kind ?? "chat";
    this.features = o.features ?? [];
    this.inputFormats = o.inputFormats ?? [];
    this.outputFormats = o.outputFormats ?? [];
    this.contextTokens = o.contextTokens ?? null;
    this.maxOutputTokens = o.maxOutputTokens ?? null;
    this.efforts = o.efforts ?? null;
    this.prices = o.prices ?? null;
    this.supportsMcp = o.supportsMcp ?? null;
    this.releasedAtMs = o.releasedAtMs ?? null;
    this.deprecated = o.deprecated ?? false;
    this.source = o.source ?? null;
    this.#priceList = o.prices === undefined ? null : new PriceList(o.prices);
  }

  /** What a call with this usage costs, in whole nano-US-dollars; null when a count or a price that matters is not known. */
  costNanoUsd(usage: Usage): number | null {
    return this.#priceList === null ? null : this.#priceList.costNanoUsd(usage);
  }
}
