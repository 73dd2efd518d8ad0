import { gatewayKey, type GatewayKeyRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { update, type Clock, type Counters, type Demand, type RecordStore } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import { networkOf } from "../sign-in/tries.js";
import { HashGate } from "./hash-gate.js";
import type { KeyDigest } from "../key-digest.js";
import type { KeyVerifier } from "./key-verifier.js";

export interface LegacyKeysServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}
export interface LegacyKeysOptions {
  readonly verifiers: readonly KeyVerifier[];
  readonly digest: KeyDigest;
  /** Reads the snapshot anew, so that the key is found by its digest from then on. */
  readonly refresh: () => Promise<void>;
}

/** One hash costs a quarter of a second of a core. */
const MOST_AT_ONCE = 2;
const MOST_WAITING = 16;
/** A wrong key that many rows could be has cost as many tries as it needed hashes, by this; a right one costs none. */
const HASHES_A_TRY = 4;
const MINUTE_MS = 60_000;
const TRIES_A_MINUTE = { address: 20, all: 240 };
const MOST_REFUSED = 1_000;
const WITHIN_MS = 10_000;

/**
 * Keys brought from elsewhere, at their first use: what is presented is checked against the hashes that its beginning allows, and the one that fits gets a digest of ours. A key of nobody costs no
 * hash when no prefix fits it. All that its beginning allows are tried, a few hashes of all requests at once; tries are limited by address and for all, and what was
 * refused once is remembered by its digest.
 */
export class LegacyKeys {
  readonly #services: LegacyKeysServices;
  readonly #o: LegacyKeysOptions;
  readonly #gate = new HashGate({ most: MOST_AT_ONCE, mostWaiting: MOST_WAITING });
  /** Digests that none of these rows fits. */
  #refused: { readonly rows: readonly GatewayKeyRow[]; readonly digests: Set<string> } | null = null;
  /** By the digest of what is presented: requests that come together wait for one check. */
  readonly #checking = new Map<string, Promise<string | null>>();

  constructor(services: LegacyKeysServices, options: LegacyKeysOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** The id of the row that the key fits, once it can be found by its digest; null: none. Errors: `rate_limited`, `overloaded`, `missing_dependency`. */
  identify(presented: string, rows: readonly GatewayKeyRow[], address: string | null): Promise<string | null> {
    const candidates = rows.filter(({ prefix }) => prefix === null || presented.startsWith(prefix)).sort(byPrefix);
    if (candidates.length === 0) return Promise.resolve(null);
    const digest = this.#o.digest(presented);
    if (this.#refused?.rows !== rows) this.#refused = { rows, digests: new Set() };
    const { digests } = this.#refused;
    if (digests.has(digest)) return Promise.resolve(null);
    let checking = this.#checking.get(digest);
    if (checking === undefined) {
      checking = this.#check(presented, candidates, { digest, address }).finally(() => this.#checking.delete(digest));
      this.#checking.set(digest, checking);
    }
    return checking.then((id) => {
      if (id === null && digests.size < MOST_REFUSED) digests.add(digest);
      return id;
    });
  }

  async #check(presented: string, rows: readonly GatewayKeyRow[], o: { digest: string; address: string | null }): Promise<string | null> {
    const charge = await this.#limit(o.address);
    for (const row of rows) {
      if (!(await this.#gate.run(() => this.#fits(presented, row)))) continue;
      await charge(0);
      await this.#adopt(row, o.digest);
      return row.id;
    }
    await charge(Math.ceil(rows.length / HASHES_A_TRY));
    return null;
  }

  /** Takes one try; what is resolved to says how many it was in the end. */
  async #limit(address: string | null): Promise<(tries: number) => Promise<void>> {
    const { counters, clock } = this.#services;
    const demands: Demand[] = [
      { key: `legacy-key:address:${networkOf(address)}`, cost: 1, limit: TRIES_A_MINUTE.address, windowMs: MINUTE_MS },
      { key: "legacy-key:all", cost: 1, limit: TRIES_A_MINUTE.all, windowMs: MINUTE_MS },
    ];
    const spent = await counters.spend(demands, { deadlineMs: clock.now() + WITHIN_MS });
    if (!spent.ok)
      throw new GatewayError("rate_limited", "Too many unknown keys were presented.", {
        retryAfterMs: Math.max(1_000, (spent.retryAtMs ?? clock.now() + MINUTE_MS) - clock.now()),
      });
    return async (count) => {
      if (count === 1) return;
      const { at } = spent;
      const within = { deadlineMs: clock.now() + WITHIN_MS };
      await Promise.all(demands.map(({ key }) => counters.adjust({ key, delta: count - 1, at }, within)));
    };
  }

  async #fits(presented: string, row: GatewayKeyRow): Promise<boolean> {
    const verifier = this.#o.verifiers.find(({ scheme }) => scheme === row.legacyScheme);
    if (verifier === undefined || row.legacyHash === null) return false;
    try {
      return (await verifier.verify(presented, row.legacyHash)) === true;
    } catch (error) {
      if (GatewayError.is(error, "missing_dependency")) throw error;
      this.#services.log.warn("an imported key could not be checked", { keyId: row.id, scheme: verifier.scheme });
      return false;
    }
  }

  /** Of N nodes that meet the key at once, one writes; the others find the same digest. */
  async #adopt(row: GatewayKeyRow, digest: string): Promise<void> {
    const change = { set: { digest, legacyHash: null, legacyScheme: null } };
    const unit = {
      scope: { system: "an imported key was presented" },
      writes: [update(gatewayKey, row.id, { change, ifVersion: row.version })],
    };
    await this.#services.store.commit([unit], { deadlineMs: this.#services.clock.now() + WITHIN_MS });
    await this.#o.refresh();
  }
}

/** Those that say most of the key's beginning first: they are likeliest to be it. */
function byPrefix(a: GatewayKeyRow, b: GatewayKeyRow): number {
  return (b.prefix?.length ?? 0) - (a.prefix?.length ?? 0);
}
