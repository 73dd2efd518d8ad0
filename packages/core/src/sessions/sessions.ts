import type { Caller } from "../calls/index.js";
import { auditEntry, session, type SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { insert, now, nowPlus, update, type Where, type Write } from "../ports/index.js";
import type { InputMessage } from "../seams/index.js";
import { newId } from "../util/ids.js";
import { branchSession, type BranchOptions } from "./branch-session.js";
import { exportSession, type ExportFormat } from "./export-session.js";
import { assertMayWrite, noSuchSession, seenBy } from "./session-access.js";
import { readAfter, readNewest } from "./read-pages.js";
import type { SessionEraser } from "./session-eraser.js";
import { changedFields, checkedMessages, freshSession, invalid, type NewSession, type SessionChange } from "./session-input.js";
import { entryOf, scopeOf, type MessageQuery, type SessionRecords, type StoredMessage } from "./session-records.js";
import { busy } from "./turns.js";

export interface SessionsOptions {
  readonly records: SessionRecords;
  readonly eraser: SessionEraser;
  readonly caller: Caller;
  /** Before anything is asked of the store. */
  readonly ready: () => Promise<void>;
}
export interface SessionQuery {
  readonly userId?: string | undefined;
  readonly agentId?: string | undefined;
  /** 1 to 1,000; 50 when left out. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}
export interface AppendOptions {
  /** The newest sequence number that the writer knows of: with another one the append is refused. Left out: after whatever stands. */
  readonly ifLast?: number | undefined;
}
export interface Appended {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** How often an append with a system message is tried while others append. */
const TRIES = 10;
const MAX_PINNED = 100;
const MAX_PAGE = 1_000;

/**
 * The sessions that one caller may see and write: `gateway.sessions`. Those of its projects; of a caller that is a user, or acts for one, its own alone, unless it may read users. A session is gone when it is deleted,
 * and when nobody used it for `sessions.ttlSeconds`; reading and writing it puts that off.
 */
export class Sessions {
  readonly #records: SessionRecords;
  readonly #o: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#records = options.records;
    this.#o = options;
  }

  /** Errors: `validation_failed`, `model_not_found`, `forbidden`. */
  async create(input: NewSession = {}): Promise<SessionRow> {
    await this.#toWrite();
    const { caller } = this.#o;
    const { services, ttlMs } = this.#records;
    const fresh = freshSession(input, caller, { seams: services.seams, ttlMs });
    const result = await this.#records.commit({ scope: scopeOf(caller), writes: [insert(session, fresh)] });
    if (!result.ok) throw new GatewayError("internal", `A new session was refused (${result.why}).`);
    this.#tell(fresh.id, "created");
    return this.#records.mustGet(fresh.id, caller);
  }

  /** null: there is none that this caller may see. */
  async get(id: string): Promise<SessionRow | null> {
    await this.#o.ready();
    const row = await this.#records.get(id, this.#o.caller);
    if (row !== null) await this.#records.renew(row);
    return row;
  }

  /** Newest first. Errors: `bad_request` for a cursor of another query, `validation_failed`. */
  async list(q: SessionQuery = {}): Promise<{ rows: SessionRow[]; next: string | null }> {
    await this.#o.ready();
    const { caller } = this.#o;
    const { userId, agentId } = q;
    const where: Where<SessionRow> = {
      ...(userId === undefined ? {} : { userId }),
      ...(agentId === undefined ? {} : { agentId }),
      any: [seenBy(caller)],
    };
    const query = { where, orderBy: "createdAtMs", desc: true, limit: limitOf(q.limit ?? 50), cursor: q.cursor } as const;
    return this.#records.services.store.find(session, query, scopeOf(caller), this.#records.within());
  }

  /** What the change leaves out stays. `ifFree`: only while no run has its turn. Errors: `not_found`; `conflict` when `ifVersion` is not its version, or it is not free; `validation_failed`, `model_not_found`. */
  async update(
    id: string,
    change: SessionChange,
    o: { readonly ifVersion?: number | undefined; readonly ifFree?: boolean | undefined } = {},
  ): Promise<SessionRow> {
    await this.#toWrite();
    const { caller } = this.#o;
    const row = await this.#records.mustGet(id, caller);
    if (o.ifFree === true && (await this.#records.isBusy(row))) throw busy(row);
    const fields = changedFields(change, caller, { seams: this.#records.services.seams, row });
    const set = { ...fields, lastAccessedAtMs: now, expiresAtMs: nowPlus(this.#records.ttlMs) };
    const guard = o.ifVersion === undefined ? {} : { ifVersion: o.ifVersion };
    const where: Where<SessionRow> = o.ifFree === true ? { ...seenBy(caller), turnId: row.turnId } : seenBy(caller);
    const write = update(session, id, { change: { set }, where, ...guard });
    const result = await this.#records.commit({ scope: scopeOf(caller), writes: [write] });
    if (!result.ok && result.why === "version") throw otherVersion(id, result.current);
    if (!result.ok) throw busyOrGone(id, o.ifFree === true ? await this.#records.get(id, caller) : null);
    this.#tell(id, "updated");
    return this.#records.mustGet(id, caller);
  }

  /**
   * Appends messages, all of them or none, after all that stand; a text is one user message. System messages are pinned: every window keeps them. Of many writers at once each append lies whole in the session, in
   * the order of the sequence numbers, and each writer's own in the order in which it made them. Errors: `not_found`; `conflict` with `ifLast`; `validation_failed`; `store_unavailable`, whose
   * `details.outcome` says whether they may be there.
   */
  async append(id: string, messages: string | readonly InputMessage[], o: AppendOptions = {}): Promise<Appended> {
    await this.#toWrite();
    const { caller } = this.#o;
    const entries = checkedMessages(messages).map((message) =>
      entryOf(message, { author: caller.id.slice(0, 100), model: null, usage: null, runId: null }),
    );
    const rules = entries.flatMap(({ message }, i) => (message["role"] === "system" || message["role"] === "developer" ? [i] : []));
    for (let tries = 0; ; tries++) {
      const row = await this.#records.mustGet(id, caller);
      const ifLast = o.ifLast ?? (rules.length === 0 ? undefined : row.lastSeq);
      const seqs = [...row.pinned, ...rules.map((i) => row.lastSeq + 1 + i)];
      // Also a change of what is pinned, which moves the version, is not lost.
      const pinned = rules.length === 0 ? undefined : { seqs, ifVersion: row.version };
      if (pinned !== undefined && seqs.length > MAX_PINNED)
        throw invalid("messages", `a session keeps at most ${MAX_PINNED} pinned and system messages.`);
      try {
        const appended = await this.#records.append(id, caller, { entries, projectId: row.projectId, ifLast, pinned });
        this.#tell(id, "appended");
        return appended;
      } catch (error) {
        if (!GatewayError.is(error, "conflict") || tries >= TRIES) throw error;
        if (o.ifLast !== undefined && error.details?.["lastSeq"] !== o.ifLast) throw error;
      }
    }
  }

  /** Messages after a sequence number, or the newest, oldest first, fewer than `limit` where they are large; `next` is the `after` of the next page, null at the end. Errors: `not_found`, `validation_failed`. */
  async messages(id: string, q: MessageQuery = {}): Promise<{ messages: StoredMessage[]; next: number | null }> {
    await this.#o.ready();
    const row = await this.#records.mustGet(id, this.#o.caller);
    await this.#records.renew(row);
    const limit = limitOf(q.limit ?? 100);
    const after = q.after ?? 0;
    if (!Number.isSafeInteger(after) || after < 0) throw invalid("after", "a sequence number is expected.");
    const messages =
      q.last === true ? await readNewest(this.#records, row, { limit }) : await readAfter(this.#records, row, { after, limit });
    const last = messages.at(-1)?.seq ?? after;
    return { messages, next: last < row.lastSeq && messages.length > 0 ? last : null };
  }

  /** A new session that begins with the messages of this one, up to `atSeq`. Errors: `not_found`, `validation_failed`. */
  async branch(id: string, o: BranchOptions = {}): Promise<SessionRow> {
    await this.#toWrite();
    const { records, eraser, caller } = this.#o;
    const row = await records.mustGet(id, caller);
    const made = await branchSession(row, { ...o, records, eraser, caller });
    this.#tell(made, "created");
    return records.mustGet(made, caller);
  }

  /** The whole session as JSON or Markdown, in pieces of text: never all of it in memory. Errors: `not_found`, before the first piece. */
  async export(id: string, o: { readonly format?: ExportFormat | undefined } = {}): Promise<AsyncGenerator<string, void, undefined>> {
    await this.#o.ready();
    const row = await this.#records.mustGet(id, this.#o.caller);
    await this.#records.renew(row);
    return exportSession(row, this.#records, o.format ?? "json");
  }

  /** Takes it away with all its messages; a run that has its turn goes on, and leaves nothing. Errors: `not_found`; `conflict` when `ifVersion` is not its version. */
  async delete(id: string, o: { readonly ifVersion?: number | undefined; readonly requestId?: string | undefined } = {}): Promise<void> {
    await this.#toWrite();
    const { eraser, caller } = this.#o;
    const row = await this.#records.mustGet(id, caller);
    if (o.ifVersion !== undefined && o.ifVersion !== row.version) throw otherVersion(id, row);
    const along = [auditOf(row, { caller, requestId: o.requestId, nowMs: this.#records.services.clock.now() })];
    if (await eraser.erase(row, { where: seenBy(caller), ifVersion: o.ifVersion, along })) return;
    const standing = await this.#records.get(id, caller);
    throw standing === null ? noSuchSession(id) : otherVersion(id, standing);
  }

  async #toWrite(): Promise<void> {
    assertMayWrite(this.#o.caller);
    await this.#o.ready();
  }

  #tell(sessionId: string, what: "created" | "updated" | "appended"): void {
    this.#records.services.events.emit("session.changed", { sessionId, what });
  }
}

function limitOf(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw invalid("limit", `a whole number from 1 to ${MAX_PAGE} is expected.`);
}

function busyOrGone(id: string, standing: SessionRow | null): GatewayError {
  return standing === null ? noSuchSession(id) : busy(standing);
}

function otherVersion(id: string, row: Readonly<Record<string, unknown>> | SessionRow | null): GatewayError {
  return new GatewayError("conflict", "The session was changed since it was read.", {
    hint: "Read it again, and change that.",
    details: { id, version: (row?.["version" as keyof typeof row] as number | undefined) ?? null },
  });
}

/** The deletion's row in the audit, for the unit that begins it. */
function auditOf(row: SessionRow, o: { readonly caller: Caller; readonly requestId: string | undefined; readonly nowMs: number }): Write {
  const { caller, requestId, nowMs } = o;
  return insert(auditEntry, {
    ...{ id: newId("audit"), atMs: nowMs, projectId: row.projectId, callerId: caller.id.slice(0, 100), actorKind: caller.kind },
    ...{ keyId: caller.keyId ?? null, userId: caller.userId ?? null, teamId: caller.teamId ?? null },
    ...{
      action: "session.delete",
      target: row.id,
      resourceType: "session",
      source: requestId === undefined ? ("code" as const) : ("http" as const),
    },
    ...{
      requestId: (requestId ?? newId("req")).slice(0, 64),
      purpose: null,
      outcome: "done" as const,
      code: null,
      status: 200,
      durationMs: 0,
    },
    ...{ parameters: null, changed: null },
  });
}
