import type { Caller } from "../../calls/index.js";
import { auditEntry, type AuditRow } from "../../entities/index.js";
import type { ErrorCode } from "../../errors/index.js";
import type { Where } from "../../ports/index.js";
import type { AuditQuery, AuditStats, AuditTrail, AuditVerdict, Page, Paged, Services } from "../../seams/index.js";
import { scanAll, scanPage, type LedgerScan } from "../scan-ledger.js";

const WITHIN_MS = 15_000;
const STATS_WINDOW_MS = 30 * 86_400_000;

/** What ended with one of these was not let through: by policy, not by a fault. */
const refusals: ReadonlySet<string> = new Set<ErrorCode>([
  "unauthenticated",
  "forbidden",
  "budget_exceeded",
  "rate_limited",
  "approval_required",
  "content_blocked",
  "address_refused",
  "stdio_not_allowed",
  "host_refused",
  "origin_refused",
]);

/** `blocked`: it was refused; `failure`: it failed, or was left; `success`: all else. */
export function auditVerdict(row: Pick<AuditRow, "outcome" | "code" | "status">): AuditVerdict {
  if (row.code !== null && refusals.has(row.code)) return "blocked";
  if (row.outcome === "parked") return "blocked";
  return row.outcome === "done" && row.status < 400 ? "success" : "failure";
}

/** The audit as people read it. */
export class StoredAuditTrail implements AuditTrail {
  readonly #services: Services;
  readonly verdict = auditVerdict;

  constructor(services: Services) {
    this.#services = services;
  }

  find(q: AuditQuery, page: Paged, caller: Caller): Promise<Page<AuditRow>> {
    return scanPage(this.#services, scanOf(q, caller), page);
  }

  pages(q: AuditQuery, caller: Caller): AsyncIterable<readonly AuditRow[]> {
    return scanAll(this.#services, scanOf(q, caller));
  }

  get(id: string, caller: Caller): Promise<AuditRow | null> {
    return this.#services.store.get(auditEntry, id, { projects: caller.projects }, this.#within());
  }

  async stats(q: Pick<AuditQuery, "fromMs" | "toMs">, caller: Caller): Promise<AuditStats> {
    const toMs = q.toMs ?? this.#services.clock.now() + 1;
    const fromMs = q.fromMs ?? toMs - STATS_WINDOW_MS;
    const groups = await this.#services.store.sum(
      auditEntry,
      { where: between(fromMs, toMs), by: ["action", "source", "outcome", "code", "status"], sum: [] },
      { projects: caller.projects },
      this.#within(),
    );
    const byOutcome: Record<AuditVerdict, number> = { success: 0, failure: 0, blocked: 0 };
    const byAction: Record<string, number> = {};
    const bySource: Record<string, number> = {};
    let total = 0;
    for (const { by, count } of groups) {
      const row = by as unknown as Pick<AuditRow, "action" | "source" | "outcome" | "code" | "status">;
      total += count;
      byOutcome[auditVerdict(row)] += count;
      byAction[row.action] = (byAction[row.action] ?? 0) + count;
      const source = row.source ?? "unknown";
      bySource[source] = (bySource[source] ?? 0) + count;
    }
    return { total, byOutcome, byAction, bySource, fromMs, toMs };
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

/** One test a field: both bounds are two alternatives that hold together only through `any` of one. */
function between(fromMs: number | undefined, toMs: number | undefined): Where<AuditRow> {
  const lower = fromMs === undefined ? {} : { atMs: { gte: fromMs } };
  return toMs === undefined ? lower : { ...lower, any: [{ atMs: { lt: toMs } }] };
}

function scanOf(q: AuditQuery, caller: Caller): LedgerScan<AuditRow> {
  const where: Where<AuditRow> = {
    ...between(q.fromMs, q.toMs),
    ...(q.requestId === undefined ? {} : { requestId: q.requestId }),
  };
  return { entity: auditEntry, where, scope: { projects: caller.projects }, matches: matcher(q) };
}

function matcher(q: AuditQuery): (row: AuditRow) => boolean {
  const text = q.text?.toLowerCase();
  return (row) =>
    (q.actions === undefined || q.actions.includes(row.action)) &&
    (q.outcomes === undefined || q.outcomes.includes(auditVerdict(row))) &&
    (q.user === undefined || row.userId === q.user || (row.actorKind === "user" && row.callerId === q.user)) &&
    (q.key === undefined || row.keyId === q.key || row.callerId === q.key) &&
    (q.team === undefined || row.teamId === q.team) &&
    (q.resource === undefined || row.resourceType === q.resource || row.target === q.resource) &&
    (q.source === undefined || row.source === q.source) &&
    (text === undefined ||
      [row.action, row.target, row.purpose, row.callerId, row.code, row.resourceType].some(
        (field) => field?.toLowerCase().includes(text) === true,
      ));
}
