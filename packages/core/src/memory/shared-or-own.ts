import { GatewayError } from "../errors/index.js";
import type { Key } from "../entities/index.js";
import type { Bus, Cache, Clock, Counters, Shared, SharedAdapter, Wakeup } from "../ports/index.js";
import { memoryBus } from "./bus.js";
import { memoryWakeup } from "./wakeup.js";

export interface SharedOrOwnOptions {
  readonly clock: Clock;
  /** Asked once, by `start`. */
  readonly adapter: () => Promise<SharedAdapter>;
  /** As of `Shared`. */
  readonly onChange: (away: GatewayError | null) => void;
}
type Stop = () => Promise<void>;

/**
 * What processes share, in front of a server that may be away, at the start too: there is nothing to wait for. Meanwhile counters and cache fail at once, for their guards to stand in; hints reach those who listen in
 * this process, as they would without such a server. Subscriptions and listeners last, whenever the server comes.
 */
export class SharedOrOwn {
  readonly counters: Counters;
  readonly cache: Cache;
  readonly bus: Bus;
  readonly wakeup: Wakeup;
  readonly #o: SharedOrOwnOptions;
  #opening: Promise<void> | null = null;
  #shared: Shared | null = null;
  #isClosed = false;
  #wasThere = false;
  #lostAtMs: number | null = null;
  /** What waits for the server to be opened. */
  readonly #onOpen = new Set<(shared: Shared) => void>();

  constructor(options: SharedOrOwnOptions) {
    this.#o = options;
    const own = { bus: memoryBus(), wakeup: memoryWakeup({ clock: options.clock }) };
    this.counters = this.#counters();
    this.cache = this.#cache();
    this.bus = {
      publish: (topic, ids) =>
        this.#orOwn(
          (shared) => shared.bus.publish(topic, ids),
          () => own.bus.publish(topic, ids),
        ),
      subscribe: (topic, onHint, onGap) =>
        this.#both(own.bus.subscribe(topic, onHint, onGap), (shared) => shared.bus.subscribe(topic, onHint, onGap)),
    };
    this.wakeup = {
      offer: (lane, id: Key, o) =>
        this.#orOwn(
          (shared) => shared.wakeup.offer(lane, id, o),
          () => own.wakeup.offer(lane, id, o),
        ),
      listen: (lane, o, onId) => this.#both(own.wakeup.listen(lane, o, onId), (shared) => shared.wakeup.listen(lane, o, onId)),
    };
  }

  /** null: the server answers. */
  get away(): GatewayError | null {
    return this.#shared === null ? notOpen() : this.#shared.away;
  }

  /** When a server that had been there was last lost or came back, Unix ms: what it counted may be gone. null: never. */
  get lostAtMs(): number | null {
    const known = this.#shared?.lostAtMs;
    return known === undefined ? this.#lostAtMs : known;
  }

  /** Begins to connect, and does not wait for it. Idempotent; one that failed may be repeated. Errors: those of the adapter: `missing_dependency`, `misconfigured`. */
  start(): Promise<void> {
    return (this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    }));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => undefined);
    await this.#shared?.close();
  }

  async #open(): Promise<void> {
    const adapter = await this.#o.adapter();
    if (this.#isClosed) return;
    const shared = adapter.open({ clock: this.#o.clock });
    this.#shared = shared;
    shared.onChange((away) => {
      if (this.#wasThere) this.#lostAtMs = this.#o.clock.now();
      if (away === null) this.#wasThere = true;
      this.#o.onChange(away);
    });
    for (const opened of this.#onOpen) opened(shared);
    this.#onOpen.clear();
  }

  #mustHave(): Shared {
    if (this.#shared === null) throw notOpen();
    return this.#shared;
  }

  /** A hint that the server did not take is given to this process. */
  async #orOwn(ask: (shared: Shared) => Promise<void>, own: () => Promise<void>): Promise<void> {
    const shared = this.#shared;
    if (shared === null || shared.away !== null) return own();
    await ask(shared).catch(own);
  }

  async #both(own: Promise<Stop>, begin: (shared: Shared) => Promise<Stop>): Promise<Stop> {
    const stopOwn = await own;
    let isStopped = false;
    let begun: Promise<Stop | null> = Promise.resolve(null);
    const open = (shared: Shared): void => {
      // Without the server's hints there is polling.
      if (!isStopped) begun = begin(shared).catch(() => null);
    };
    if (this.#shared === null) this.#onOpen.add(open);
    else open(this.#shared);
    await begun;
    return async () => {
      isStopped = true;
      this.#onOpen.delete(open);
      const stop = await begun;
      await Promise.all([stopOwn(), stop?.()]);
    };
  }

  #counters(): Counters {
    return {
      spend: async (demands, w) => this.#mustHave().counters.spend(demands, w),
      adjust: async (adjustment, w) => this.#mustHave().counters.adjust(adjustment, w),
      hold: async (key, slot, w) => this.#mustHave().counters.hold(key, slot, w),
      release: async (key, holder) => this.#mustHave().counters.release(key, holder),
    };
  }

  #cache(): Cache {
    return {
      get: async (key, w) => this.#mustHave().cache.get(key, w),
      set: async (key, value, o, w) => this.#mustHave().cache.set(key, value, o, w),
      add: async (key, value, o, w) => this.#mustHave().cache.add(key, value, o, w),
      remove: async (key, ifValue, w) => this.#mustHave().cache.remove(key, ifValue, w),
    };
  }
}

function notOpen(): GatewayError {
  return new GatewayError("store_unavailable", "What processes share is not open yet.", {
    hint: "The gateway opens it when it starts.",
    details: { outcome: "none" },
  });
}
