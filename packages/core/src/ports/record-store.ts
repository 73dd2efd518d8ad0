import type { AnyEntity, AnyLogEntity, Entity, Key, LogEntity } from "../entities/index.js";

/** Required on every call that can wait. `deadlineMs` is an instant, Unix ms. */
export interface Within {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The rows a call may see and change. No default: forgetting it does not compile. `system` says why, for reconcilers and start-up. */
export type Scope = { readonly projects: readonly string[] } | { readonly system: string };

/** The store's clock plus an offset, resolved inside the statement. Leases and due times use this, never a node's clock. */
export interface StoreNow {
  readonly storeNowPlusMs: number;
}
export type Test<V> =
  | V
  | StoreNow
  | { readonly in: readonly V[] }
  | { readonly lt: V | StoreNow }
  | { readonly lte: V | StoreNow }
  | { readonly gt: V | StoreNow }
  | { readonly gte: V | StoreNow };
/**
 * Conditions that all hold; `any`: at least one of the alternatives holds. Only indexed fields in queries (`find`, `sum`, `take`); any field in the guard of
 * an `update` or `remove`. null means IS NULL. Json fields cannot be tested.
 */
export type Where<R> = { readonly [K in keyof R]?: Test<NonNullable<R[K]>> | null } & { readonly any?: readonly Where<R>[] };
/**
 * `set` replaces (a json value whole), `add` adds to an int without reading it first; null plus something stays null. A field is in one of the two. A change that would
 * carry a number out of the safe integers is refused as "guard".
 */
export interface Change<R> {
  readonly set?: { readonly [K in keyof R]?: R[K] | StoreNow };
  readonly add?: { readonly [K in keyof R]?: number };
}

/** When a row was made and last changed in the store that it comes from, Unix ms. */
export interface KeptInstants {
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/**
 * Data, never a callback; built by `insert()`, `update()`, `remove()`, `append()`, `erase()`. `erase` takes away the entries of a stream up to `upToSeq`, after which its seqs go on; without it all of them, and the
 * stream is as if it had never been. What moves here from another store keeps its instants (`kept`, `atMs`: one an entry, in their order); all else has those of this store. No query and no guard relies on their order,
 * but `prune` heeds them.
 */
export type Write =
  | {
      readonly op: "insert";
      readonly entity: AnyEntity;
      readonly row: Readonly<Record<string, unknown>>;
      readonly ifTaken: "refuse" | "skip";
      readonly kept?: KeptInstants | undefined;
    }
  | {
      readonly op: "update";
      readonly entity: AnyEntity;
      readonly id: Key;
      readonly change: Change<Record<string, unknown>>;
      readonly where?: Where<Record<string, unknown>> | undefined;
      readonly ifVersion?: number | undefined;
    }
  | {
      readonly op: "remove";
      readonly entity: AnyEntity;
      readonly id: Key;
      readonly where?: Where<Record<string, unknown>> | undefined;
      readonly ifVersion?: number | undefined;
    }
  | {
      readonly op: "append";
      readonly log: AnyLogEntity;
      readonly stream: Key;
      readonly entries: readonly Readonly<Record<string, unknown>>[];
      readonly ifLast?: number | undefined;
      readonly atMs?: readonly number[] | undefined;
    }
  | { readonly op: "erase"; readonly log: AnyLogEntity; readonly stream: Key; readonly upToSeq?: number | undefined };

/**
 * Writes that happen together or not at all. A row outside the scope is "missing": one to be inserted or appended, one that a change would move out of it, and a stream, appended to or
 * erased, whose newest entry lies outside.
 * Fields declared with `ref` always lead to a row, within the scope or not: an insert or an update that would make one lead nowhere is refused as "missing", the removal of a row that others
 * refer to as "guard". There is no cascade below this port: the writer removes or clears what refers first, in the same unit, so that those changes are noted too.
 */
export interface Unit {
  readonly scope: Scope;
  readonly writes: readonly Write[];
}
/**
 * `versions` has one entry a write: the row's version after it (1 for an insert, 0 for a skip, a remove, a ledger row, an append or an erasure). `firstSeq` is of the first append that had
 * entries. `skipped` are the indexes of inserts whose unique row stood already.
 * `failed` is the index of the write that was refused, `current` the row as it stands, when there is one within the scope: for `taken` the row that holds the unique value. `missing` has none.
 * A new row that is taken as well as refers to none is refused, or skipped, for either.
 */
export type UnitResult =
  | { readonly ok: true; readonly versions: readonly number[]; readonly firstSeq?: number; readonly skipped: readonly number[] }
  | {
      readonly ok: false;
      readonly failed: number;
      readonly why: "missing" | "guard" | "version" | "taken" | "last";
      readonly current: Readonly<Record<string, unknown>> | null;
    };

export interface FindQuery<R> {
  readonly where?: Where<R>;
  /** Ties are broken by id, in the same direction. null comes first in ascending order; text is ordered by code point. */
  readonly orderBy: keyof R & string;
  readonly desc?: boolean;
  /** 1 to 1,000. */
  readonly limit: number;
  /** From `next` of the page before; opaque. */
  readonly cursor?: string | undefined;
}
export interface ReadQuery {
  /** 0: from the first. */
  readonly afterSeq: number;
  /** Entries after this one are not looked at. */
  readonly upToSeq?: number | undefined;
  readonly limit: number;
  /** The newest `limit` of them, still in order. */
  readonly last?: true;
  /** Fewer than `limit` where the texts of them are longer together, in bytes and about; but always one, when there is one. What is too much is never read into memory. */
  readonly maxBytes?: number | undefined;
}
export interface SumQuery<R> {
  readonly where?: Where<R>;
  readonly by: readonly (keyof R & string)[];
  readonly sum: readonly (keyof R & string)[];
  /** Groups by `atMs` (ledgers) rounded down to a multiple of this, as `bucketAtMs` in `by`. */
  readonly bucketMs?: number;
}
export interface SumRow {
  readonly by: Readonly<Record<string, unknown>>;
  readonly count: number;
  /** null: every value was null. */
  readonly sums: Readonly<Record<string, bigint | null>>;
}
export interface TakeQuery<R> {
  readonly where: Where<R>;
  /** Ascending, a leading "-" is descending; ties by id in the direction of the last. null comes first in ascending order. */
  readonly orderBy: readonly ((keyof R & string) | `-${keyof R & string}`)[];
  readonly limit: number;
  readonly change: Change<R>;
}

/** What `changes` gives. */
export interface ChangesPage {
  readonly items: { entity: string; id: Key; version: number }[];
  readonly next: string;
  readonly isOlder?: true;
}

/**
 * The one durable port. Every method may be called by any number of callers at once.
 * Errors of every method: `store_unavailable` (with `details.outcome` for `commit` and `take`: "none", safe to repeat, or "unknown", the connection died around COMMIT: re-read by
 * your own unique key, never repeat blindly), `deadline_exceeded`, `cancelled`, `state_corrupt` when a stored value does not read back. A value that its column cannot hold is
 * `validation_failed` (text too long or not well formed, json that cannot be written) or `internal` (all else), thrown before anything is applied; `details.unit` says which unit.
 */
export interface RecordStore {
  get<R>(entity: Entity<R>, id: Key, scope: Scope, w: Within): Promise<R | null>;
  /**
   * One page by keyset cursor. Stable under concurrent inserts: no row twice, none skipped that existed throughout.
   * Errors: `bad_request` for a cursor that is not of this query.
   */
  find<R>(entity: Entity<R>, q: FindQuery<R>, scope: Scope, w: Within): Promise<{ rows: R[]; next: string | null }>;
  /** Groups in the order of their keys. */
  sum<R>(entity: Entity<R>, q: SumQuery<R>, scope: Scope, w: Within): Promise<SumRow[]>;
  /** Entries of a stream in order. */
  read<E>(log: LogEntity<E>, stream: Key, q: ReadQuery, scope: Scope, w: Within): Promise<{ seq: number; atMs: number; entry: E }[]>;
  /**
   * Applies each unit wholly or not at all. Units are independent: they may share one transaction and one round trip (group commit, savepoints); a refused unit never
   * affects its neighbours. An update or remove applies only while `where` and `ifVersion` hold at commit: of N racers on one version exactly one sees ok. An append's
   * seqs are gapless, start at 1 and are in commit order; `ifLast` refuses ("last") unless it names the newest seq (0: none). `add` never reads first. Writes to entities declared `watched`
   * also enter the change log, in the same transaction, unless they are only a touch. Writes of one unit apply in order, later ones see earlier ones.
   * Deadlocks and lock waits are retried inside, whole unit, within the deadline. Not a read: no unit sees another.
   */
  commit(units: readonly Unit[], w: Within): Promise<UnitResult[]>;
  /**
   * Atomically picks up to `limit` rows in order, applies `change`, returns them as changed, in that order. No row goes to two callers while its `where` no longer matches after the
   * change; locked rows are skipped, not waited for. The fence is a field that you `add` 1 to (attempt): every later write for that row carries
   * `where: { attempt, leaseUntilMs: { gt: now } }`. Sees all projects: work is taken for everybody.
   */
  take<R>(entity: Entity<R>, t: TakeQuery<R>, w: Within): Promise<R[]>;
  /**
   * Deletes at most `limit` rows of a ledger or log older than the instant (retention), the oldest first; returns how many. Never used on records. The seqs of a stream go on after its
   * newest entry was pruned.
   */
  prune(entity: AnyEntity | AnyLogEntity, olderThanMs: number, limit: number, w: Within): Promise<number>;
  /**
   * Watched changes after a cursor (null: from now on): at least once, perhaps repeated or out of order (commit order is not id order): apply by version. A removed row has version 0.
   * `isOlder`: the cursor is beyond everything that there is. The store lacks writes that it had: a replica that lagged was promoted, or a copy was restored. What was read before may be wrong, versions
   * included; `next` goes on from what there is. Seen as long as nothing was written that makes up for what is missing.
   * Errors: `bad_request` for a cursor that it did not give.
   */
  changes(after: string | null, limit: number, w: Within): Promise<ChangesPage>;
  /** The store's clock, Unix ms. */
  now(w: Within): Promise<number>;
  /** Waits for what is under way, then refuses further calls with `store_unavailable`. Idempotent. */
  close(): Promise<void>;
}
