import { assertWithin, GatewayError, type Blobs, type Clock, type Within } from "../ports/index.js";
import { systemClock } from "./system-clock.js";
import { toHex } from "../util/encoding/hex.js";
import { joinBytes } from "../util/encoding/join-bytes.js";

const PIECE_BYTES = 64 * 1024;

/** The promise, or the deadline or the signal, whichever comes first: a source that stalls must not hold its key for ever. */
function within<T>(promise: Promise<T>, w: Within, clock: Clock): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = (): void =>
      finish(() => reject(new GatewayError("deadline_exceeded", "The deadline passed before the blob was written.")));
    const aborted = (): void => finish(() => reject(new GatewayError("cancelled", "The call was cancelled.")));
    const cancel = clock.at(w.deadlineMs, late);
    const finish = (settle: () => void): void => {
      cancel();
      w.signal?.removeEventListener("abort", aborted);
      settle();
    };
    w.signal?.addEventListener("abort", aborted);
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error as Error)),
    );
  });
}

class MemoryBlobs implements Blobs {
  readonly #clock: Clock;
  /** null: being written. */
  readonly #kept = new Map<string, Uint8Array | null>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async put(
    key: string,
    body: AsyncIterable<Uint8Array>,
    o: { readonly maxBytes: number },
    w: Within,
  ): Promise<{ bytes: number; sha256: string }> {
    assertWithin(w, this.#clock.now());
    if (this.#kept.has(key))
      throw new GatewayError("conflict", "A blob of this key exists already.", { hint: "Blobs are written once: choose another key." });
    this.#kept.set(key, null);
    try {
      const whole = await this.#collect(body, o.maxBytes, w);
      const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", whole));
      this.#kept.set(key, whole);
      return { bytes: whole.byteLength, sha256: toHex(digest) };
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }

  async open(
    key: string,
    range: { readonly from: number; readonly to?: number } | null,
    w: Within,
  ): Promise<AsyncIterable<Uint8Array> | null> {
    assertWithin(w, this.#clock.now());
    const whole = this.#kept.get(key) ?? null;
    if (whole === null) return null;
    const part = range === null ? whole : whole.subarray(range.from, range.to);
    return (async function* () {
      for (let at = 0; at < part.byteLength; at += PIECE_BYTES) yield part.slice(at, at + PIECE_BYTES);
    })();
  }

  async remove(key: string, w: Within): Promise<void> {
    assertWithin(w, this.#clock.now());
    // One that is being written belongs to its writer.
    if (this.#kept.get(key) instanceof Uint8Array) this.#kept.delete(key);
  }

  async #collect(body: AsyncIterable<Uint8Array>, maxBytes: number, w: Within): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const source = body[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        const next = await within(source.next(), w, this.#clock);
        if (next.done === true) {
          ended = true;
          return joinBytes(chunks);
        }
        bytes += next.value.byteLength;
        if (bytes > maxBytes)
          throw new GatewayError("payload_too_large", `The blob is larger than ${maxBytes} bytes.`, { details: { maxBytes } });
        chunks.push(next.value.slice());
      }
    } finally {
      // Not awaited: a source that stalls settles its return() no sooner than its pending read.
      if (!ended) source.return?.()?.catch(() => undefined);
    }
  }
}

/** Blobs of this process, lost with it. */
export function memoryBlobs(options: { readonly clock?: Clock } = {}): Blobs {
  return new MemoryBlobs(options.clock ?? systemClock);
}
