import type { Entity, GatewayKeyRow, Kept, RouteRules, RouteRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { Bus, Clock, RecordStore, Within } from "../ports/index.js";
import type { Log } from "../util/log.js";
import type { Config } from "./schema.js";
import { mergeRoutes } from "./merge-routes.js";
import { noRecords, readRows, recordsOf, sameRows, type Records } from "./records.js";
import type { Snapshot } from "./snapshot.js";

/** What of the services it needs; Services is one. */
export interface SnapshotServices {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly log: Log;
}
export interface SnapshotOptions {
  readonly config: Config;
  /** Every enabled key by its id, as the store has them now. */
  readonly readKeys: (within: Within) => Promise<ReadonlyMap<string, GatewayKeyRow>>;
  /** Every stored route, as the store has them now; left out: there are none. */
  readonly readRoutes?: ((within: Within) => Promise<readonly RouteRow[]>) | undefined;
  /** What else calls are decided by: watched entities, whose rows `snapshot.records` has. */
  readonly follows?: readonly Entity<Kept>[] | undefined;
  /** The configuration with the settings among the records, the same object while none of them changed; left out: nothing of it is stored. Does not throw. */
  readonly configOf?: ((records: Records) => Config) | undefined;
  /** How often the store is asked for changes. 1 s when left out. */
  readonly pollMs?: number | undefined;
}
export type SwapListener = (now: Snapshot, before: Snapshot) => void;

/** Where a node that changed a watched entity says so; the ids are of the rows. A hint: whoever misses it sees the change with the next poll. */
export const CHANGES_TOPIC = "changes";

const POLL_MS = 1_000;
/** All is read again this often, whatever the change log says: it may have missed a commit that was late. */
const FULL_READ_EVERY_MS = 30_000;
const READ_WITHIN_MS = 5_000;
const CHANGES_LIMIT = 500;
/** What one read of the store found. */
interface Found {
  readonly keys: ReadonlyMap<string, GatewayKeyRow>;
  readonly rows: readonly RouteRow[];
  /** By entity. */
  readonly records: ReadonlyMap<string, readonly Kept[]>;
}

/**
 * The newest Snapshot of this node. It follows the store's `changes` by polling, sooner when the bus hints at one. A store that fails leaves the last good
 * snapshot in place, whose `readAtMs` then grows old; that is for `access` to judge.
 * Concurrency: any number of callers; at most one read of the store at a time.
 */
export class SnapshotHolder {
  readonly #services: SnapshotServices;
  readonly #o: SnapshotOptions;
  readonly #listeners = new Set<SwapListener>();
  #current: Snapshot;
  /** The stored routes of `current`. */
  #rows: readonly RouteRow[] = [];
  /** The rows behind `current.records`, by entity. */
  #records: ReadonlyMap<string, readonly Kept[]> = new Map();
  /** The names of the entities that a snapshot is built from. */
  readonly #followed: ReadonlySet<string>;
  #cursor: string | null = null;
  #fullReadAtMs = 0;
  /** A change was seen that no read has taken in yet: survives a read that fails. */
  #behind = true;
  /** The versions that are known may be those of other rows: what is read next counts as new. */
  #isDoubted = false;
  #reading: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #failing = false;
  #started = false;
  #closed = false;
  #cancelTimer: () => void = () => undefined;
  #unsubscribe: (() => Promise<void>) | null = null;

  constructor(services: SnapshotServices, options: SnapshotOptions) {
    this.#services = services;
    this.#o = options;
    const { config } = options;
    this.#followed = new Set(["gatewayKey", "route", ...(options.follows ?? []).map(({ name }) => name)]);
    const none = { keys: new Map<string, GatewayKeyRow>(), routes: mergeRoutes(config, []), records: noRecords };
    this.#current = Object.freeze({ version: 0, config, ...none, readAtMs: 0 });
  }

  /** Synchronous and free: what a call keeps while it lasts. Before `start` it has no keys and no stored routes and is older than anything allows. */
  current(): Snapshot {
    return this.#current;
  }

  /** Reads everything and begins to follow. Errors: those of the store; it may then be started again. */
  async start(): Promise<void> {
    if (this.#started) return;
    // Listened to first, so that no hint falls between the first read and the subscription.
    await this.#listen();
    await this.refresh();
    this.#started = true;
    this.#schedule();
  }

  /** Resolves when a read that began after this call is in `current()`. Errors: those of the store. */
  refresh(): Promise<void> {
    if (this.#closed) return Promise.reject(new GatewayError("shutting_down", "The gateway is closing."));
    if (this.#reading === null) return (this.#reading = this.#read(true).finally(() => (this.#reading = null)));
    // What is being read now may be from before the caller's own write: one more read serves everybody who asks meanwhile.
    return (this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.refresh();
      }));
  }

  /** Called after keys, routes, records or configuration changed, not when they were only read again. A listener must not throw. Returns the end of listening. */
  onSwap(listener: SwapListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Follows no longer, and waits for a read under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    const unsubscribe = this.#unsubscribe;
    this.#unsubscribe = null;
    await unsubscribe?.();
    await this.#reading?.catch(() => undefined);
  }

  async #listen(): Promise<void> {
    if (this.#unsubscribe !== null) return;
    try {
      this.#unsubscribe = await this.#services.bus.subscribe(CHANGES_TOPIC, this.#hurry, this.#hurry);
    } catch (error) {
      this.#services.log.warn("no hints from the bus: changes are seen with the next poll", { code: GatewayError.from(error).code });
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#services.clock.at(this.#services.clock.now() + (this.#o.pollMs ?? POLL_MS), () => void this.#poll());
  }

  async #poll(): Promise<void> {
    if (this.#reading === null && !this.#closed) {
      this.#reading = this.#read(false).finally(() => (this.#reading = null));
      await this.#reading.catch(() => undefined);
    }
    this.#schedule();
  }

  readonly #hurry = (): void => {
    if (this.#started && !this.#closed) this.refresh().catch(() => undefined); // logged where it failed; the poll goes on
  };

  async #read(all: boolean): Promise<void> {
    const { clock, log } = this.#services;
    const startedAtMs = clock.now();
    const within = { deadlineMs: startedAtMs + READ_WITHIN_MS };
    try {
      if (startedAtMs - this.#fullReadAtMs >= FULL_READ_EVERY_MS) this.#behind = true;
      await this.#follow(within);
      const found = all || this.#behind ? await this.#readAll(within) : null;
      if (found !== null) {
        this.#fullReadAtMs = startedAtMs;
        this.#behind = false;
      }
      this.#swap(found, startedAtMs);
      if (this.#failing) log.info("the store answers again: keys are current");
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn("keys could not be read from the store", { code: GatewayError.from(error).code });
      this.#failing = true;
      throw error;
    }
  }

  /** Moves the cursor to the end of the change log, and notes whether something that the snapshot holds is in between. */
  async #follow(within: Within): Promise<void> {
    for (;;) {
      const { items, next, isOlder } = await this.#services.store.changes(this.#cursor, CHANGES_LIMIT, within);
      this.#cursor = next;
      if (isOlder === true) this.#noteOlder();
      if (items.some((item) => this.#followed.has(item.entity))) this.#behind = true;
      if (items.length < CHANGES_LIMIT) return;
    }
  }

  /** A replica that lagged was promoted, or a copy was restored: nothing that is known is believed any more. */
  #noteOlder(): void {
    this.#behind = this.#isDoubted = true;
    this.#services.log.error("the store lacks writes that it had: a replica that lagged was promoted, or a copy was restored", {
      hint: "What is missing is not in it any more; everything is read again, and work is begun again where the store says that it stands.",
    });
  }

  async #readAll(within: Within): Promise<Found> {
    const keys = await this.#o.readKeys(within);
    const rows = (await this.#o.readRoutes?.(within)) ?? [];
    const records = new Map<string, readonly Kept[]>();
    for (const entity of this.#o.follows ?? []) records.set(entity.name, await readRows(this.#services.store, entity, within));
    return { keys, rows, records };
  }

  #swap(found: Found | null, readAtMs: number): void {
    const before = this.#current;
    const isDoubted = found !== null && this.#isDoubted;
    if (isDoubted) {
      this.#records = new Map();
      this.#isDoubted = false;
    }
    const keys = found === null || (!isDoubted && sameKeys(found.keys, before.keys)) ? before.keys : found.keys;
    const routes = found === null || (!isDoubted && sameRows(found.rows, this.#rows)) ? before.routes : this.#merge(found.rows);
    const records = found === null ? before.records : this.#recordsOf(found.records);
    if (keys === before.keys && routes === before.routes && records === before.records) {
      this.#current = Object.freeze({ ...before, readAtMs, version: Math.max(1, before.version) });
      return;
    }
    const config = records === before.records ? before.config : (this.#o.configOf?.(records) ?? before.config);
    this.#current = Object.freeze({ ...before, config, keys, routes, records, readAtMs, version: before.version + 1 });
    for (const listener of this.#listeners) listener(this.#current, before);
  }

  /** An entity none of whose rows changed keeps its array; when none did, the records stay as they are. */
  #recordsOf(found: ReadonlyMap<string, readonly Kept[]>): Records {
    const kept = this.#records;
    const rows = new Map<string, readonly Kept[]>();
    let isChanged = found.size !== kept.size;
    for (const [name, now] of found) {
      const before = kept.get(name);
      const same = before !== undefined && sameRows(now, before);
      rows.set(name, same ? before : now);
      isChanged ||= !same;
    }
    if (!isChanged) return this.#current.records;
    this.#records = rows;
    return recordsOf(rows);
  }

  #merge(rows: readonly RouteRow[]): ReadonlyMap<string, RouteRules> {
    this.#rows = rows;
    return mergeRoutes(this.#o.config, rows, (name) =>
      this.#services.log.error("a stored route is not valid and does not count", { route: name }),
    );
  }
}

function sameKeys(a: ReadonlyMap<string, GatewayKeyRow>, b: ReadonlyMap<string, GatewayKeyRow>): boolean {
  if (a.size !== b.size) return false;
  for (const [id, row] of a) if (b.get(id)?.version !== row.version) return false;
  return true;
}
