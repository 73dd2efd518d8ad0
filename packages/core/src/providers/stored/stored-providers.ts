import type { StoredModelRow, StoredProviderKeyRow, StoredProviderRow } from "../../entities/index.js";
import type { Secret } from "../../util/secret.js";
import type { KeyOptions } from "../key-pool.js";
import { Provider, type ListedModelOptions, type ProviderOptions } from "../provider.js";
import type { Providers } from "../providers.js";

/** The rows that providers are made of. */
export interface StoredRows {
  readonly providers: readonly StoredProviderRow[];
  readonly keys: readonly StoredProviderKeyRow[];
  readonly models: readonly StoredModelRow[];
}
export interface StoredProvidersOptions {
  readonly providers: Providers;
  readonly open: (sealed: string, place: { readonly table: string; readonly column: string; readonly rowId: string }) => Secret;
  /** One that cannot be made does not count. */
  readonly onFault: (name: string, error: unknown) => void;
}

interface Made {
  readonly provider: Provider;
  /** Of the rows that it is made of. */
  readonly versions: string;
}

/** The providers that a store has, made anew when one of their rows changed. Those that did not change keep what they know of their keys. */
export class StoredProviders {
  readonly #o: StoredProvidersOptions;
  #made = new Map<string, Made>();
  /** The rows that were last laid over others' providers. */
  readonly #told = new WeakMap<Provider, string>();

  constructor(options: StoredProvidersOptions) {
    this.#o = options;
  }

  /** From now on calls find what these rows say. */
  use(rows: StoredRows): void {
    const made = new Map<string, Made>();
    for (const row of rows.providers) {
      if (!row.enabled) continue;
      const keys = rows.keys.filter((key) => key.provider === row.name && key.enabled);
      const models = rows.models.filter((model) => model.provider === row.name);
      const versions = [row, ...keys, ...models].map(({ id, version }) => `${id}:${version}`).join();
      const known = this.#made.get(row.name);
      if (known?.versions === versions) made.set(row.name, known);
      else
        try {
          made.set(row.name, { versions, provider: new Provider(this.#options(row, keys, models)) });
        } catch (error) {
          this.#o.onFault(row.name, error);
        }
    }
    this.#made = made;
    this.#o.providers.keepStored([...made.values()].map(({ provider }) => provider));
    this.#tellOthers(rows.models);
  }

  /** Models of providers that the configuration or code has: over what those say, and no longer than their rows are there. */
  #tellOthers(models: readonly StoredModelRow[]): void {
    for (const provider of this.#o.providers.list()) {
      if (this.#made.get(provider.name)?.provider === provider) continue;
      const rows = models.filter((row) => row.provider === provider.name);
      const versions = rows.map(({ id, version }) => `${id}:${version}`).join();
      if ((this.#told.get(provider) ?? "") === versions) continue;
      this.#told.set(provider, versions);
      provider.overlay(rows.map(modelOptions), (code, error) => this.#o.onFault(`${provider.name}/${code}`, error));
    }
  }

  #options(row: StoredProviderRow, keys: readonly StoredProviderKeyRow[], models: readonly StoredModelRow[]): ProviderOptions {
    const apiKeys: KeyOptions[] = keys.map((key) => ({
      value: this.#o.open(key.value, { table: "provider_keys", column: "value", rowId: key.id }),
      weight: key.weight,
    }));
    if (row.apiKey !== null) apiKeys.unshift({ value: this.#o.open(row.apiKey, { table: "providers", column: "apiKey", rowId: row.id }) });
    return { ...providerOptions(row), models: models.map(modelOptions), ...(apiKeys.length === 0 ? {} : { apiKeys }) };
  }
}

/** What of a row is no secret. Making a Provider of it tells whether it can work. */
export function providerOptions(
  row: Pick<StoredProviderRow, "name" | "vendor" | "baseUrl" | "protocols" | "quirks" | "auth">,
): ProviderOptions {
  return {
    name: row.name,
    trust: "untrusted",
    ...(row.vendor === null ? {} : { vendor: row.vendor as ProviderOptions["vendor"] }),
    ...(row.baseUrl === null ? {} : { baseUrl: row.baseUrl }),
    ...(row.protocols === null ? {} : { protocols: row.protocols }),
    ...(row.quirks === null ? {} : { quirks: row.quirks as ProviderOptions["quirks"] }),
    ...(row.auth === null ? {} : { auth: row.auth }),
  };
}

export function modelOptions(
  row: Omit<StoredModelRow, "id" | "version" | "createdAtMs" | "updatedAtMs">,
): Exclude<ListedModelOptions, string> {
  const { code, title, kind, features, contextTokens, maxOutputTokens, prices } = row;
  const given = { title, kind, features, contextTokens, maxOutputTokens, prices };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  return { code, ...said } as Exclude<ListedModelOptions, string>;
}
