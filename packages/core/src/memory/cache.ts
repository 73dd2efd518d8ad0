import { assertWithin, type Cache, type Clock, type Within } from "../ports/index.js";
import { systemClock } from "./system-clock.js";

interface Kept {
  readonly value: Uint8Array;
  readonly expiresAtMs: number;
}

export interface MemoryCacheOptions {
  readonly clock?: Clock;
  /** Of keys and values together; past it the least recently used are dropped. 64 MiB when left out. */
  readonly maxBytes?: number;
}

const ENTRY_BYTES = 64;
const sizeOf = (key: string, value: Uint8Array): number => key.length * 2 + value.byteLength + ENTRY_BYTES;

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}

class MemoryCache implements Cache {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  /** In the order of use, oldest first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(options: MemoryCacheOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  }

  async get(key: string, w: Within): Promise<Uint8Array | null> {
    const kept = this.#live(key, w);
    if (kept === null) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.value.slice();
  }

  async set(key: string, value: Uint8Array, o: { readonly expiresAtMs: number }, w: Within): Promise<void> {
    this.#live(key, w);
    this.#put(key, value, o.expiresAtMs);
  }

  async add(key: string, value: Uint8Array, o: { readonly expiresAtMs: number }, w: Within): Promise<boolean> {
    if (this.#live(key, w) !== null) return false;
    this.#put(key, value, o.expiresAtMs);
    return true;
  }

  async remove(key: string, ifValue: Uint8Array | null, w: Within): Promise<boolean> {
    const kept = this.#live(key, w);
    if (kept === null || (ifValue !== null && !same(kept.value, ifValue))) return false;
    this.#drop(key);
    return true;
  }

  #live(key: string, w: Within): Kept | null {
    const nowMs = this.#clock.now();
    assertWithin(w, nowMs);
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    if (kept.expiresAtMs > nowMs) return kept;
    this.#drop(key);
    return null;
  }

  #put(key: string, value: Uint8Array, expiresAtMs: number): void {
    this.#drop(key);
    this.#kept.set(key, { value: value.slice(), expiresAtMs });
    this.#bytes += sizeOf(key, value);
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= sizeOf(key, kept.value);
  }
}

/** A cache of this process. Values are copied in and out; what does not fit into `maxBytes` drops the least recently used. */
export function memoryCache(options: MemoryCacheOptions = {}): Cache {
  return new MemoryCache(options);
}
