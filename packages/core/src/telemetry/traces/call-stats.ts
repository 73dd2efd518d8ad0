import { usageEntry, type UsageRow } from "../../entities/index.js";
import type { Scope, SumRow, Where } from "../../ports/index.js";
import type { Services, TraceStats } from "../../seams/index.js";
import { statusOf } from "./call-filter.js";

const WITHIN_MS = 15_000;
/** The newest calls of a window that percentiles are taken of. */
const MOST_MEASURED = 10_000;
const STORE_PAGE = 1_000;

export const GROUPED_BY = ["provider", "status"] as const;

export interface CallSet {
  /** What the store narrows by. */
  readonly where: Where<UsageRow>;
  /** The rest of it. */
  readonly matches: (row: Pick<UsageRow, "provider" | "status">) => boolean;
  readonly scope: Scope;
}
export interface Group {
  readonly provider: string | null;
  readonly status: number;
  readonly count: number;
  readonly costNanoUsd: bigint;
  readonly durationMs: bigint;
}
type Deps = Pick<Services, "store" | "clock">;

/** Exact counts and sums of calls, by what answered and how it ended. */
export async function callGroups(deps: Deps, set: CallSet): Promise<readonly Group[]> {
  const rows = await deps.store.sum(
    usageEntry,
    { where: set.where, by: [...GROUPED_BY], sum: ["costNanoUsd", "durationMs"] },
    set.scope,
    within(deps),
  );
  return rows.map(groupOf).filter(set.matches);
}

/** Counts and sums are exact; percentiles are of the newest 10,000 calls. */
export async function callStats(deps: Deps, set: CallSet): Promise<Omit<TraceStats, "fromMs" | "toMs">> {
  const [groups, durations] = await Promise.all([callGroups(deps, set), newestDurations(deps, set)]);
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  const errors = groups.reduce((sum, { status, count }) => sum + (statusOf(status) === "success" ? 0 : count), 0);
  const took = groups.reduce((sum, { durationMs }) => sum + durationMs, 0n);
  return {
    total,
    success: total - errors,
    errors,
    avgMs: total === 0 ? null : Number(took) / total,
    p50Ms: percentile(durations, 0.5),
    p95Ms: percentile(durations, 0.95),
    p99Ms: percentile(durations, 0.99),
    measured: durations.length,
    costNanoUsd: groups.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n),
    errorRate: total === 0 ? 0 : errors / total,
  };
}

/** The value below which the part `p` (0 to 1) of the values lie, the nearest rank; null of none. `sorted` ascends. */
export function percentile(sorted: readonly number[], p: number): number | null {
  if (sorted.length === 0) return null;
  return sorted[Math.min(sorted.length, Math.max(1, Math.ceil(p * sorted.length))) - 1]!;
}

async function newestDurations(deps: Deps, set: CallSet): Promise<readonly number[]> {
  const durations: number[] = [];
  let cursor: string | undefined;
  for (let read = 0; read < MOST_MEASURED; read += STORE_PAGE) {
    const query = { where: set.where, orderBy: "atMs" as const, desc: true, limit: STORE_PAGE, cursor };
    const page = await deps.store.find(usageEntry, query, set.scope, within(deps));
    for (const row of page.rows) if (set.matches(row)) durations.push(row.durationMs);
    if (page.next === null) break;
    cursor = page.next;
  }
  return durations.sort((a, b) => a - b);
}

function groupOf({ by, count, sums }: SumRow): Group {
  const { provider, status } = by as { provider: string | null; status: number };
  return { provider, status, count, costNanoUsd: sums["costNanoUsd"] ?? 0n, durationMs: sums["durationMs"] ?? 0n };
}

function within({ clock }: Deps) {
  return { deadlineMs: clock.now() + WITHIN_MS };
}
