import { isObject } from "../json.js";

/** Names that something looks at in JSON, and what a reader might take for one of them that does not tell cases apart (T43). */
export class LookAlikes {
  /** The names as they are, by what they are in any case. */
  readonly #names = new Map<string, Set<string>>();

  constructor(names: Iterable<string>) {
    for (const name of names) this.#names.set(folded(name), (this.#names.get(folded(name)) ?? new Set()).add(name));
  }

  /** A key, however deep, that differs in case alone from one of the names; null: there is none. The value is bounded in depth. */
  in(value: unknown): string | null {
    if (this.#names.size === 0 || typeof value !== "object" || value === null) return null;
    for (const [key, inner] of Object.entries(value)) {
      if (isObject(value) && this.#names.get(folded(key))?.has(key) === false) return key;
      const found = this.in(inner);
      if (found !== null) return found;
    }
    return null;
  }
}

/** The same for keys that differ in case, in the width of their letters, or in the letters that fold to others. */
function folded(key: string): string {
  return key.normalize("NFKC").toUpperCase().toLowerCase();
}
