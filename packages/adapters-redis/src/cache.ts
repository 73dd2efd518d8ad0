import type { Cache, Clock, Within } from "@sallyport/core/ports";
import type { Link } from "./connection/link.js";
import { Script } from "./connection/script.js";
import type { KeySpace } from "./key-space.js";

/** What was kept begins with this byte and the instant of its expiry: a value never outlives it, however late it arrived here. */
const MARK = 0xa7;
const HEAD_BYTES = 9;
/** Longer ones are none of ours. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Removes a value only while it is this one; one that somebody else wrote has no head. */
const removeIfSame = new Script(`
local kept = redis.call('GET', KEYS[1])
if not kept then return 0 end
if kept ~= ARGV[1] and not (string.byte(kept, 1) == ${MARK} and string.sub(kept, ${HEAD_BYTES + 1}) == ARGV[1]) then return 0 end
return redis.call('DEL', KEYS[1])`);

export class RedisCache implements Cache {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #keys: KeySpace;

  constructor(link: Link, o: { readonly clock: Clock; readonly keys: KeySpace }) {
    this.#link = link;
    this.#clock = o.clock;
    this.#keys = o.keys;
  }

  async get(key: string, w: Within): Promise<Uint8Array | null> {
    const at = this.#at(key);
    const kept = await this.#link.ask(w, async (send) => {
      try {
        return await send(["GETRANGE", at, "0", String(MAX_BYTES)]);
      } catch (error) {
        // Something else than a value lies there: nobody kept it with this cache.
        if (!(error instanceof Error && error.message.startsWith("WRONGTYPE"))) throw error;
        await send(["DEL", at]);
        return null;
      }
    });
    if (!(kept instanceof Uint8Array) || kept.byteLength === 0) return null;
    if (kept.byteLength > MAX_BYTES) return this.#drop(at, w);
    return this.#valueOf(kept);
  }

  async set(key: string, value: Uint8Array, o: { readonly expiresAtMs: number }, w: Within): Promise<void> {
    const at = this.#at(key);
    const kept = packed(value, o.expiresAtMs);
    await this.#link.ask(w, (send) => {
      const forMs = this.#forMs(o.expiresAtMs);
      return forMs === null ? send(["DEL", at]) : send(["SET", at, kept, "PX", forMs]);
    });
  }

  async add(key: string, value: Uint8Array, o: { readonly expiresAtMs: number }, w: Within): Promise<boolean> {
    const at = this.#at(key);
    const kept = packed(value, o.expiresAtMs);
    return this.#link.ask(w, async (send) => {
      const forMs = this.#forMs(o.expiresAtMs);
      if (forMs === null) return (await send(["EXISTS", at])) === 0;
      return (await send(["SET", at, kept, "PX", forMs, "NX"])) !== null;
    });
  }

  async remove(key: string, ifValue: Uint8Array | null, w: Within): Promise<boolean> {
    const at = this.#at(key);
    const removed = await this.#link.ask(w, (send) =>
      ifValue === null ? send(["DEL", at]) : removeIfSame.run(send, [at], [bufferOf(ifValue)]),
    );
    return removed === 1;
  }

  #at(key: string): string {
    return this.#keys.single("cache", key);
  }

  /** What has no head was not kept by a cache of ours: whoever reads it throws it away. */
  #valueOf(kept: Uint8Array): Uint8Array | null {
    if (kept[0] !== MARK || kept.byteLength < HEAD_BYTES) return Uint8Array.from(kept);
    const expiresAtMs = new DataView(kept.buffer, kept.byteOffset).getFloat64(1);
    return expiresAtMs > this.#clock.now() ? Uint8Array.from(kept.subarray(HEAD_BYTES)) : null;
  }

  /** null: it is over already. */
  #forMs(expiresAtMs: number): string | null {
    const forMs = Math.ceil(expiresAtMs - this.#clock.now());
    return forMs > 0 ? String(Math.min(forMs, Number.MAX_SAFE_INTEGER / 2)) : null;
  }

  async #drop(at: string, w: Within): Promise<null> {
    await this.#link.ask(w, (send) => send(["DEL", at]));
    return null;
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A copy: what the caller does to its bytes afterwards is not sent. */
function packed(value: Uint8Array, expiresAtMs: number): Buffer {
  const kept = Buffer.allocUnsafe(HEAD_BYTES + value.byteLength);
  kept[0] = MARK;
  kept.writeDoubleBE(expiresAtMs, 1);
  kept.set(value, HEAD_BYTES);
  return kept;
}
