import { Secret } from "../util/secret.js";

export interface KeyOptions {
  readonly value: Secret | string;
  /** Share of the calls, relative to the others' weights. 1 when left out. */
  readonly weight?: number | undefined;
}

/** One credential of a provider. */
export interface ProviderKey {
  /** Its place in the pool: what logs and errors may say of it. */
  readonly index: number;
  readonly secret: Secret;
  readonly weight: number;
}

/**
 * A provider's credentials. Calls are spread by weight; a key that the vendor refused, or told to slow down, is set aside for a while. When all are set
 * aside the one that is free soonest is taken: a pool never refuses a call by itself.
 * State is of this process and of this pool alone.
 */
export class KeyPool {
  readonly #keys: readonly ProviderKey[];
  /** By the key's index. */
  readonly #asideUntilMs: number[];
  readonly #random: () => number;

  constructor(keys: readonly KeyOptions[], random: () => number = Math.random) {
    this.#keys = keys.map(({ value, weight }, index) => ({
      index,
      secret: typeof value === "string" ? new Secret(value) : value,
      weight: weight ?? 1,
    }));
    this.#asideUntilMs = this.#keys.map(() => 0);
    this.#random = random;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Every key, set aside or not. */
  get all(): readonly ProviderKey[] {
    return this.#keys;
  }

  /** Whether the key is not set aside. */
  isFree(key: ProviderKey, nowMs: number): boolean {
    return this.#asideUntilMs[key.index]! <= nowMs;
  }

  /** A key that is not in `tried`; null when there is none left. */
  pick(tried: ReadonlySet<ProviderKey>, nowMs: number): ProviderKey | null {
    if (this.#keys.length === 1) return tried.has(this.#keys[0]!) ? null : this.#keys[0]!;
    const untried = this.#keys.filter((key) => !tried.has(key));
    const free = untried.filter((key) => this.isFree(key, nowMs));
    if (free.length > 0) return this.#weighted(free);
    return untried.reduce<ProviderKey | null>((soonest, key) => (soonest === null || this.#isSooner(key, soonest) ? key : soonest), null);
  }

  setAside(key: ProviderKey, untilMs: number): void {
    this.#asideUntilMs[key.index] = untilMs;
  }

  #isSooner(a: ProviderKey, b: ProviderKey): boolean {
    return this.#asideUntilMs[a.index]! < this.#asideUntilMs[b.index]!;
  }

  #weighted(keys: readonly ProviderKey[]): ProviderKey {
    let total = 0;
    for (const key of keys) total += key.weight;
    let rest = this.#random() * total;
    for (const key of keys) {
      rest -= key.weight;
      if (rest < 0) return key;
    }
    return keys[keys.length - 1]!;
  }
}
