import type { Caller, RunEvent, RunStatus, Usage } from "../calls/index.js";
import { run, runEvent, type RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { CommitQueue } from "../ports/commit-queue.js";
import { append, insert, now, nowPlus, update, type Scope, type UnitResult, type Where, type Write } from "../ports/index.js";
import type { OpenedTurn, Services } from "../seams/index.js";
import { callerOf, isSeenBy, optionsOf, type CheckedRequest, type newRun } from "./run-request.js";

export interface RunQuery {
  readonly status?: RunStatus | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const STORE_TIMEOUT_MS = 10_000;
const SYSTEM = { system: "a process looks for runs that it should stop" } as const;
const GONE = { system: "runs of a process that is gone" } as const;

/** The rows of runs: what is asked and written of them by those who do not hold them. */
export class RunRecords {
  readonly #services: Services;
  readonly #queue: CommitQueue;

  constructor(services: Services, queue: CommitQueue) {
    this.#services = services;
    this.#queue = queue;
  }

  /** null: there is none that this caller may see. */
  async get(id: string, caller: Caller): Promise<RunRow | null> {
    const row = await this.#services.store.get(run, id, scopeOf(caller), this.#within());
    return row !== null && isSeenBy(row, caller) ? row : null;
  }

  /** Errors: `not_found`. */
  async mustGet(id: string, caller: Caller): Promise<RunRow> {
    const row = await this.get(id, caller);
    if (row === null) throw new GatewayError("not_found", "There is no such run, or you may not see it.", { details: { id } });
    return row;
  }

  /** Newest first. A page has fewer where runs of other users' sessions stand between. Errors: `bad_request` for a cursor of another query, `validation_failed`. */
  async list(caller: Caller, q: RunQuery): Promise<{ rows: RunRow[]; next: string | null }> {
    if (!Number.isSafeInteger(q.limit) || q.limit < 1 || q.limit > 1000)
      throw new GatewayError("validation_failed", "limit: a whole number from 1 to 1000 is expected.", { details: { field: "limit" } });
    const where: Where<RunRow> = q.status === undefined ? {} : { status: q.status };
    const query = { where, orderBy: "createdAtMs", desc: true, limit: q.limit, cursor: q.cursor } as const;
    const page = await this.#services.store.find(run, query, scopeOf(caller), this.#within());
    return { rows: page.rows.filter((row) => isSeenBy(row, caller)), next: page.next };
  }

  /**
   * Stores a run, or finds the one that has its idempotency key. Safe to repeat by the row's own id when the store cannot say whether it was stored: the repetition then finds itself.
   * With it a session's turn is taken; null: the turn is to be opened again. Errors: `idempotency_key_reuse`; `conflict` and `not_found` for the turn.
   */
  async insert(
    row: ReturnType<typeof newRun>,
    caller: Caller,
    turn: OpenedTurn | null,
  ): Promise<{ readonly row: RunRow; readonly isNew: boolean } | null> {
    const unit = { scope: scopeOf(caller), writes: [insert(run, row), ...(turn?.writes ?? [])] };
    let result: UnitResult;
    let sure = true;
    try {
      result = await this.#queue.commit(unit);
    } catch (error) {
      if (!GatewayError.is(error, "store_unavailable") || error.details?.["outcome"] !== "unknown") throw error;
      sure = false;
      result = await this.#queue.commit(unit).catch(() => {
        // However this one failed, the first may have been stored.
        throw error;
      });
    }
    if (result.ok) return { row: await this.mustGet(row.id, caller), isNew: true };
    if (result.failed > 0 && turn !== null) {
      const why = await this.#services.seams.conversations.get().refused(turn, caller);
      if (why === null) return null;
      throw why;
    }
    const standing = result.current as RunRow | null;
    if (standing?.payloadHash === row.payloadHash) return { row: standing, isNew: !sure && standing.attempt === 0 };
    throw keyReuse();
  }

  /** The run that a repeated request of a key means; null: there is none yet. Errors: `idempotency_key_reuse`. */
  async standing(request: CheckedRequest, o: { readonly id: string; readonly caller: Caller }): Promise<RunRow | null> {
    const row = await this.get(o.id, o.caller);
    if (row !== null && row.payloadHash !== request.payloadHash) throw keyReuse();
    return row;
  }

  take(where: Where<RunRow>, o: { readonly limit: number; readonly leaseMs: number }): Promise<RunRow[]> {
    const { store, nodeId } = this.#services;
    const change = { set: { status: "running", leaseUntilMs: nowPlus(o.leaseMs), holder: nodeId }, add: { attempt: 1 } } as const;
    return store.take(run, { where, orderBy: ["leaseUntilMs"], limit: o.limit, change }, this.#within());
  }

  /** Ends a run that no process holds; false when one does. `text`: what it wrote before it was left. */
  async cancelUnheld(row: RunRow, o: { readonly reason: string; readonly text: string }): Promise<boolean> {
    const { reason, text } = o;
    const event: RunEvent = { type: "run.cancelled", reason, text, usage: row.usage as Usage };
    const free: Where<RunRow> = { any: [{ status: { in: ["queued", "waiting"] } }, { status: "running", leaseUntilMs: { lte: now } }] };
    const change = {
      set: { status: "cancelled", cancelRequested: true, cancelReason: reason, text: text === "" ? null : text, finishedAtMs: now },
    } as const;
    const writes = [
      update(run, row.id, { change, where: { ...free, attempt: row.attempt } }),
      append(runEvent, row.id, { entries: [{ projectId: row.projectId, event: { ...event } }] }),
    ];
    const scope = { projects: [row.projectId] };
    const result = await this.#queue.commit({ scope, writes: [...writes, ...this.#turnEnd(row)] });
    // A session that is gone has no turn to give back.
    if (!result.ok && result.failed >= writes.length) return (await this.#queue.commit({ scope, writes })).ok;
    return result.ok;
  }

  /** Gives a session's turn back that the run had. */
  #turnEnd(row: RunRow): Write[] {
    const { session } = optionsOf(row);
    if (session === undefined) return [];
    const o = { projectId: row.projectId, runId: row.id, callerId: callerOf(row).id, ended: null };
    return this.#services.seams.conversations.get().closing(session, o);
  }

  /** A run that waits is there to be taken; false when it does not wait. */
  async wake(id: string, projectId: string): Promise<boolean> {
    const writes = [update(run, id, { change: { set: { status: "queued", leaseUntilMs: now } }, where: { status: "waiting" } })];
    return (await this.#queue.commit({ scope: { projects: [projectId] }, writes })).ok;
  }

  /** Marks a run that a process holds; false when there is nothing to mark any more. */
  async askForEnd(row: RunRow, reason: string): Promise<boolean> {
    const change = { set: { cancelRequested: true, cancelReason: reason } };
    const where = { status: "running", cancelRequested: false } as const;
    const writes = [update(run, row.id, { change, where })];
    return (await this.#queue.commit({ scope: { projects: [row.projectId] }, writes })).ok;
  }

  /** Ends the leases of processes that are gone, so that nobody waits for their time; how many. Their own writes are refused from then on. */
  async endLeases(holders: ReadonlySet<string>): Promise<number> {
    let ended = 0;
    let cursor: string | undefined;
    do {
      const where = { status: "running", leaseUntilMs: { gt: now } } as const;
      const query = { where, orderBy: "leaseUntilMs", limit: 500, cursor } as const;
      const page = await this.#services.store.find(run, query, GONE, this.#within());
      const units = page.rows
        .filter(({ holder }) => holder !== null && holders.has(holder))
        .map(({ id, attempt }) => ({
          scope: GONE,
          writes: [update(run, id, { change: { set: { leaseUntilMs: now } }, where: { attempt, status: "running" } })],
        }));
      const results = units.length === 0 ? [] : await this.#services.store.commit(units, this.#within());
      ended += results.filter(({ ok }) => ok).length;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return ended;
  }

  /** Runs that are being carried out and were asked to end. */
  async askedToEnd(): Promise<RunRow[]> {
    const query = { where: { status: "running", cancelRequested: true }, orderBy: "id", limit: 1000 } as const;
    return (await this.#services.store.find(run, query, SYSTEM, this.#within())).rows;
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + STORE_TIMEOUT_MS };
  }
}

export function scopeOf(caller: Caller): Scope {
  return { projects: caller.projects };
}

function keyReuse(): GatewayError {
  return new GatewayError("idempotency_key_reuse", "The idempotency key stands with another run.", {
    hint: "Use a new key for a new run, or repeat the request exactly.",
  });
}
