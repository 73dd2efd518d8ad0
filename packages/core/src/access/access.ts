import type { Caller, Inbound } from "../calls/index.js";
import { gatewayKey, type GatewayKeyRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { now, update, type Clock, type Crypto, type RecordStore } from "../ports/index.js";
import type { Log } from "../util/log.js";
import { callerOfHost, remoteAddressOf, type AuthHook } from "./auth-hook.js";
import { readCredential } from "./credential.js";
import { Directory, type DirectorySnapshot } from "./directory.js";
import { keyDigest, type KeyDigest } from "./key-digest.js";
import type { KeyIndex, UsableKey } from "./keys/key-index.js";
import type { LegacyKeys } from "./keys/legacy-keys.js";
import type { LateKey } from "./purpose-keys.js";
import type { AccessTokens } from "./tokens/access-tokens.js";

/** What of the snapshot decides who is calling; a Snapshot is one. */
export interface AccessSnapshot extends DirectorySnapshot {
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
/** Browsers that have signed in. */
export interface SessionCallers {
  /** null: the request carries no session. Errors: `unauthenticated` for one that is over, `csrf_refused`. */
  identify(inbound: Inbound): Caller | Promise<Caller> | null;
}
export interface AccessOptions {
  /** The purpose key `gateway-keys`. */
  readonly pepper: LateKey;
  readonly snapshot: () => AccessSnapshot;
  /** When given, it alone decides: no gateway key and no session is looked at. */
  readonly auth?: AuthHook | undefined;
  readonly directory?: Directory | undefined;
  readonly sessions?: SessionCallers | undefined;
  readonly legacy?: LegacyKeys | undefined;
  /** Of authorization servers, where routes take them; left out: none. */
  readonly tokens?: AccessTokens | undefined;
}
/** A credential that was found, and by when it no longer counts. */
interface Found extends UsableKey {
  readonly untilMs: number;
}

const TOUCH_EVERY_MS = 60_000;
const TOUCH_WITHIN_MS = 10_000;
const encoder = new TextEncoder();

/**
 * Who is calling. Every request has exactly one Caller or an error: there is no anonymous one and no second try after a key that is not valid.
 * Concurrency: any number of calls; the path of a gateway key is synchronous, and costs one HMAC when the key is new to this set of keys.
 */
export class Access {
  readonly #services: AccessServices;
  readonly #o: AccessOptions;
  readonly #digest: KeyDigest;
  readonly #directory: Directory;
  readonly #touchedAtMs = new Map<string, number>();
  /**
   * Credentials that were found among these keys, whole: the same one is not digested with every request. At most two a key; gone with the next set of keys or people, so that a
   * revocation is not outlived.
   */
  #found: { readonly index: KeyIndex; readonly keys: Map<string, Found> } | null = null;

  constructor(services: AccessServices, options: AccessOptions) {
    this.#services = services;
    this.#o = options;
    this.#digest = keyDigest(services.crypto, options.pepper);
    this.#directory = options.directory ?? new Directory();
  }

  /** The application that hosts this gateway says who calls, and nobody else does. */
  get isHosts(): boolean {
    return this.#o.auth !== undefined;
  }

  /**
   * The Caller of a request, from its headers alone; nothing of the body is read. A promise only when the host's own hook is asked, for a browser that has signed in, and at the first use of a key
   * that was brought from elsewhere. A request with a key is that key's, whatever cookies come with it. `keyInQuery`: see `readCredential`. `accessTokens`: the route takes tokens of authorization servers.
   * Errors: `unauthenticated` for no key, an unknown, disabled, revoked or expired one, or two different ones; `store_unavailable` when the keys could not be read for
   * `access.maxStaleMs`, so that a revoked key is refused in time.
   */
  identify(
    inbound: Inbound,
    o: { readonly keyInQuery: boolean; readonly accessTokens?: boolean } = { keyInQuery: false },
  ): Caller | Promise<Caller> {
    if (this.#o.auth !== undefined) return callerOfHost(this.#o.auth, inbound, this.#o.snapshot().config.server);
    const credential = readCredential(inbound, { inQuery: o.keyInQuery });
    const { tokens } = this.#o;
    if (credential !== null && o.accessTokens === true && tokens?.isToken(credential) === true) return tokens.identify(credential, inbound);
    if (credential !== null) return this.#callerOf(credential, inbound);
    const snapshot = this.#o.snapshot();
    const session = this.#o.sessions?.identify(inbound) ?? null;
    if (session === null) throw unknownKey("The request carries no key.");
    this.#refuseStale(snapshot, this.#services.clock.now());
    return session;
  }

  #callerOf(credential: string, inbound: Inbound): Caller | Promise<Caller> {
    const snapshot = this.#o.snapshot();
    const nowMs = this.#services.clock.now();
    this.#refuseStale(snapshot, nowMs);
    const index = this.#directory.of(snapshot);
    const found = this.#find(credential, index, nowMs);
    if (found !== null) return this.#admit(found, nowMs);
    const { legacy } = this.#o;
    if (legacy === undefined || index.legacy.length === 0) throw unknownKey("The key is not one of this gateway.");
    return legacy.identify(credential, index.legacy, remoteAddressOf(inbound, snapshot.config.server)).then((id) => {
      const usable = id === null ? null : this.#directory.of(this.#o.snapshot()).usable(id);
      if (usable === null) throw unknownKey("The key is not one of this gateway.");
      return this.#admit(usable, this.#services.clock.now());
    });
  }

  #admit(found: Found, nowMs: number): Caller {
    if (found.untilMs <= nowMs) throw unknownKey("The key has expired.");
    this.#touch(found.row, nowMs);
    return found.caller;
  }

  #refuseStale(snapshot: AccessSnapshot, nowMs: number): void {
    if (nowMs - snapshot.readAtMs <= snapshot.config.access.maxStaleMs) return;
    throw new GatewayError("store_unavailable", "The keys could not be read from the store for too long to be trusted.", {
      hint: "The gateway recovers by itself when its store answers again.",
      retryAfterMs: 1_000,
    });
  }

  #find(credential: string, index: KeyIndex, nowMs: number): Found | null {
    if (this.#found?.index !== index) this.#found = { index, keys: new Map() };
    const known = this.#found.keys.get(credential);
    if (known !== undefined) return known;
    let made: string | undefined;
    const digest = (): string => (made ??= this.#digest(credential));
    const row = index.find(credential, digest);
    if (row === undefined) return null;
    const untilMs = this.#validUntil(row, digest(), nowMs);
    const usable = untilMs === null ? null : index.usable(row.id);
    if (usable === null || untilMs === null) return null;
    const found = untilMs < usable.untilMs ? { ...usable, untilMs } : usable;
    this.#found.keys.set(credential, found);
    return found;
  }

  /** Until when what has this digest is the key: Infinity for the key as it is, an instant for the one before its last rotation; null: it is neither. Compared in constant time. */
  #validUntil(row: GatewayKeyRow, digest: string, nowMs: number): number | null {
    const { crypto } = this.#services;
    const own = encoder.encode(digest);
    if (crypto.equal(own, encoder.encode(row.digest))) return Infinity;
    if (row.previousDigest === null || row.previousUntilMs === null || row.previousUntilMs <= nowMs) return null;
    return crypto.equal(own, encoder.encode(row.previousDigest)) ? row.previousUntilMs : null;
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

function unknownKey(message: string): GatewayError {
  return new GatewayError("unauthenticated", message, { hint: "Send Authorization: Bearer <key>, with a key of this gateway." });
}
