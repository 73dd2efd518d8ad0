import type { Caller } from "../../calls/index.js";
import type { GatewayKeyRow } from "../../entities/index.js";
import { areScopes, selectProjects } from "../grants/scope-cover.js";
import { PeopleIndex, type RecordsOfPeople } from "../people/people-index.js";
import { KEY_ID_PREFIX, parseKey } from "./key-format.js";

/** A key that may be used, and by when it no longer may. */
export interface UsableKey {
  readonly row: GatewayKeyRow;
  readonly caller: Caller;
  /** The earliest expiry of it and of those that it was made from, Unix ms; Infinity: none. */
  readonly untilMs: number;
}
/** One credential that may fit a key. */
export interface Candidate {
  readonly row: GatewayKeyRow;
  /** Whether the credential is one of those that are found by their digest alone. */
  readonly opaque: boolean;
}

const MAX_CHAIN = 16;

/** The keys of one snapshot, found by their id, with the Caller of each made once. */
export class KeyIndex {
  readonly people: PeopleIndex;
  readonly #keys: ReadonlyMap<string, GatewayKeyRow>;
  /** Of keys whose text does not name their row: the owner's, and those brought from elsewhere. */
  readonly #byDigest = new Map<string, GatewayKeyRow>();
  /** Imported ones that nobody has presented yet. */
  readonly legacy: readonly GatewayKeyRow[];
  readonly #usable = new Map<string, UsableKey | null>();

  constructor(keys: ReadonlyMap<string, GatewayKeyRow>, records: RecordsOfPeople) {
    this.#keys = keys;
    const legacy: GatewayKeyRow[] = [];
    const projects = new Set<string>();
    for (const row of keys.values()) {
      projects.add(row.projectId);
      if (row.legacyHash !== null) legacy.push(row);
      else if (row.environment === null) this.#byDigest.set(row.digest, row);
    }
    this.legacy = legacy;
    this.people = new PeopleIndex(records, projects);
  }

  /** The row that a credential names by its form, or undefined. `digest` is asked only of one that names none. Errors: none; a broken checksum is undefined without a look-up. */
  find(credential: string, digest: () => string): GatewayKeyRow | undefined {
    const parts = parseKey(credential);
    if (parts === "broken") return undefined;
    if (parts === null) return this.#byDigest.get(digest());
    const row = this.#keys.get(KEY_ID_PREFIX + parts.id);
    return row?.environment === parts.environment ? row : undefined;
  }

  row(id: string): GatewayKeyRow | undefined {
    return this.#keys.get(id);
  }

  /** What the key may, and until when; null: it is disabled or revoked, or one of those that it was made from is gone. */
  usable(id: string): UsableKey | null {
    let usable = this.#usable.get(id);
    if (usable === undefined) this.#usable.set(id, (usable = this.#workOut(id, 0)));
    return usable;
  }

  /** The key and those that it was made from, itself first: each of their limits holds for its calls. */
  chain(id: string): readonly GatewayKeyRow[] {
    const rows: GatewayKeyRow[] = [];
    for (let row = this.#keys.get(id); row !== undefined && rows.length < MAX_CHAIN; row = parentOf(row, this.#keys)) rows.push(row);
    return rows;
  }

  #workOut(id: string, depth: number): UsableKey | null {
    const row = this.#keys.get(id);
    if (row === undefined || !row.enabled || row.revokedAtMs !== null || depth > MAX_CHAIN || !areScopes(row.scopes)) return null;
    const parent = row.parentId === null ? null : this.#parent(row, depth);
    if (parent === undefined) return null;
    const projects = this.#projectsOf(row, parent);
    const [first, ...others] = projects;
    if (first === undefined) return null;
    const untilMs = Math.min(row.expiresAtMs ?? Infinity, parent?.untilMs ?? Infinity);
    const madeFrom = parent?.keys ?? [];
    return { row, untilMs, caller: callerOfKey(row, { projects: [first, ...others], bounds: parent?.bounds ?? [], madeFrom }) };
  }

  /** What its maker may now; undefined: the maker is gone, and the key with it. */
  #parent(row: GatewayKeyRow, depth: number): Bound | undefined {
    const parentId = row.parentId!;
    if (parentId.startsWith(KEY_ID_PREFIX)) {
      const parent = this.#workOut(parentId, depth + 1);
      if (parent === null) return undefined;
      const { grants, bounds = [], projects, madeFrom = [] } = parent.caller;
      return { bounds: [grants, ...bounds], projects, untilMs: parent.untilMs, keys: [parentId, ...madeFrom] };
    }
    const rights = this.people.rightsOf(parentId, row.projectId);
    return rights === null ? undefined : { bounds: [rights.grants], projects: rights.projects, untilMs: Infinity, keys: [] };
  }

  /** Its own project first, or those that its scopes select; never one that its maker does not see. */
  #projectsOf(row: GatewayKeyRow, parent: Bound | null): readonly string[] {
    const selected = row.kind === "owner" ? this.people.projects : selectProjects(row.scopes, this.people.projects);
    const wanted = selected === "none" ? [row.projectId] : selected;
    const seen = parent === null ? wanted : wanted.filter((id) => parent.projects.includes(id));
    return seen.includes(row.projectId) ? [row.projectId, ...seen.filter((id) => id !== row.projectId)] : seen;
  }
}

interface Bound {
  readonly keys: readonly string[];
  readonly bounds: readonly (readonly string[])[];
  readonly projects: readonly string[];
  readonly untilMs: number;
}

function parentOf(row: GatewayKeyRow, keys: ReadonlyMap<string, GatewayKeyRow>): GatewayKeyRow | undefined {
  return row.parentId === null ? undefined : keys.get(row.parentId);
}

function callerOfKey(
  row: GatewayKeyRow,
  o: { readonly projects: [string, ...string[]]; readonly bounds: Bound["bounds"]; readonly madeFrom: readonly string[] },
): Caller {
  return Object.freeze({
    kind: row.kind,
    id: row.id,
    name: row.name,
    projects: Object.freeze(o.projects),
    grants: Object.freeze([...row.scopes]),
    ...(o.bounds.length === 0 ? {} : { bounds: Object.freeze(o.bounds) }),
    keyId: row.id,
    ...(o.madeFrom.length === 0 ? {} : { madeFrom: Object.freeze(o.madeFrom) }),
    ...(row.userId === null ? {} : { userId: row.userId }),
    ...(row.teamId === null ? {} : { teamId: row.teamId }),
  });
}
