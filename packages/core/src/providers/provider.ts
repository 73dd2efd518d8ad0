import type { Headers, ModelCall, ModelEvent, ProtocolId, Usage } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { Secret } from "../util/secret.js";
import { nearest } from "../util/nearest.js";
import { VERSION } from "../util/version.js";
import type { Quirks } from "../wire/shared/codec.js";
import { catalogueOf } from "./catalogue/catalogue.js";
import { KeyPool, type KeyOptions, type ProviderKey } from "./key-pool.js";
import { mediaDialects } from "./media/index.js";
import { Model, type ModelOptions } from "./model.js";
import type { ProviderOperations } from "./operations.js";
import { decimalProduct } from "./rate.js";
import { sharedCost } from "./shared-cost.js";
import { isVendorId, vendorRows, type VendorId, type VendorRow } from "./vendor-rows.js";

/**
 * Answers calls inside this process instead of over HTTP. The stream follows the grammar of `ModelEvent`; when `signal` fires it ends soon, by throwing.
 */
export type InProcess = (call: ModelCall, o: { readonly model: string; readonly signal: AbortSignal }) => AsyncIterable<ModelEvent>;

export type ListedModelOptions =
  | string
  | Omit<ModelOptions, "provider">
  | (Pick<ModelOptions, "features" | "prices" | "aliases" | "deprecated" | "successor"> & {
      readonly id: string;
      /** A day, such as 2026-12-01; null: never. */
      readonly retiresAt?: string | null | undefined;
    });

export interface ProviderOptions {
  /** What stands before the slash in `provider/model`: 1 to 40 of a-z, 0-9, `-` and single `_`. */
  readonly name: string;
  /** Left out: the vendor of the same name. */
  readonly vendor?: VendorId | undefined;
  /** What the vendor's own SDK takes: with `/v1` for OpenAI's dialects, without a version for Anthropic and Google. May be a private address. */
  readonly baseUrl?: string | undefined;
  readonly apiKey?: KeyOptions["value"] | undefined;
  readonly apiKeys?: readonly KeyOptions[] | undefined;
  /** What the server speaks; the vendor's when left out. The first is what callers of other dialects are translated into. */
  readonly protocols?: readonly ProtocolId[] | undefined;
  /** How it departs from its protocol, beside what its vendor's row says. */
  readonly quirks?: { readonly [K in keyof Quirks]?: Quirks[K] | undefined } | undefined;
  /** The header that carries the key, and what stands before it; the vendor's when left out. */
  readonly auth?: { readonly header: string; readonly prefix?: string | undefined } | undefined;
  /** Whether callers without the grant `files:raw` may name what lies at the vendor by the vendor's own ids; "refuse" when left out. */
  readonly rawIds?: "refuse" | "allow" | undefined;
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, Secret | string>> | undefined;
  /** Added to the catalogue's; a row with a catalogue model's id replaces it, keeping what it does not say. */
  readonly models?: readonly ListedModelOptions[] | undefined;
  /** Answers here, without a vendor: then no `vendor`, `baseUrl` or key is given. */
  readonly answer?: InProcess | undefined;
  /** What it does beside chat. Without a vendor it answers here; with one these go before the vendor's own. */
  readonly operations?: ProviderOperations | undefined;
  /** Who is named as the models' owner when they are listed; the vendor's id, or the name, when left out. */
  readonly ownedBy?: string | undefined;
  /** "untrusted": its addresses were not named by the operator, and only public ones are dialled. "operator" when left out. */
  readonly trust?: "operator" | "untrusted" | undefined;
}

/** How a provider is reached: over HTTP by its vendor's protocol, or in this process. */
export type Reach =
  | {
      readonly kind: "http";
      readonly protocols: readonly ProtocolId[];
      readonly baseUrl: string;
      readonly quirks: Quirks;
      /** Everybody may name what lies at the vendor by the vendor's own ids. */
      readonly rawIds: boolean;
      /** Who named its addresses: only the operator's may be private. */
      readonly trust: "operator" | "untrusted";
    }
  | { readonly kind: "in-process"; readonly answer: InProcess };

