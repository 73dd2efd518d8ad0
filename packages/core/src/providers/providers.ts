import type { ExplainOptions, RouteExplanation } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { Clock, HttpClient } from "../ports/index.js";
import { DEMO, demoProvider } from "./demo/demo-provider.js";
import { nearest } from "../util/nearest.js";
import { Model, type ModelOptions } from "./model.js";
import type { ModelAsker } from "./model-asker.js";
import { refreshModels, type ModelsDiff } from "./refresh/refresh-models.js";
import { Provider, type ProviderOptions } from "./provider.js";

export interface ProvidersOptions {
  readonly clock: Pick<Clock, "now">;
  /** What vendors are asked with for their lists of models. */
  readonly http?: HttpClient | undefined;
  /** By name, as the configuration has them. */
  readonly providers?: Readonly<Record<string, Omit<ProviderOptions, "name">>> | undefined;
}

/**
 * The providers of one gateway, by name; `demo` is always among them. Adding one registers its models. What was found stays valid: a call under way keeps the provider
 * it resolved to.
 */
export class Providers {
  readonly models: Models;
  readonly #byName = new Map<string, Provider>();
  readonly #stored = new WeakSet<Provider>();

  /** Errors: `invalid_config`, naming the provider. */
  constructor(options: ProvidersOptions) {
    this.models = new Models(this.#byName, options);
    this.#byName.set(DEMO, demoProvider());
    for (const [name, provider] of Object.entries(options.providers ?? {})) this.add({ ...provider, name });
  }

  /** Errors: `invalid_config` when the name is taken or the options cannot work. */
  add(provider: Provider | ProviderOptions): Provider {
    const added = provider instanceof Provider ? provider : new Provider(provider);
    const standing = this.#byName.get(added.name);
    if (standing !== undefined && !this.#stored.has(standing))
      throw new GatewayError(
        "invalid_config",
        `There is already a provider "${added.name}"${added.name === DEMO ? ", the built-in one" : ""}.`,
        {
          hint: "Give it another name.",
        },
      );
    this.#byName.set(added.name, added);
    return added;
  }

  /**
   * Puts what a store has in the place of what it had before. One whose name the configuration or code uses does not count, and the names of those are returned: calls under way keep what they resolved to.
   */
  keepStored(stored: readonly Provider[]): readonly string[] {
    const wanted = new Map(stored.map((provider) => [provider.name, provider]));
    for (const [name, standing] of this.#byName) if (this.#stored.has(standing) && wanted.get(name) !== standing) this.#byName.delete(name);
    const shadowed: string[] = [];
    for (const provider of stored) {
      const standing = this.#byName.get(provider.name);
      if (standing !== undefined && standing !== provider) shadowed.push(provider.name);
      else this.#byName.set(provider.name, provider);
      this.#stored.add(provider);
    }
    return shadowed;
  }

  /** Whether the name is of the configuration or of code. */
  isOurs(name: string): boolean {
    const standing = this.#byName.get(name);
    return standing !== undefined && !this.#stored.has(standing);
  }

  /** null: there is none of this name. */
  get(name: string): Provider | null {
    return this.#byName.get(name) ?? null;
  }

  /** In the order they were added. */
  list(): readonly Provider[] {
    return [...this.#byName.values()];
  }
}

export interface RefreshOptions {
  readonly add?: boolean | undefined;
  /** 30,000 when left out. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
const REFRESH_MS = 30_000;

/** The listed models of all providers of one gateway. */
export class Models {
  readonly #providers: ReadonlyMap<string, Provider>;
  /** When the gateway learnt of models whose release nobody dated. */
  readonly knownSinceMs: number;
  #explain: ((name: string, o: ExplainOptions) => RouteExplanation) | null = null;
  readonly #o: Pick<ProvidersOptions, "clock" | "http">;
  #asker: ModelAsker | null = null;
  /** By the provider's own: one that two gateways share is asked through the gateway that it was taken from. */
  readonly #bound = new WeakMap<Model, Model>();

  constructor(providers: ReadonlyMap<string, Provider>, o: Pick<ProvidersOptions, "clock" | "http">) {
    this.#providers = providers;
    this.#o = o;
    this.knownSinceMs = o.clock.now();
  }

  /**
   * What a call of this name, a model's or `route/…`, would do now, and why: its targets in order, who rests and until when, what else the route does. Nothing is called.
   * Errors: `model_not_found` with the nearest names, `misconfigured` for a route that names a model nobody owns.
   */
  explainRoute(name: string, o: ExplainOptions = {}): RouteExplanation {
    if (this.#explain === null) throw new GatewayError("misconfigured", "These models belong to no gateway that routes calls.");
    return this.#explain(name, o);
  }
  /** Whoever routes the calls says how to explain them. Called once, by the gateway. */
  explainWith(explain: (name: string, o: ExplainOptions) => RouteExplanation): void {
    this.#explain = explain;
  }

  /** Sorted by id. */
  list(): readonly Model[] {
    const all = [...this.#providers.values()].flatMap((provider) => [...provider.models]);
    return all.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)).map((model) => this.#bind(model));
  }

  /** By `provider/code`; null: nobody listed it. */
  find(id: string): Model | null {
    const slash = id.indexOf("/");
    const model = this.#providers.get(id.slice(0, Math.max(0, slash)))?.model(id.slice(slash + 1)) ?? null;
    return model === null ? null : this.#bind(model);
  }

  /**
   * By `provider/code`, to be asked. One that its provider does not list is given all the same, with nothing known of it: it is forwarded, unpriced.
   * Errors: `model_not_found` when there is no such provider.
   */
  get(id: string): Model {
    const found = this.find(id);
    if (found !== null) return found;
    const slash = id.indexOf("/");
    const provider = slash <= 0 ? undefined : this.#providers.get(id.slice(0, slash));
    if (provider !== undefined && slash < id.length - 1)
      return this.#bind(new Model({ provider: provider.name, code: id.slice(slash + 1) }));
    const meant = nearest(
      id,
      this.list().map((model) => model.id),
    );
    throw new GatewayError("model_not_found", `There is no model "${id.slice(0, 200)}".`, {
      hint: meant === null ? "Names are provider/model, such as demo/echo." : `Did you mean ${meant}?`,
    });
  }

  /** Whoever calls models for those who hold one. Called once, by the gateway. */
  askWith(asker: ModelAsker): void {
    this.#asker = asker;
  }

  #bind(model: Model): Model {
    if (this.#asker === null) return model;
    let bound = this.#bound.get(model);
    if (bound === undefined) this.#bound.set(model, (bound = model.boundTo(this.#asker)));
    return bound;
  }

  /** Its vendor refuses it by now. */
  isRetired(model: Model): boolean {
    return model.retiresAtMs !== null && model.retiresAtMs <= this.#o.clock.now();
  }

  /** Those of any provider that have this code or alias. */
  withCode(code: string): readonly Model[] {
    const found: Model[] = [];
    for (const provider of this.#providers.values()) {
      const model = provider.model(code);
      if (model !== null) found.push(model);
    }
    return found;
  }

  /**
   * What a provider's vendor lists now, beside what is listed here; a look, unless `add` says that the new ones are to be listed: they have no prices until somebody says them.
   * Errors: `not_found`, `unsupported_feature` for a provider in this process, and those of the vendor.
   */
  refresh(provider: string, o: RefreshOptions = {}): Promise<ModelsDiff> {
    const found = this.#providers.get(provider);
    if (found === undefined) return Promise.reject(new GatewayError("not_found", `There is no provider "${provider}".`));
    const { clock, http } = this.#o;
    if (http === undefined) return Promise.reject(new GatewayError("misconfigured", "These providers were made without an HTTP client."));
    const timeoutMs = o.timeoutMs ?? REFRESH_MS;
    const asked = { http, nowMs: clock.now(), add: o.add ?? false, idleMs: timeoutMs };
    return refreshModels(found, asked, { deadlineMs: clock.now() + timeoutMs, ...(o.signal === undefined ? {} : { signal: o.signal }) });
  }

  /** Lists a model by hand, or says more of one that is listed. Errors: `not_found` when there is no such provider, `validation_failed` for a price that is none. */
  add(model: ModelOptions): Model {
    const provider = this.#providers.get(model.provider);
    if (provider === undefined)
      throw new GatewayError("not_found", `There is no provider "${model.provider}" to list the model "${model.code}" under.`, {
        hint: "Add the provider first.",
      });
    return this.#bind(provider.add(model));
  }
}
