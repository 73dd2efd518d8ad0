import type { Caller } from "../../calls/index.js";
import { auditEntry, traceSpan, usageEntry, type Dated, type Entity, type TraceSpanRow, type UsageRow } from "../../entities/index.js";
import type { Scope, Where } from "../../ports/index.js";
import type { Bucket, Page, Paged, ServerStats, Services, TracedCall, TraceQuery, Traces, TraceStats } from "../../seams/index.js";
import { scanPage } from "../scan-ledger.js";
import { callsWhere, matchesCall, statusOf } from "./call-filter.js";
import { callGroups, callStats, GROUPED_BY, type Group } from "./call-stats.js";

const WITHIN_MS = 15_000;
const DAY_MS = 86_400_000;
/** The most that one trace shows of each kind of row. */
const MOST_OF_A_TRACE = 1_000;

/** What calls did, read from the usage ledger, and the few spans that are beside it. Counts and sums are exact; percentiles are of the newest 10,000 calls of the window. */
export class StoredTraces implements Traces {
  readonly #services: Pick<Services, "store" | "clock">;

  constructor(services: Pick<Services, "store" | "clock">) {
    this.#services = services;
  }

  list(q: TraceQuery, page: Paged, caller: Caller): Promise<Page<UsageRow>> {
    return scanPage(
      this.#services,
      { entity: usageEntry, where: callsWhere(q), scope: { projects: caller.projects }, matches: matchesCall(q) },
      page,
    );
  }

  async get(
    id: string,
    caller: Caller,
  ): Promise<{ readonly calls: readonly TracedCall[]; readonly spans: readonly TraceSpanRow[] } | null> {
    const scope: Scope = { projects: caller.projects };
    const requestIds = await this.#requestsOf(id, scope);
    if (requestIds === null) return null;
    const among = { requestId: { in: requestIds } };
    const [usage, audit, spans] = await Promise.all([
      this.#all(usageEntry, among, scope),
      this.#all(auditEntry, among, scope),
      this.#all(traceSpan, among, scope),
    ]);
    const codes = new Map(audit.map((row) => [row.id, row.code]));
    const calls = usage.map((row) => ({ usage: row, requestId: row.requestId ?? id, code: codes.get(row.id) ?? null }));
    return { calls, spans };
  }

  async stats(q: TraceQuery, caller: Caller): Promise<TraceStats> {
    const window = this.#window(q);
    const stats = await callStats(this.#services, {
      where: callsWhere(window),
      matches: matchesCall(q),
      scope: { projects: caller.projects },
    });
    return { ...stats, fromMs: window.fromMs, toMs: window.toMs };
  }

  async servers(q: TraceQuery, caller: Caller): Promise<readonly ServerStats[]> {
    const byServer = new Map<string, { total: number; errors: number; cost: bigint; took: bigint }>();
    for (const { provider, status, count, costNanoUsd, durationMs } of await this.#groups(this.#window(q), caller)) {
      if (provider === null) continue;
      const one = byServer.get(provider) ?? { total: 0, errors: 0, cost: 0n, took: 0n };
      one.total += count;
      if (statusOf(status) !== "success") one.errors += count;
      one.cost += costNanoUsd;
      one.took += durationMs;
      byServer.set(provider, one);
    }
    return [...byServer]
      .map(([server, { total, errors, cost, took }]) => ({ server, total, errors, costNanoUsd: cost, avgMs: Number(took) / total }))
      .sort((a, b) => b.total - a.total || (a.server < b.server ? -1 : 1));
  }

  async buckets(q: TraceQuery & { readonly bucketMs: number }, caller: Caller): Promise<readonly Bucket[]> {
    const window = this.#window(q);
    const rows = await this.#services.store.sum(
      usageEntry,
      { where: callsWhere(window), by: [...GROUPED_BY], sum: [], bucketMs: q.bucketMs },
      { projects: caller.projects },
      this.#within(),
    );
    const buckets = new Map<number, { total: number; errors: number }>();
    for (let atMs = floor(window.fromMs, q.bucketMs); atMs < window.toMs; atMs += q.bucketMs) buckets.set(atMs, { total: 0, errors: 0 });
    const matches = matchesCall(q);
    for (const { by, count } of rows) {
      const { provider, status, bucketAtMs } = by as { provider: string | null; status: number; bucketAtMs: number };
      const bucket = buckets.get(bucketAtMs);
      if (bucket === undefined || !matches({ provider, status })) continue;
      bucket.total += count;
      if (statusOf(status) !== "success") bucket.errors += count;
    }
    return [...buckets].map(([atMs, { total, errors }]) => ({ atMs, total, errors }));
  }

  #groups(q: TraceQuery, caller: Caller): Promise<readonly Group[]> {
    return callGroups(this.#services, { where: callsWhere(q), matches: matchesCall(q), scope: { projects: caller.projects } });
  }

  /** The requests that an id of a request, a call or a trace leads to. */
  async #requestsOf(id: string, scope: Scope): Promise<readonly string[] | null> {
    const { store } = this.#services;
    const one = async (where: Where<UsageRow>) =>
      (await store.find(usageEntry, { where, orderBy: "atMs", limit: 1 }, scope, this.#within())).rows[0];
    if ((await one({ requestId: id })) !== undefined) return [id];
    const call = await store.get(usageEntry, id, scope, this.#within());
    if (call !== null && call.requestId !== null) return [call.requestId];
    const { rows } = await store.find(
      traceSpan,
      { where: { traceId: id }, orderBy: "atMs", limit: MOST_OF_A_TRACE },
      scope,
      this.#within(),
    );
    return rows.length === 0 ? null : [...new Set(rows.map(({ requestId }) => requestId))].slice(0, 100);
  }

  async #all<R extends Dated>(entity: Entity<R>, where: Where<R>, scope: Scope): Promise<R[]> {
    return (await this.#services.store.find(entity, { where, orderBy: "atMs", limit: MOST_OF_A_TRACE }, scope, this.#within())).rows;
  }

  #window(q: TraceQuery): TraceQuery & { readonly fromMs: number; readonly toMs: number } {
    const toMs = q.toMs ?? this.#services.clock.now() + 1;
    return { ...q, toMs, fromMs: q.fromMs ?? toMs - DAY_MS };
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

function floor(ms: number, by: number): number {
  return Math.floor(ms / by) * by;
}