const NAME = /^[a-z0-9](?:[a-z0-9-]|_(?!_)){0,38}[a-z0-9]$|^[a-z0-9]$/;
/** First segments of names that mean something else. */
const RESERVED = new Set(["route", "agent"]);

/**
 * A vendor with credentials, under a name: the first segment of its models' names. A gateway may hold several providers of one vendor. Made of options alone; it
 * opens no connection. Its credentials are opaque: they are shown nowhere.
 * Errors: `invalid_config` for a name, vendor or set of options that cannot work, with the way to mend it.
 */
export class Provider {
  readonly name: string;
  /** null: it answers in this process. */
  readonly vendor: VendorId | null;
  readonly ownedBy: string;
  /** What spans and metrics call it. */
  readonly telemetryName: string;
  readonly reach: Reach;
  readonly keys: KeyPool;
  /** What it can be asked beside chat, other than by a codec of its protocols. */
  readonly operations: ProviderOperations;
  readonly #row: VendorRow | null;
  readonly #models = new Map<string, Model>();
  /** What the configuration and code said of models, by code: nothing that is laid over says otherwise. */
  readonly #said = new Map<string, Partial<ModelOptions>>();
  #over: readonly ListedModelOptions[] = [];
  /** The models with what is laid over them. */
  #shown: ReadonlyMap<string, Model> = this.#models;
  /** The codes of models by their other ids. */
  readonly #aliases = new Map<string, string>();
  readonly #quirks = new WeakMap<Model, Quirks>();
  /** What goes out with a key, built once. */
  readonly #headers = new Map<ProviderKey | null, { readonly headers: Headers; readonly revision: number }>();
  /** Headers whose values stand elsewhere and may change. */
  readonly #lateHeaders: readonly (readonly [string, Secret])[];

