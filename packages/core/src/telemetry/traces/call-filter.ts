import type { UsageRow } from "../../entities/index.js";
import type { Where } from "../../ports/index.js";
import type { TraceQuery } from "../../seams/index.js";

/** What the store narrows by; the rest is looked at in the row, or in the group. */
export function callsWhere(q: TraceQuery): Where<UsageRow> {
  return {
    ...(q.kind === undefined ? {} : { kind: q.kind }),
    ...(q.name === undefined ? {} : { name: q.name }),
    ...(q.fromMs === undefined ? {} : { atMs: { gte: q.fromMs } }),
    ...(q.toMs === undefined ? {} : { any: [{ atMs: { lt: q.toMs } }] }),
  };
}

export type CallStatus = "success" | "error" | "timeout";
export function statusOf(status: number): CallStatus {
  if (status === 504) return "timeout";
  return status >= 400 ? "error" : "success";
}

export function matchesCall(q: TraceQuery): (row: Pick<UsageRow, "provider" | "status">) => boolean {
  return (row) => (q.server === undefined || row.provider === q.server) && (q.status === undefined || statusOf(row.status) === q.status);
}
