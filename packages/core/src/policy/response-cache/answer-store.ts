import type { Cache, Clock, Crypto } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import { PortGuard } from "../../ports/port-guard.js";
import type { CacheKey } from "./cache-key.js";
import { decodeKept, encodeKept, type KeptAnswer } from "./kept-answer.js";

export interface AnswerStoreOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  /** The purpose key `response-cache`: what was not written with it is not read. */
  readonly secret: () => Uint8Array;
  /** Called for each value that is not what was kept. */
  readonly onRejected: () => void;
}

/** A node that makes an answer says so again and again; one that has not for this long is dead, and others no longer wait for it. */
const LEASE_MS = 6_000;
const RENEW_MS = 2_000;
const encoder = new TextEncoder();
const addressOf = ({ key }: CacheKey): string => `response:${key}`;
const leaseOf = ({ key }: CacheKey): string => `response-lease:${key}`;

/** Answers in a cache that may be slow, away, or written to by others: what it does not give within 50 ms is not there, and what is not ours is thrown away. */
export class AnswerStore {
  readonly #o: AnswerStoreOptions;
  readonly #guard: PortGuard;
  /** By holder: the end of saying so. */
  readonly #renewals = new Map<string, () => void>();

  constructor(options: AnswerStoreOptions) {
    this.#o = options;
    const { clock, log } = options;
    this.#guard = new PortGuard({
      clock,
      onAway: ({ code }) => log.warn("the cache does not answer: until it does, every call is made", { code }),
      onBack: () => log.info("the cache answers again"),
    });
  }

  async get(at: CacheKey): Promise<KeptAnswer | null> {
    const { cache, crypto, clock, secret } = this.#o;
    const value = await this.#guard.ask((within) => cache.get(addressOf(at), within));
    if (value === undefined || value === null) return null;
    const kept = decodeKept(value, at, { crypto, secret: secret(), nowMs: clock.now() });
    if (kept === null) await this.reject(at, value);
    return kept;
  }

  async set(at: CacheKey, kept: KeptAnswer): Promise<void> {
    const { cache, crypto, secret } = this.#o;
    const value = encodeKept(kept, at, { crypto, secret: secret() });
    await this.#guard.ask((within) => cache.set(addressOf(at), value, { expiresAtMs: kept.expiresAtMs }, within));
  }

  /** Throws away what is no answer. `value`: only while it is still there. */
  async reject(at: CacheKey, value: Uint8Array | null = null): Promise<void> {
    this.#o.onRejected();
    await this.#guard.ask((within) => this.#o.cache.remove(addressOf(at), value, within));
  }

  /** Whether this node is to make the answer; also when nobody can say. */
  async lead(at: CacheKey, holder: string): Promise<boolean> {
    const { cache, clock } = this.#o;
    const expiresAtMs = clock.now() + LEASE_MS;
    const isLeader = await this.#guard.ask((within) => cache.add(leaseOf(at), encoder.encode(holder), { expiresAtMs }, within));
    if (isLeader === true) this.#renewLater(at, holder);
    return isLeader ?? true;
  }

  /** Whether another node is still at it. */
  async isLed(at: CacheKey): Promise<boolean> {
    const lease = await this.#guard.ask((within) => this.#o.cache.get(leaseOf(at), within));
    return lease !== undefined && lease !== null;
  }

  async endLead(at: CacheKey, holder: string): Promise<void> {
    this.#renewals.get(holder)?.();
    this.#renewals.delete(holder);
    await this.#guard.ask((within) => this.#o.cache.remove(leaseOf(at), encoder.encode(holder), within));
  }

  /** Until `endLead`. */
  #renewLater(at: CacheKey, holder: string): void {
    const { cache, clock } = this.#o;
    const renew = (): void => {
      this.#renewLater(at, holder);
      const expiresAtMs = clock.now() + LEASE_MS;
      void this.#guard.ask((within) => cache.set(leaseOf(at), encoder.encode(holder), { expiresAtMs }, within));
    };
    this.#renewals.set(holder, clock.at(clock.now() + RENEW_MS, renew));
  }
}
