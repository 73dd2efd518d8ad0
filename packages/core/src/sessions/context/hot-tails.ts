import type { Message } from "../../calls/index.js";
import type { Cache, Clock, Crypto } from "../../ports/index.js";
import { PortGuard } from "../../ports/port-guard.js";
import type { Log } from "../../util/log.js";
import { fromUtf8 } from "../../util/json.js";
import type { Placed } from "./window.js";

export interface HotTailsOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  /** The purpose key `session-tails`: what was not written with it is not read. */
  readonly secret: () => Uint8Array;
}

const MAC_BYTES = 32;
/** What no process reads for so long is read from the store the next time. */
const KEPT_MS = 600_000;
const MAX_BYTES = 1_048_576;
const VERSION = 1;
const encoder = new TextEncoder();
const addressOf = (id: string): string => `session:${id}`;

/**
 * The newest messages of sessions in use, in a cache that may be slow, away, or written to by others. What a session's sequence numbers stand for never changes, so a tail that ends too early lacks messages,
 * which are read from the store, and none that it has is wrong. A value that no gateway of this secret wrote for this session is thrown away.
 */
export class HotTails {
  readonly #o: HotTailsOptions;
  readonly #guard: PortGuard;

  constructor(options: HotTailsOptions) {
    this.#o = options;
    const { clock, log } = options;
    this.#guard = new PortGuard({
      clock,
      onAway: ({ code }) => log.warn("the cache does not answer: until it does, sessions are read from the store", { code }),
      onBack: () => log.info("the cache answers again"),
    });
  }

  /** Consecutive messages, oldest first; empty: nobody kept any. */
  async get(id: string): Promise<readonly Placed[]> {
    const value = await this.#guard.ask((within) => this.#o.cache.get(addressOf(id), within));
    if (value === undefined || value === null) return [];
    const tail = this.#decode(id, value);
    if (tail !== null) return tail;
    this.#o.log.warn("a value that is no session's was thrown out of the cache", { session: id });
    await this.#guard.ask((within) => this.#o.cache.remove(addressOf(id), value, within));
    return [];
  }

  async set(id: string, tail: readonly Placed[]): Promise<void> {
    const { crypto, secret, clock, cache } = this.#o;
    const text = encoder.encode(JSON.stringify({ version: VERSION, id, tail }));
    if (text.byteLength > MAX_BYTES) return this.forget(id);
    const value = new Uint8Array(MAC_BYTES + text.byteLength);
    value.set(text, MAC_BYTES);
    value.set(crypto.hmac(secret(), text), 0);
    await this.#guard.ask((within) => cache.set(addressOf(id), value, { expiresAtMs: clock.now() + KEPT_MS }, within));
  }

  async forget(id: string): Promise<void> {
    await this.#guard.ask((within) => this.#o.cache.remove(addressOf(id), null, within));
  }

  #decode(id: string, value: Uint8Array): readonly Placed[] | null {
    const { crypto, secret } = this.#o;
    const text = value.subarray(MAC_BYTES);
    if (!crypto.equal(crypto.hmac(secret(), text), value.subarray(0, MAC_BYTES))) return null;
    try {
      const kept = JSON.parse(fromUtf8(text)) as { version: number; id: string; tail: { seq: number; message: Message }[] };
      return kept.version === VERSION && kept.id === id ? kept.tail : null;
    } catch {
      return null;
    }
  }
}
