import type { Caller, RunEvent, RunStatus, Usage } from "../calls/index.js";
import { run, runEvent, type RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { CommitQueue } from "../ports/commit-queue.js";
import { append, insert, now, nowPlus, update, type Scope, type UnitResult, type Where } from "../ports/index.js";
import type { Services } from "../seams/index.js";
import type { newRun } from "./run-request.js";

export interface RunQuery {
  readonly status?: RunStatus | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const STORE_TIMEOUT_MS = 10_000;
const SYSTEM = { system: "a process looks for runs that it should stop" } as const;

/** The rows of runs: what is asked and written of them by those who do not hold them. */
export class RunRecords {
  readonly #services: Services;
  readonly #queue: CommitQueue;

  constructor(services: Services, queue: CommitQueue) {
    this.#services = services;
    this.#queue = queue;
  }

  get(id: string, caller: Caller): Promise<RunRow | null> {
    return this.#services.store.get(run, id, scopeOf(caller), this.#within());
  }

  /** Errors: `not_found`. */
  async mustGet(id: string, caller: Caller): Promise<RunRow> {
    const row = await this.get(id, caller);
    if (row === null) throw new GatewayError("not_found", "There is no such run, or you may not see it.", { details: { id } });
    return row;
  }

  /** Newest first. Errors: `bad_request` for a cursor of another query, `validation_failed`. */
  async list(caller: Caller, q: RunQuery): Promise<{ rows: RunRow[]; next: string | null }> {
    if (!Number.isSafeInteger(q.limit) || q.limit < 1 || q.limit > 1000)
      throw new GatewayError("validation_failed", "limit: a whole number from 1 to 1000 is expected.", { details: { field: "limit" } });
    const where: Where<RunRow> = q.status === undefined ? {} : { status: q.status };
    const query = { where, orderBy: "createdAtMs", desc: true, limit: q.limit, cursor: q.cursor } as const;
    return this.#services.store.find(run, query, scopeOf(caller), this.#within());
  }

  /**
   * Stores a run, or finds the one that has its idempotency key. Safe to repeat by the row's own id when the store cannot say whether it was stored: the repetition then finds itself.
   * Errors: `idempotency_key_reuse`.
   */
  async insert(row: ReturnType<typeof newRun>, caller: Caller): Promise<{ readonly row: RunRow; readonly isNew: boolean }> {
    const unit = { scope: scopeOf(caller), writes: [insert(run, row)] };
    let result: UnitResult;
    let sure = true;
    try {
      result = await this.#queue.commit(unit);
    } catch (error) {
      if (!GatewayError.is(error, "store_unavailable") || error.details?.["outcome"] !== "unknown") throw error;
      sure = false;
      result = await this.#queue.commit(unit);
    }
    if (result.ok) return { row: await this.mustGet(row.id, caller), isNew: true };
    const standing = result.current as RunRow | null;
    if (standing?.payloadHash === row.payloadHash) return { row: standing, isNew: !sure && standing.attempt === 0 };
    throw new GatewayError("idempotency_key_reuse", "The idempotency key stands with another run.", {
      hint: "Use a new key for a new run, or repeat the request exactly.",
    });
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
    return (await this.#queue.commit({ scope: { projects: [row.projectId] }, writes })).ok;
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
