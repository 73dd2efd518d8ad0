import { auditEntry, usageEntry, type BegunCall } from "../../../entities/index.js";
import { insert, type Unit } from "../../../ports/index.js";

/** Nobody knows what its caller saw. */
const STATUS = 500;

/** The rows of a call whose process is gone: nothing is known of its end but that it had begun. */
export function deadCallUnit(
  call: BegunCall,
  o: { readonly nowMs: number; readonly provider: string | null; readonly model: string | null; readonly costNanoUsd: number | null },
): Unit {
  const { startedAtMs, server, operation, kind, name, runId, purpose, requestId, ...who } = call;
  const { id, projectId, callerId, keyId, userId, teamId, agentId } = who;
  const durationMs = Math.max(0, o.nowMs - startedAtMs);
  const same = { id, projectId, callerId, keyId, userId, teamId, requestId, status: STATUS, durationMs, atMs: o.nowMs, purpose };
  return {
    scope: { projects: [projectId] },
    writes: [
      insert(
        usageEntry,
        {
          ...same,
          ...{ agentId, kind, operation, name, server, runId, model: o.model, provider: o.provider ?? server },
          ...{ inputTokens: null, cacheReadTokens: null, cacheWriteTokens: null, outputTokens: null, reasoningTokens: null, detail: null },
          ...{
            costNanoUsd: o.costNanoUsd,
            unpriced: o.costNanoUsd === null ? 1 : null,
            savedNanoUsd: null,
            attempts: null,
            tried: null,
            estimated: true,
            partial: true,
          },
        },
        "skip",
      ),
      insert(
        auditEntry,
        {
          ...same,
          ...{ action: `${kind}.call`, target: name, outcome: "failed", code: "outcome_unknown", actorKind: null },
          ...{ resourceType: null, source: runId === null ? "code" : "run", parameters: null, changed: null },
        },
        "skip",
      ),
    ],
  };
}
