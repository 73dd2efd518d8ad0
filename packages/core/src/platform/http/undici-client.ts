import type { buildConnector, Dispatcher, Pool } from "undici";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient, HttpRequest, HttpResponse, Within } from "../../ports/index.js";
import { decoded } from "./content-decoding.js";
import { Exchange } from "./exchange.js";
import { guardedConnector, type Resolve } from "./guarded-connector.js";
import { parseTarget, type Target } from "./target.js";

export interface HttpClientOptions {
  readonly clock: Clock;
  /** Longest wait for a connection, name lookup and TLS included, ms. 10,000 when left out. */
  readonly connectMs?: number | undefined;
  /** Private addresses are dialled for everybody (`network.allowPrivate`). Default false. */
  readonly allowPrivate?: boolean | undefined;
  /** Connections to one origin at once; further exchanges wait for a free one, within their deadline. Unlimited when left out. */
  readonly maxConnections?: number | undefined;
  /** Left out: the system's resolver. */
  readonly resolve?: Resolve | undefined;
}

interface Undici {
  readonly Pool: typeof Pool;
  readonly buildConnector: typeof buildConnector;
}

/** Idle connections are kept this long when the server does not say: servers that say nothing close theirs after five seconds. */
const KEEP_ALIVE_MS = 4_000;
/** Pools kept at the most; above it those without a connection in use go first. */
const MAX_POOLS = 512;
/** Parsed URLs kept at the most: providers and servers have few. */
const MAX_TARGETS = 1_024;

let undici: Undici | null = null;

/**
 * Outbound HTTP/1.1 over undici's pools, one an origin and trust, so that a connection of somebody's server is never used for another's.
 * undici is loaded by the first exchange. Safe for any number of callers at once.
 */
export function httpClient(options: HttpClientOptions): HttpClient {
  return new UndiciClient(options);
}

class UndiciClient implements HttpClient {
  readonly #o: HttpClientOptions;
  readonly #pools = new Map<string, Pool>();
  readonly #targets = new Map<string, Target>();
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#o = options;
  }

  exchange(r: HttpRequest, w: Within): Promise<HttpResponse> {
    return undici === null ? this.#load().then((loaded) => this.#exchange(loaded, r, w)) : this.#exchange(undici, r, w);
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Not awaited: a pool closes when its last exchange is over, and those go on.
    for (const pool of this.#pools.values()) pool.close().catch(ignore);
    this.#pools.clear();
  }

  async #load(): Promise<Undici> {
    return (undici ??= await import("undici"));
  }

  #exchange(loaded: Undici, r: HttpRequest, w: Within): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (w.signal?.aborted === true) throw cancelled(w.signal.reason);
      const target = this.#target(r.url);
      const pool = this.#pool(loaded, target.origin, r.trust);
      const exchange = new Exchange({
        within: w,
        endByMs: r.endByMs,
        clock: this.#o.clock,
        reject,
        resolve: (response) => {
          try {
            resolve(decoded(response));
          } catch (error) {
            reject(error as GatewayError);
          }
        },
      });
      pool.dispatch(
        {
          method: r.method as Dispatcher.HttpMethod,
          path: target.path,
          headers: flat(r.headers),
          // Its types do not say so, but it takes any async iterable.
          body: r.body as Uint8Array | null,
          // The deadline is the exchange's own, with the time spent waiting for a connection.
          headersTimeout: 0,
          bodyTimeout: r.idleMs,
        },
        exchange,
      );
    });
  }

  #target(url: string): Target {
    const known = this.#targets.get(url);
    if (known !== undefined) return known;
    const target = parseTarget(url);
    if (this.#targets.size >= MAX_TARGETS) this.#targets.clear();
    this.#targets.set(url, target);
    return target;
  }

  #pool(loaded: Undici, origin: string, trust: HttpRequest["trust"]): Pool {
    if (this.#closed) throw new GatewayError("shutting_down", "The gateway is closing.");
    const key = `${trust} ${origin}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    if (this.#pools.size >= MAX_POOLS) this.#evict();
    const pool = new loaded.Pool(origin, {
      connections: this.#o.maxConnections ?? null,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: guardedConnector(loaded.buildConnector, {
        publicOnly: trust === "untrusted" && this.#o.allowPrivate !== true,
        resolve: this.#o.resolve,
        connectMs: this.#o.connectMs ?? 10_000,
      }),
    });
    this.#pools.set(key, pool);
    return pool;
  }

  #evict(): void {
    for (const [key, pool] of this.#pools) {
      if (pool.stats.size > 0) continue;
      this.#pools.delete(key);
      pool.close().catch(ignore);
      if (this.#pools.size < MAX_POOLS / 2) return;
    }
  }
}

function flat(headers: HttpRequest["headers"]): string[] {
  const list: string[] = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}

function cancelled(reason: unknown): GatewayError {
  return GatewayError.is(reason) ? reason : new GatewayError("cancelled", "The call was cancelled.", { cause: reason });
}

/** A pool that fails to close has nothing left that could be closed. */
function ignore(): void {}
