import type { Caller } from "../../calls/index.js";
import { gatewayKey, keyRateLimit, plainKey, scopeText, type GatewayKeyRow } from "../../entities/access/index.js";
import { GatewayError } from "../../errors/index.js";
import {
  insert,
  update,
  type Bus,
  type Clock,
  type Crypto,
  type NewRow,
  type RecordStore,
  type Scope,
  type Write,
} from "../../ports/index.js";
import { newId } from "../../util/ids.js";
import { changeWrites, type Actor, type AuthChange } from "../auth-events.js";
import type { Directory, DirectorySnapshot } from "../directory.js";
import { ownUseScopes } from "../grants/within.js";
import type { KeyDigest } from "../key-digest.js";
import { makeKey, shownPrefix } from "./key-format.js";
import type { KeyIndex } from "./key-index.js";
import { keyView, type ImportedKey, type KeyChange, type KeyView, type NewKey, type ShownKey } from "./key-input.js";
import { assertMayChange, assertMayMake } from "./key-rules.js";
import { schemeOf } from "./key-verifier.js";

/** What of the services it needs; Services is one. */
export interface GatewayKeysServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly bus: Bus;
}
export interface GatewayKeysOptions {
  readonly digest: KeyDigest;
  readonly directory: Directory;
  readonly snapshot: () => DirectorySnapshot;
  /** Names of the verifiers that there are. */
  readonly schemes: readonly string[];
  /** Whoever calls in this process. */
  readonly owner: () => Caller;
  /** Resolves when the gateway has started. */
  readonly ready: () => Promise<void>;
  /** Has this process, and soon the others, see what was changed. */
  readonly changed: (id: string) => Promise<void>;
}
export interface KeysQuery {
  readonly projectId?: string | undefined;
  readonly userId?: string | undefined;
  /** 100 when left out, 1,000 at the most. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

const WITHIN_MS = 10_000;
const MAX_OVERLAP_MS = 30 * 86_400_000;

/**
 * The keys that callers present. A key is shown once, when it is made or rotated; only a keyed digest of it is stored. A change holds for the next call of this process, and for those of other
 * processes within about a second; a revocation also ends the key's calls under way.
 * Every method acts as the owner, or as `by`; what somebody else makes never exceeds its maker, neither when it is made nor when it is used.
 * Errors of every method: those of the store; `forbidden` naming what the maker does not have; `validation_failed`; `not_found` also for a key of another project.
 */
export class GatewayKeys {
  readonly #services: GatewayKeysServices;
  readonly #o: GatewayKeysOptions;

