import type { Usage } from "../../calls/index.js";
import { usageEntry, type VendorObjectRow } from "../../entities/index.js";
import { detailOf } from "../../policy/audit-and-meter.js";
import { idOf } from "../../policy/money/dead/begun-call.js";
import { keyIdOf } from "../../policy/money/budget-set.js";
import { insert, type Write } from "../../ports/index.js";
import { cutText } from "../../util/well-formed.js";
import { callerOf } from "./object-records.js";

export interface JobUsage {
  readonly operation: "video" | "batch";
  /** The vendor's id of the model. */
  readonly code: string;
  readonly usage: Usage;
  /** null: the price is not known. */
  readonly costNanoUsd: number | null;
  readonly status: number;
  readonly partial: boolean;
  readonly nowMs: number;
}

/** The usage row of a job that is over. Its id is the job's, so that of all who see it end one writes it; it goes into the unit that ends the job. */
export function jobUsage(row: VendorObjectRow, o: JobUsage): Write {
  const { usage } = o;
  const caller = callerOf(row);
  return insert(
    usageEntry,
    {
      id: row.id,
      atMs: o.nowMs,
      ...{ projectId: row.projectId, callerId: cutText(caller.id, 100), kind: "model", operation: o.operation },
      keyId: idOf(keyIdOf(caller)),
      userId: idOf(caller.userId),
      teamId: idOf(caller.teamId),
      agentId: idOf(caller.agentId),
      requestId: null,
      server: null,
      name: cutText(row.model ?? o.code, 200),
      provider: row.provider,
      model: cutText(o.code, 200),
      runId: null,
      purpose: null,
      inputTokens: usage.inputTokens ?? null,
      cacheReadTokens: usage.cacheReadTokens ?? null,
      cacheWriteTokens: usage.cacheWriteTokens ?? null,
      outputTokens: usage.outputTokens ?? null,
      reasoningTokens: usage.reasoningTokens ?? null,
      detail: detailOf(usage),
      costNanoUsd: o.costNanoUsd,
      unpriced: o.costNanoUsd === null ? 1 : null,
      savedNanoUsd: null,
      attempts: null,
      tried: null,
      estimated: usage.estimated ?? false,
      partial: o.partial,
      status: o.status,
      durationMs: Math.max(0, o.nowMs - row.createdAtMs),
    },
    "skip",
  );
}