  constructor(o: ProviderOptions) {
    this.name = checkedName(o.name);
    this.vendor = isInProcess(o) ? null : vendorOf(o);
    this.#row = this.vendor === null ? null : rowOf(vendorRows[this.vendor], o);
    this.#lateHeaders = Object.entries(o.headers ?? {}).filter(isLate);
    this.ownedBy = o.ownedBy ?? this.vendor ?? this.name;
    this.telemetryName = this.#row?.telemetryName ?? this.vendor ?? this.name;
    this.reach = this.#row === null ? { kind: "in-process", answer: o.answer ?? noChat(this.name) } : httpReach(this.#row, o);
    this.operations = { ...operationsOf(this.#row), ...o.operations };
    this.keys = new KeyPool(o.apiKeys ?? (o.apiKey === undefined ? [] : [{ value: o.apiKey }]));
    for (const model of this.vendor === null ? [] : catalogueOf(this.vendor)) this.#list(asServed(withLongCache(model, this.#row), o));
    for (const model of o.models ?? []) this.add(model);
  }

  /** The listed models, in no particular order. */
  get models(): Iterable<Model> {
    return this.#shown.values();
  }
  /** By its code or an alias. null: nobody listed it. It can be called all the same. */
  model(code: string): Model | null {
    return this.#shown.get(code) ?? this.#shown.get(this.#aliases.get(code) ?? "") ?? null;
  }

  /** What a call of one of its models costs, in nano-US-dollars, also when others of its models had a part in it; null: not known. */
  costNanoUsd(model: Model | null, usage: Usage): number | null {
    if (model === null || usage.byModel === undefined) return model === null ? null : model.costNanoUsd(usage);
    return sharedCost(model, usage, (code) => this.model(code));
  }

  /** How this model's calls depart from the protocol: as the provider does, and as is known of the model. null: nobody listed it. */
  quirksFor(model: Model | null): Quirks {
    const provider = this.reach.kind === "http" ? this.reach.quirks : {};
    if (model === null) return provider;
    const known = this.#quirks.get(model);
    if (known !== undefined) return known;
    const quirks = quirksOf(model, provider, this.#row);
    this.#quirks.set(model, quirks);
    return quirks;
  }

  /**
   * Lists a model, or says more of one that is listed, by its code or an alias: what is left out stays as it was. Errors: `validation_failed` for a price that is none.
   */
  add(options: ListedModelOptions): Model {
    const given = givenOf(options);
    const { code } = this.#list(given);
    this.#said.set(code, { ...this.#said.get(code), ...defined(given) });
    if (this.#over.length > 0) this.overlay(this.#over);
    return this.model(code)!;
  }

  /**
   * Lays what somebody else says of models (rows of a store) over what is listed, in the place of all that was laid over before: what the configuration or code says of a model stands, all else is as said here. Models that nobody else
   * lists go with it. One that cannot be made does not count and is told to `onFault`.
   */
  overlay(models: readonly ListedModelOptions[], onFault: (code: string, error: unknown) => void = () => undefined): void {
    this.#over = models;
    if (models.length === 0) {
      this.#shown = this.#models;
      return;
    }
    const shown = new Map(this.#models);
    for (const options of models) {
      const given = givenOf(options);
      try {
        const code = this.#listed(given.code)?.code ?? given.code;
        // Of several that speak of one model, each says what those before it left out.
        const known = shown.get(code);
        shown.set(
          code,
          new Model({
            ...(known === undefined ? {} : optionsOf(known)),
            ...defined(given),
            ...this.#said.get(code),
            code,
            provider: this.name,
          }),
        );
      } catch (error) {
        onFault(given.code, error);
      }
    }
    this.#shown = shown;
  }

  #list(given: Omit<ModelOptions, "provider">): Model {
    const known = this.#listed(given.code);
    const code = known?.code ?? given.code;
    const model = new Model({ ...(known === null ? {} : optionsOf(known)), ...defined(given), code, provider: this.name });
    this.#models.set(code, model);
    for (const alias of model.aliases) this.#aliases.set(alias, code);
    return model;
  }
  #listed(code: string): Model | null {
    return this.#models.get(code) ?? this.#models.get(this.#aliases.get(code) ?? "") ?? null;
  }

  /**
   * The headers of every call with this key (null: without one): nothing of a caller's is among them.
   * Errors: `misconfigured` when the vendor wants a key and there is none.
   */
  headersFor(key: ProviderKey | null): Headers {
    const known = this.#headers.get(key);
    const revision = this.#lateHeaders.reduce((sum, [, secret]) => sum + secret.revision, key?.secret.revision ?? 0);
    if (known !== undefined && known.revision === revision) return known.headers;
    if (key === null && this.#row?.needsKey === true) throw this.#keyMissing(this.#row);
    const headers: (readonly [string, string])[] = [
      ["user-agent", `sallyport/${VERSION}`],
      ["accept-encoding", "identity"],
      ...(this.#row?.headers ?? []),
      ...this.#lateHeaders.map(([name, secret]) => headerOf(this.name, name, secret)),
    ];
    if (key !== null && this.#row !== null) headers.push([this.#row.auth.header, this.#row.auth.prefix + key.secret.reveal()]);
    this.#headers.set(key, { headers, revision });
    return headers;
  }

  #keyMissing(row: VendorRow): GatewayError {
    const hint =
      row.keyVariable === null
        ? `Set providers.${this.name}.apiKey.`
        : `Set ${row.keyVariable} in the environment, or providers.${this.name}.apiKey.`;
    return new GatewayError("misconfigured", `The provider "${this.name}" has no API key, and ${row.title} answers nobody without one.`, {
      hint,
      details: { provider: this.name },
    });
  }
}

/**
 * A provider made in code, for `gateway.providers.add(...)`: it answers chat (`answer`), does what else it can (`operations`), and lists its models. The types of its functions follow from where it is written.
 */
export function defineProvider(
  options: Pick<ProviderOptions, "name" | "answer" | "operations" | "models" | "ownedBy">,
): Pick<ProviderOptions, "name" | "answer" | "operations" | "models" | "ownedBy"> {
  return options;
}

/** Whoever answers needs no vendor; who only has operations may still name one, whose chat it takes. */
function isInProcess(o: ProviderOptions): boolean {
  return o.answer !== undefined || (o.operations !== undefined && o.vendor === undefined && !isVendorId(o.name));
}

function noChat(provider: string): InProcess {
  return () => {
    throw new GatewayError("unsupported_feature", `The provider "${provider}" has no chat.`, {
      hint: "Ask one of its models for what it is made for.",
      details: { provider },
    });
  };
}

function checkedName(name: string): string {
  if (!NAME.test(name))
    throw new GatewayError("invalid_config", `"${name.slice(0, 80)}" cannot be a provider's name.`, {
      hint: "Use 1 to 40 of a-z, 0-9, - and single _, starting and ending with a letter or digit.",
    });
  if (RESERVED.has(name))
    throw new GatewayError(
      "invalid_config",
      `"${name}" cannot be a provider's name: names of models that begin with ${name}/ mean something else.`,
      {
        hint: "Choose another name.",
      },
    );
  return name;
}

function vendorOf(o: ProviderOptions): VendorId {
  const vendor: string = o.vendor ?? o.name;
  if (isVendorId(vendor)) return vendor;
  const ids = Object.keys(vendorRows);
  const meant = nearest(vendor, ids);
  throw new GatewayError(
    "invalid_config",
    `The provider "${o.name}" has no vendor that is known${o.vendor === undefined ? "" : `: "${vendor}"`}.`,
    {
      hint: `Set providers.${o.name}.vendor to one of ${ids.join(", ")}.${meant === null ? "" : ` Did you mean ${meant}?`}`,
    },
  );
}

function httpReach(row: VendorRow, o: ProviderOptions): Reach {
  const baseUrl = o.baseUrl ?? row.baseUrl;
  if (baseUrl === null)
    throw new GatewayError("invalid_config", `The provider "${o.name}" has no address.`, {
      hint: `Set providers.${o.name}.baseUrl to what an SDK would take as its base URL.`,
    });
  if (!/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl))
    throw new GatewayError("invalid_config", `The base URL of the provider "${o.name}" is no http(s) URL.`, {
      hint: "Write it as an SDK would take it, such as http://127.0.0.1:8000/v1.",
    });
  return {
    ...{ kind: "http", protocols: row.protocols, baseUrl: baseUrl.replace(/\/+$/, ""), quirks: row.quirks },
    ...{ rawIds: o.rawIds === "allow", trust: o.trust ?? "operator" },
  };
}

/** The vendor's row with what this provider's options say of its server. */
function rowOf(row: VendorRow, o: ProviderOptions): VendorRow {
  const late = new Set(
    Object.entries(o.headers ?? {})
      .filter(isLate)
      .map(([name]) => name.toLowerCase()),
  );
  const headers = Object.entries(o.headers ?? {})
    .filter((entry) => !isLate(entry))
    .map(([name, value]) => headerOf(o.name, name, value));
  return {
    ...row,
    protocols: o.protocols ?? row.protocols,
    quirks: { ...row.quirks, ...(defined(o.quirks ?? {}) as Quirks) },
    auth: o.auth === undefined ? row.auth : { header: headerOf(o.name, o.auth.header, "")[0], prefix: o.auth.prefix ?? "" },
    headers: [...row.headers.filter(([name]) => !late.has(name) && !headers.some(([other]) => other === name)), ...headers],
  };
}

function quirksOf(model: Model, provider: Quirks, row: VendorRow | null): Quirks {
  const { efforts } = model;
  const reasons = model.features.includes("reasoning");
  const ofKind = efforts !== null ? row?.ofModels?.withEfforts : reasons ? row?.ofModels?.withoutEfforts : undefined;
  const dropped = new Set([...(provider.dropped ?? []), ...(ofKind?.dropped ?? []), ...(model.fixedSampling ? FIXED_SAMPLING : [])]);
  return {
    ...provider,
    ...ofKind,
    ...(efforts === null ? {} : { efforts }),
    ...(dropped.size === 0 ? {} : { dropped: [...dropped] }),
    ...(reasons || model.features.length === 0 ? {} : { sealedReasoning: false }),
  };
}
const FIXED_SAMPLING = ["temperature", "topP"] as const;

function operationsOf(row: VendorRow | null): ProviderOperations {
  if (row?.media === undefined) return {};
  const { batches, ...operations } = mediaDialects[row.media];
  return batches === undefined || row.batches !== true ? operations : { ...operations, batches };
}

function isLate(entry: [string, Secret | string]): entry is [string, Secret] {
  return typeof entry[1] !== "string" && entry[1].reference !== null;
}

function headerOf(provider: string, name: string, value: Secret | string): readonly [string, string] {
  const text = typeof value === "string" ? value : value.reveal();
  if (/^[!#$%&'*+.^_`|~\w-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(text)) return [name.toLowerCase(), text];
  throw new GatewayError("invalid_config", `The provider "${provider}" has a header that HTTP cannot carry: "${name.slice(0, 80)}".`, {
    hint: `Correct providers.${provider}.headers: visible ASCII characters, no line breaks.`,
  });
}

/** The price of what is kept for long follows from the vendor's rule. */
function withLongCache(model: Omit<ModelOptions, "provider">, row: VendorRow | null): Omit<ModelOptions, "provider"> {
  const { prices } = model;
  if (prices === undefined || row?.longCacheWrite === undefined) return model;
  const factor = row.longCacheWrite;
  const long = (input: string | number | undefined) => (input === undefined ? undefined : decimalProduct(input, factor));
  const tiers = prices.tiers?.map((tier) => ({ ...tier, cacheWriteLong: long(tier.input) }));
  return { ...model, prices: { ...prices, cacheWriteLong: long(prices.input), ...(tiers === undefined ? {} : { tiers }) } };
}

/** A server of one's own may go on serving what the vendor itself refuses. */
function asServed(model: Omit<ModelOptions, "provider">, o: ProviderOptions): Omit<ModelOptions, "provider"> {
  return o.baseUrl === undefined ? model : { ...model, retiresAtMs: undefined };
}

function givenOf(options: ListedModelOptions): Omit<ModelOptions, "provider"> {
  return typeof options === "string" ? { code: options } : "id" in options ? fromConfig(options) : options;
}

function fromConfig(row: Extract<ListedModelOptions, { readonly id: string }>): Omit<ModelOptions, "provider"> {
  const { id, retiresAt, ...rest } = row;
  return { ...rest, code: id, ...(retiresAt === undefined ? {} : { retiresAtMs: retiresAt === null ? null : Date.parse(retiresAt) }) };
}

/** Without what is undefined: it must not hide what is known. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function optionsOf(model: Model): Omit<ModelOptions, "provider"> {
  return {
    code: model.code,
    title: model.title,
    kind: model.kind,
    features: model.features,
    inputFormats: model.inputFormats,
    outputFormats: model.outputFormats,
    contextTokens: model.contextTokens ?? undefined,
    maxOutputTokens: model.maxOutputTokens ?? undefined,
    efforts: model.efforts ?? undefined,
    fixedSampling: model.fixedSampling,
    prices: model.prices ?? undefined,
    supportsMcp: model.supportsMcp ?? undefined,
    releasedAtMs: model.releasedAtMs ?? undefined,
    deprecated: model.deprecated,
    retiresAtMs: model.retiresAtMs,
    successor: model.successor ?? undefined,
    aliases: model.aliases,
    source: model.source ?? undefined,
  };
}
