import type { Caller, Message } from "../calls/index.js";
import { message, run, session, type MessageEntry, type SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { CommitQueue } from "../ports/commit-queue.js";
import {
  append,
  now,
  nowPlus,
  update,
  type Change,
  type ReadQuery,
  type Scope,
  type Unit,
  type UnitResult,
  type Where,
  type Within,
  type Write,
} from "../ports/index.js";
import type { Services } from "../seams/index.js";
import { isSeenBy, noSuchSession, seenBy } from "./session-access.js";

/** A message as it stands in a session. */
export interface StoredMessage {
  readonly seq: number;
  /** By the store's clock, Unix ms. */
  readonly createdAtMs: number;
  readonly message: Message;
  readonly author: string;
  readonly model: string | null;
  readonly usage: Readonly<Record<string, unknown>> | null;
  readonly runId: string | null;
}
export interface MessageQuery {
  /** Messages after this sequence number; 0 when left out. */
  readonly after?: number | undefined;
  /** 1 to 1,000; 100 when left out. */
  readonly limit?: number | undefined;
  /** The newest ones, still oldest first. */
  readonly last?: boolean | undefined;
}
export interface SessionRecordsOptions {
  /** How long a session is kept after its last use, as it is configured now. */
  readonly ttlMs: () => number;
}
type Entry = Omit<MessageEntry, "projectId">;

export const STORE_TIMEOUT_MS = 10_000;
/** Uses closer together than this renew a session once. */
const RENEW_MS = 60_000;
const encoder = new TextEncoder();

/** The rows and messages of sessions: every write of a message is one unit with the session's row, guarded by it, so that both are there or neither is. */
export class SessionRecords {
  readonly services: Services;
  readonly #queue: CommitQueue;
  readonly #ttlMs: () => number;

  constructor(services: Services, o: SessionRecordsOptions) {
    const { store, clock } = services;
    this.services = services;
    this.#queue = new CommitQueue({ store, clock });
    this.#ttlMs = o.ttlMs;
  }

  get ttlMs(): number {
    return this.#ttlMs();
  }

  within(): Within {
    return { deadlineMs: this.services.clock.now() + STORE_TIMEOUT_MS };
  }

  commit(unit: Unit): Promise<UnitResult> {
    return this.#queue.commit(unit);
  }

  async get(id: string, caller: Caller): Promise<SessionRow | null> {
    const row = await this.services.store.get(session, id, scopeOf(caller), this.within());
    return row !== null && isSeenBy(row, caller, this.services.clock.now()) ? row : null;
  }

  /** Errors: `not_found`. */
  async mustGet(id: string, caller: Caller): Promise<SessionRow> {
    const row = await this.get(id, caller);
    if (row === null) throw noSuchSession(id);
    return row;
  }

  /** Whether it is still a session, for anybody. */
  async stands({ id, projectId }: Pick<SessionRow, "id" | "projectId">): Promise<boolean> {
    return (await this.services.store.get(session, id, { projects: [projectId] }, this.within()))?.status === "active";
  }

  /** Whether a run that is not at its end has the session's turn. */
  async isBusy({ turnId, projectId }: SessionRow): Promise<boolean> {
    if (turnId === null) return false;
    const holder = await this.services.store.get(run, turnId, { projects: [projectId] }, this.within());
    return holder !== null && (holder.status === "queued" || holder.status === "running" || holder.status === "waiting");
  }

  /** Puts its end off, when that was not done within the last minute. What it is read for does not fail for it: a failure is told as `internal.error`. */
  async renew(row: SessionRow): Promise<void> {
    const { clock, events } = this.services;
    if (clock.now() - row.lastAccessedAtMs < Math.min(RENEW_MS, this.ttlMs / 10)) return;
    const change = { set: { lastAccessedAtMs: now, expiresAtMs: nowPlus(this.ttlMs) } };
    const where: Where<SessionRow> = { status: "active", expiresAtMs: { gt: now } };
    try {
      await this.commit({ scope: { projects: [row.projectId] }, writes: [update(session, row.id, { change, where })] });
    } catch (error) {
      events.emit("internal.error", { where: `renewing session ${row.id}`, error });
    }
  }

  /**
   * Appends messages after all that stand. O(1): nothing of the session is read. Errors: `not_found`; `conflict` when `ifLast` is not the newest sequence number; `store_unavailable`, whose
   * `details.outcome` says whether they may have been stored.
   */
  async append(
    id: string,
    caller: Caller,
    o: {
      readonly entries: readonly Entry[];
      readonly projectId: string;
      readonly ifLast?: number | undefined;
      /** What the session then pins, and its version when that was made out. */
      readonly pinned?: { readonly seqs: readonly number[]; readonly ifVersion: number } | undefined;
    },
  ) {
    const { entries, projectId, ifLast, pinned } = o;
    const where: Where<SessionRow> = ifLast === undefined ? seenBy(caller) : { ...seenBy(caller), lastSeq: ifLast };
    const more = pinned === undefined ? {} : { pinned: [...pinned.seqs] };
    const writes = this.appending({ id, projectId, entries }, { where, more, ifVersion: pinned?.ifVersion });
    const result = await this.commit({ scope: scopeOf(caller), writes });
    if (result.ok) return { firstSeq: result.firstSeq ?? 0, lastSeq: (result.firstSeq ?? 0) + entries.length - 1 };
    const row = await this.mustGet(id, caller);
    throw new GatewayError("conflict", "The session has other messages than its writer knew of.", {
      hint: "Read what is new, and append to that.",
      details: { id, lastSeq: row.lastSeq },
    });
  }

  /** The writes of an append: the row's first, whose guard admits the messages. */
  appending(
    o: { readonly id: string; readonly projectId: string; readonly entries: readonly Entry[] },
    guard: {
      readonly where: Where<SessionRow>;
      readonly more?: NonNullable<Change<SessionRow>["set"]>;
      readonly ifVersion?: number | undefined;
    },
  ): Write[] {
    const { id, projectId, entries } = o;
    const { where, more = {}, ifVersion } = guard;
    const bytes = entries.reduce((sum, entry) => sum + encoder.encode(JSON.stringify(entry.message)).byteLength, 0);
    const set = { lastMessageAtMs: now, lastAccessedAtMs: now, expiresAtMs: nowPlus(this.ttlMs), ...more };
    const add = { messageCount: entries.length, bytes, lastSeq: entries.length };
    return [
      update(session, id, { change: { set, add }, where, ...(ifVersion === undefined ? {} : { ifVersion }) }),
      append(message, id, { entries: entries.map((entry) => ({ ...entry, projectId })) }),
    ];
  }

  /** Messages of a session, as the store's `read` gives them. */
  async read(id: string, q: ReadQuery, projectId: string): Promise<StoredMessage[]> {
    const found = await this.services.store.read(message, id, q, { projects: [projectId] }, this.within());
    return found.map(({ seq, atMs, entry }) => {
      const { message: said, author, model, usage, runId } = entry;
      return { seq, createdAtMs: atMs, message: said as unknown as Message, author, model, usage, runId };
    });
  }
}

export function entryOf(said: Message, o: Omit<Entry, "message">): Entry {
  return { ...o, message: { ...said } };
}
export function scopeOf(caller: Caller): Scope {
  return { projects: caller.projects };
}
