import {
  GatewayError,
  type Bus,
  type Cache,
  type Clock,
  type Counters,
  type Shared,
  type SharedAdapter,
  type Wakeup,
} from "@sallyport/core/ports";
import { RedisBus } from "./bus.js";
import { RedisCache } from "./cache.js";
import { clientMaker, type ClientSettings } from "./connection/client.js";
import { Link } from "./connection/link.js";
import { RedisCounters } from "./counters/counters.js";
import { KeySpace } from "./key-space.js";
import { BullWakeup } from "./wakeup/wakeup.js";

export interface RedisOptions extends ClientSettings {
  /** `redis://user:password@host:6379/0`, or `rediss://…` for TLS. */
  readonly url?: string | undefined;
  /** A client of node-redis whose settings are used. It is copied, and neither used nor closed itself. */
  readonly client?: ClientSettings["client"];
  /** What every key and channel begins with; "sallyport:" when left out. Gateways with one prefix share what they count. */
  readonly prefix?: string | undefined;
  /** Options of `tls.connect`: `ca`, `cert`, `key`, `servername`. Makes the connection TLS whatever the URL says. */
  readonly tls?: object | undefined;
  /** The longest that one operation may take before the server counts as away; 50 ms when left out. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Counters, cache, bus and wake-ups in Redis 6 or newer, or Valkey: what `new Gateway({ redis })` takes. It connects when a gateway starts, and again for ever; while the server is away, every method fails at once.
 * Errors: `misconfigured` for options that cannot be.
 */
export function redis(options: string | RedisOptions): SharedAdapter {
  const { prefix = "sallyport:", timeoutMs = 50, ...settings } = typeof options === "string" ? ({ url: options } as RedisOptions) : options;
  if (/[{}\s]/.test(prefix)) throw misconfigured("prefix", "may have no braces and no spaces");
  if (!(timeoutMs > 0)) throw misconfigured("timeoutMs", "is above 0");
  const make = clientMaker(settings);
  return { name: "redis", open: ({ clock }) => new RedisShared({ clock, make, timeoutMs, keys: new KeySpace(prefix) }) };
}

interface SharedOptions {
  readonly clock: Clock;
  readonly make: ReturnType<typeof clientMaker>;
  readonly timeoutMs: number;
  readonly keys: KeySpace;
}

class RedisShared implements Shared {
  readonly counters: Counters;
  readonly cache: Cache;
  readonly bus: Bus;
  readonly wakeup: Wakeup;
  readonly #link: Link;
  readonly #bus: RedisBus;
  readonly #wakeup: BullWakeup;
  #closing: Promise<void> | null = null;

  constructor({ clock, make, timeoutMs, keys }: SharedOptions) {
    const link = new Link({ make, clock, timeoutMs, probeKey: keys.single("probe", "write") });
    this.#link = link;
    this.counters = new RedisCounters(link, { clock, keys });
    this.cache = new RedisCache(link, { clock, keys });
    this.bus = this.#bus = new RedisBus({ make, link, clock, keys });
    this.wakeup = this.#wakeup = new BullWakeup({ make, link, clock, keys });
  }

  get away(): GatewayError | null {
    return this.#link.away;
  }

  get lostAtMs(): number | null {
    return this.#link.lostAtMs;
  }

  onChange(listener: (away: GatewayError | null) => void): void {
    this.#link.onChange(listener);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#wakeup.close();
    this.#bus.close();
    this.#link.close();
  }
}

function misconfigured(option: string, what: string): GatewayError {
  return new GatewayError("misconfigured", `The option "${option}" of redis() ${what}.`);
}
