import type { Caller, Inbound } from "../calls/index.js";
import { gatewayKey, type GatewayKeyRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { now, update, type Clock, type Crypto, type RecordStore } from "../ports/index.js";
import type { Log } from "../util/log.js";
import { callerOfHost, type AuthHook } from "./auth-hook.js";
import { readCredential } from "./credential.js";
import { keyDigest, type KeyDigest } from "./key-digest.js";
import type { LateKey } from "./purpose-keys.js";

/** What of the snapshot decides who is calling; a Snapshot is one. */
export interface AccessSnapshot {
  readonly keys: ReadonlyMap<string, GatewayKeyRow>;
  readonly readAtMs: number;
  readonly config: { readonly access: { readonly maxStaleMs: number }; readonly server: { readonly trustProxy: boolean } };
}
/** What of the services it needs; Services is one. */
export interface AccessServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
}
export interface AccessOptions {
  /** The purpose key `gateway-keys`. */
  readonly pepper: LateKey;
  readonly snapshot: () => AccessSnapshot;
  /** When given, it alone decides: no gateway key is looked at. */
  readonly auth?: AuthHook | undefined;
}

const TOUCH_EVERY_MS = 60_000;
const TOUCH_WITHIN_MS = 10_000;

/**
 * Who is calling. Every request has exactly one Caller or an error: there is no anonymous one and no second try after a key that is not valid.
 * Concurrency: any number of calls; the path of a gateway key is synchronous, and costs one HMAC when the key is new to this set of keys.
 */
export class Access {
  readonly #services: AccessServices;
  readonly #o: AccessOptions;
  readonly #digest: KeyDigest;
  /** Rows are immutable and live as long as their snapshot, so the Caller of a row is made once. */
  readonly #callers = new WeakMap<GatewayKeyRow, Caller>();
  readonly #touchedAtMs = new Map<string, number>();
  /**
   * Credentials that were found in these keys, whole: the same one is not digested with every request. At most one a key; gone with the next set of keys, so that a
   * revocation is not outlived.
   */
  #found: { readonly keys: AccessSnapshot["keys"]; readonly rows: Map<string, GatewayKeyRow> } | null = null;

  constructor(services: AccessServices, options: AccessOptions) {
    this.#services = services;
    this.#o = options;
    this.#digest = keyDigest(services.crypto, options.pepper);
  }

  /**
   * The Caller of a request, from its headers alone; nothing of the body is read. A promise only when the host's own hook is asked.
   * `keyInQuery`: see `readCredential`.
   * Errors: `unauthenticated` for no key, an unknown, disabled or expired one, or two different ones; `store_unavailable` when the keys could not be read for
   * `access.maxStaleMs`, so that a revoked key is refused in time.
   */
  identify(inbound: Inbound, o: { readonly keyInQuery: boolean } = { keyInQuery: false }): Caller | Promise<Caller> {
    if (this.#o.auth !== undefined) return callerOfHost(this.#o.auth, inbound, this.#o.snapshot().config.server);
    const credential = readCredential(inbound, { inQuery: o.keyInQuery });
    if (credential === null) throw unknownKey("The request carries no key.");
    return this.#callerOf(credential);
  }

  #callerOf(credential: string): Caller {
    const { clock } = this.#services;
    const snapshot = this.#o.snapshot();
    const nowMs = clock.now();
    if (nowMs - snapshot.readAtMs > snapshot.config.access.maxStaleMs)
      throw new GatewayError("store_unavailable", "The keys could not be read from the store for too long to be trusted.", {
        hint: "The gateway recovers by itself when its store answers again.",
        retryAfterMs: 1_000,
      });
    const row = this.#rowOf(credential, snapshot.keys);
    if (row === undefined || !row.enabled) throw unknownKey("The key is not one of this gateway.");
    if (row.expiresAtMs !== null && row.expiresAtMs <= nowMs) throw unknownKey("The key has expired.");
    this.#touch(row, nowMs);
    let caller = this.#callers.get(row);
    if (caller === undefined) this.#callers.set(row, (caller = callerOfKey(row)));
    return caller;
  }

  #rowOf(credential: string, keys: AccessSnapshot["keys"]): GatewayKeyRow | undefined {
    if (this.#found?.keys !== keys) this.#found = { keys, rows: new Map() };
    const known = this.#found.rows.get(credential);
    if (known !== undefined) return known;
    const digest = this.#digest(credential);
    let row: GatewayKeyRow | undefined;
    for (const key of keys.values()) if (key.digest === digest) row = key;
    if (row !== undefined) this.#found.rows.set(credential, row);
    return row;
  }

  /** Says now and then that a key is in use; never waited for, and no request fails by it. */
  #touch(row: GatewayKeyRow, nowMs: number): void {
    const touched = this.#touchedAtMs.get(row.id);
    if (touched !== undefined && nowMs - touched < TOUCH_EVERY_MS) return;
    this.#touchedAtMs.set(row.id, nowMs);
    const unit = { scope: { system: "a key was used" }, writes: [update(gatewayKey, row.id, { change: { set: { lastUsedAtMs: now } } })] };
    this.#services.store.commit([unit], { deadlineMs: nowMs + TOUCH_WITHIN_MS }).catch((error: unknown) => {
      this.#services.log.debug("the last use of a key was not written", { keyId: row.id, code: GatewayError.from(error).code });
    });
  }
}

function callerOfKey(row: GatewayKeyRow): Caller {
  return Object.freeze({
    kind: row.kind,
    id: row.id,
    name: row.name,
    projects: Object.freeze([row.projectId] as const),
    grants: Object.freeze([...row.scopes]),
    keyId: row.id,
  });
}

function unknownKey(message: string): GatewayError {
  return new GatewayError("unauthenticated", message, { hint: "Send Authorization: Bearer <key>, with a key of this gateway." });
}
