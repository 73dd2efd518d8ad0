import { Secret } from "../util/secret.js";
import { rendezvous, stableHash } from "../util/stable-hash.js";

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
 * A provider's credentials. Calls are spread by weight, those of one conversation to one key; a key that the vendor refused, or told to slow down, is set aside
 * for a while. When all are set aside the one that is free soonest is taken: a pool never refuses a call by itself.
 * State is of this process and of this pool alone.
 */
export class KeyPool {
  readonly #keys: readonly ProviderKey[];
  /** By the key's index. */
  readonly #asideUntilMs: number[];
  readonly #random: () => number;
  /** By the key's index: what stands for it when conversations are given their keys. Made when the first one is. */
  #names: readonly string[] | null = null;

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

  /** When the first key is free again; null: one is free now, or there is none at all. */
  restsUntilMs(nowMs: number): number | null {
    if (this.#asideUntilMs.length === 0) return null;
    const soonest = Math.min(...this.#asideUntilMs);
    return soonest <= nowMs ? null : soonest;
  }

  /**
   * A key that is not in `tried`; null when there is none left. `affinity`: a number of the conversation, which gets the same key in each process, as long as that is free. A
   * second key is only given when it is free: calls that find all keys slowed must not try them one after the other.
   */
  pick(tried: ReadonlySet<ProviderKey>, nowMs: number, affinity: number | null = null): ProviderKey | null {
    if (this.#keys.length === 1) return tried.has(this.#keys[0]!) ? null : this.#keys[0]!;
    const free = this.#keys.filter((key) => !tried.has(key) && this.isFree(key, nowMs));
    if (free.length > 0) return affinity === null ? this.#weighted(free) : this.#preferred(free, affinity);
    if (tried.size > 0) return null;
    return this.#keys.reduce<ProviderKey | null>(
      (soonest, key) => (soonest === null || this.#isSooner(key, soonest) ? key : soonest),
      null,
    );
  }

  /** A shorter time does not replace a longer one. */
  setAside(key: ProviderKey, untilMs: number): void {
    this.#asideUntilMs[key.index] = Math.max(this.#asideUntilMs[key.index]!, untilMs);
  }

  /** Goes by the secrets themselves, so that neither their order nor a new one beside them moves conversations. */
  #preferred(keys: readonly ProviderKey[], affinity: number): ProviderKey {
    const names = (this.#names ??= this.#keys.map((key) => String(stableHash(key.secret.reveal()))));
    return rendezvous(affinity, keys, (key) => ({ name: names[key.index]!, weight: key.weight }))[0]!;
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