  constructor(services: GatewayKeysServices, options: GatewayKeysOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** A new key; `key` is shown only now. */
  async create(input: NewKey, by?: Actor): Promise<ShownKey> {
    const actor = await this.#actor(by);
    const environment = input.environment ?? "live";
    if (!/^[a-z0-9]{1,12}$/.test(environment)) throw invalid("environment", "has 1 to 12 of a-z and 0-9");
    const id = newId("key");
    const key = makeKey(this.#services.crypto, { environment, rowId: id });
    const row = { ...this.#row(id, input, actor), environment, digest: this.#o.digest(key), prefix: shownPrefix(key) };
    await this.#insert(row, "key.created", actor);
    return { ...(await this.#view(id)), key };
  }

  /** A key of another system, by its hash: at its first use it is checked once, and kept by a digest of ours from then on. */
  async import(input: ImportedKey, by?: Actor): Promise<KeyView> {
    const actor = await this.#actor(by);
    const scheme = input.scheme ?? schemeOf(input.hash);
    if (scheme === null) throw invalid("scheme", "has to be said: the hash does not show which it is");
    if (!this.#o.schemes.includes(scheme))
      throw invalid("scheme", `"${scheme.slice(0, 40)}" has no verifier; known are ${this.#o.schemes.join(", ")}`);
    if (input.hash.length > 300) throw invalid("hash", "has at most 300 characters");
    const prefix = input.prefix ?? null;
    if (prefix !== null && (prefix.length < 4 || prefix.length > 60)) throw invalid("prefix", "has 4 to 60 characters");
    const id = newId("key");
    // Nothing has this digest: the key is found by it once it was presented.
    const digest = this.#o.digest(`imported ${id} ${[...this.#services.crypto.random(16)].join(".")}`);
    await this.#insert(
      { ...this.#row(id, input, actor), digest, prefix, legacyHash: input.hash, legacyScheme: scheme },
      "key.imported",
      actor,
    );
    return this.#view(id);
  }

  /** By creation, the oldest first. */
  async list(query: KeysQuery = {}, by?: Actor): Promise<{ readonly keys: readonly KeyView[]; readonly next: string | null }> {
    const { caller } = await this.#actor(by);
    const { projectId, userId, cursor } = query;
    const where = { ...(projectId === undefined ? {} : { projectId }), ...(userId === undefined ? {} : { userId }) };
    const limit = Math.min(query.limit ?? 100, 1_000);
    const page = await this.#services.store.find(gatewayKey, { where, orderBy: "id", limit, cursor }, scopeOf(caller), this.#within());
    return { keys: page.rows.map(keyView), next: page.next };
  }

  async get(id: string, by?: Actor): Promise<KeyView> {
    const { caller } = await this.#actor(by);
    return keyView(await this.#stored(id, caller));
  }

  /** Changes what is named; the rest stays. `ifVersion`: only while nobody else changed it. Errors: `conflict`. */
  async update(id: string, change: KeyChange & { readonly ifVersion?: number | undefined }, by?: Actor): Promise<KeyView> {
    const actor = await this.#actor(by);
    const row = await this.#stored(id, actor.caller);
    const index = this.#index();
    assertMayChange(row, actor.caller, index);
    if (actor.caller.keyId === id && actor.caller.kind !== "owner")
      throw new GatewayError("forbidden", "A key does not change itself.", { hint: "Have it done by its maker." });
    const { ifVersion, ...given } = change;
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<GatewayKeyRow>;
    checkFields(set);
    assertMayMake({ ...row, ...set, userId: actor.caller.userId ?? null, teamId: actor.caller.teamId ?? null }, actor.caller, index);
    await this.#change(
      row,
      { set, ifVersion: ifVersion ?? row.version },
      { kind: "key.changed", actor, detail: { fields: Object.keys(set) } },
    );
    return this.#view(id);
  }

  /** A new key for the same row, shown only now; the one before stays valid for `overlapMs` (0 when left out, 30 days at the most). Errors: `conflict` when it was changed meanwhile. */
  async rotate(id: string, o: { readonly overlapMs?: number | undefined } = {}, by?: Actor): Promise<ShownKey> {
    const actor = await this.#actor(by);
    const overlapMs = o.overlapMs ?? 0;
    if (!Number.isSafeInteger(overlapMs) || overlapMs < 0 || overlapMs > MAX_OVERLAP_MS)
      throw invalid("overlap_ms", `is 0 to ${MAX_OVERLAP_MS}`);
    const row = await this.#stored(id, actor.caller);
    assertMayChange(row, actor.caller, this.#index());
    const environment = row.environment ?? "live";
    const key = makeKey(this.#services.crypto, { environment, rowId: id });
    const keeps = overlapMs > 0 && row.legacyHash === null && row.environment !== null;
    const set = {
      ...{ environment, digest: this.#o.digest(key), prefix: shownPrefix(key), legacyHash: null, legacyScheme: null },
      previousDigest: keeps ? row.digest : null,
      previousUntilMs: keeps ? this.#services.clock.now() + overlapMs : null,
    };
    await this.#change(row, { set, ifVersion: row.version }, { kind: "key.rotated", actor, detail: { overlapMs } });
    return { ...(await this.#view(id)), key };
  }

  /** Valid for nobody from now on, with every key that was made from it; calls under way are ended. Idempotent. Errors: `forbidden` for the owner's key. */
  async revoke(id: string, by?: Actor): Promise<KeyView> {
    const actor = await this.#actor(by);
    const row = await this.#stored(id, actor.caller);
    if (row.kind === "owner")
      throw new GatewayError("forbidden", "The owner's key is not revoked.", { hint: "Replace it: `sallyport keys rotate`." });
    if (row.revokedAtMs === null) {
      const set = { enabled: false, revokedAtMs: this.#services.clock.now(), previousDigest: null, previousUntilMs: null };
      await this.#change(row, { set }, { kind: "key.revoked", actor });
    }
    return this.#view(id);
  }

  /** The key that a text is, while it is valid here; null: none. Nothing is written. A key that was brought from elsewhere is known once it was presented. */
  async verify(presented: string): Promise<KeyView | null> {
    await this.#o.ready();
    const index = this.#index();
    const digest = this.#o.digest(presented);
    const row = index.find(presented, () => digest);
    const usable = row === undefined ? null : index.usable(row.id);
    if (row === undefined || usable === null || usable.untilMs <= this.#services.clock.now()) return null;
    const isPrevious = row.previousDigest === digest && (row.previousUntilMs ?? 0) > this.#services.clock.now();
    return row.digest === digest || isPrevious ? keyView(row) : null;
  }

  #row(id: string, input: Omit<NewKey, "environment">, { caller }: Actor): NewRow<GatewayKeyRow> {
    const scopes = [...(input.scopes ?? ownUseScopes(caller))];
    const row = {
      ...plainKey,
      id,
      kind: "key" as const,
      digest: "",
      name: input.name,
      projectId: input.projectId ?? caller.projects[0],
      scopes,
      expiresAtMs: input.expiresAtMs ?? null,
      rateLimit: input.rateLimit ?? null,
      userId: input.userId ?? caller.userId ?? null,
      teamId: input.teamId ?? caller.teamId ?? null,
      parentId: parentOf(caller, this.#index()),
      createdBy: caller.id.slice(0, 100),
      metadata: input.metadata === undefined || input.metadata === null ? null : { ...input.metadata },
    };
    checkFields(row);
    if (row.expiresAtMs !== null && row.expiresAtMs <= this.#services.clock.now()) throw invalid("expires_at", "has to be in the future");
    assertMayMake(row, caller, this.#index());
    return row;
  }

  async #insert(row: NewRow<GatewayKeyRow>, kind: AuthChange["kind"], actor: Actor): Promise<void> {
    const change = { kind, targetId: row.id, projectId: row.projectId, detail: { name: row.name, scopes: row.scopes } };
    await this.#commit([insert(gatewayKey, row), ...changeWrites(change, actor, this.#services.clock.now())], row.id);
  }

  async #change(
    row: GatewayKeyRow,
    o: { readonly set: Partial<GatewayKeyRow>; readonly ifVersion?: number },
    e: { readonly kind: AuthChange["kind"]; readonly actor: Actor; readonly detail?: AuthChange["detail"] },
  ): Promise<void> {
    const event = { kind: e.kind, targetId: row.id, projectId: row.projectId, detail: e.detail };
    const write = update(gatewayKey, row.id, { change: { set: o.set }, ...(o.ifVersion === undefined ? {} : { ifVersion: o.ifVersion }) });
    await this.#commit([write, ...changeWrites(event, e.actor, this.#services.clock.now())], row.id);
  }

  async #commit(writes: readonly Write[], id: string): Promise<void> {
    const [result] = await this.#services.store.commit([{ scope: { system: "gateway keys" }, writes }], this.#within());
    if (result?.ok !== true) {
      const version = result?.current?.["version"];
      throw new GatewayError("conflict", "The key was changed meanwhile.", {
        hint: "Read it again and repeat.",
        ...(typeof version === "number" ? { details: { version } } : {}),
      });
    }
    await this.#o.changed(id);
  }

  async #stored(id: string, caller: Caller): Promise<GatewayKeyRow> {
    const row = /^[A-Za-z0-9_-]{1,64}$/.test(id) ? await this.#services.store.get(gatewayKey, id, scopeOf(caller), this.#within()) : null;
    if (row === null)
      throw new GatewayError("not_found", "There is no such key.", { hint: "GET /api/v1/keys lists those of the caller's projects." });
    return row;
  }

  async #view(id: string): Promise<KeyView> {
    const row = await this.#services.store.get(gatewayKey, id, { system: "gateway keys" }, this.#within());
    if (row === null) throw new GatewayError("not_found", "There is no such key any more.");
    return keyView(row);
  }

  #index(): KeyIndex {
    return this.#o.directory.of(this.#o.snapshot());
  }

  async #actor(by: Actor | undefined): Promise<Actor> {
    await this.#o.ready();
    return by ?? { caller: this.#o.owner() };
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

/** The stored credential that bounds what the caller makes: its key, or the user who signed in. null: the owner, or a caller that only the host knows. */
function parentOf(caller: Caller, index: KeyIndex): string | null {
  if (caller.kind === "owner" || caller.kind === "system") return null;
  if (caller.keyId !== undefined) return caller.keyId;
  return caller.kind === "user" && index.people.user(caller.id) !== undefined ? caller.id : null;
}

/** The owner in this process sees every project. */
function scopeOf(caller: Caller): Scope {
  return caller.kind === "owner" ? { system: "the owner looks at keys" } : { projects: caller.projects };
}

function checkFields(row: Partial<GatewayKeyRow>): void {
  const { name, scopes, rateLimit, projectId } = row;
  if (name !== undefined && (name.length < 1 || name.length > 200)) throw invalid("name", "has 1 to 200 characters");
  if (projectId !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(projectId))
    throw invalid("project_id", "has 1 to 64 of A-Z, a-z, 0-9, _ and -");
  if (scopes !== undefined && (scopes.length > 200 || !scopes.every((scope) => scopeText.safeParse(scope).success)))
    throw invalid("scopes", "are at most 200, each such as models:openai/*, admin:read or *");
  if (rateLimit !== undefined && rateLimit !== null && !keyRateLimit.safeParse(rateLimit).success)
    throw invalid("rate_limit", "has requestsPerMinute, tokensPerMinute and concurrency, each a whole number of 1 or more");
}

function invalid(field: string, problem: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${problem}.`, { details: { field } });
}
