import type { Caller } from "../../../calls/index.js";
import { auditEntry } from "../../../entities/index.js";
import { insert, type Write } from "../../../ports/index.js";
import { newId } from "../../../util/ids.js";

/** A change that somebody made over HTTP. */
export interface AuditedChange {
  /** `<type>.create`, `<type>.update` or `<type>.delete`. */
  readonly action: string;
  /** The id of the row. */
  readonly target: string;
  readonly resourceType: string;
  readonly projectId: string;
  /** Names of fields, never their values; null: all of it. */
  readonly changed: readonly string[] | null;
}

/** The change's row in the audit, for the unit that makes the change: neither is stored without the other. */
export function auditWrite(
  change: AuditedChange,
  who: { readonly caller: Caller; readonly requestId: string; readonly nowMs: number },
): Write {
  const { caller, requestId, nowMs } = who;
  return insert(auditEntry, {
    id: newId("audit"),
    atMs: nowMs,
    projectId: change.projectId,
    callerId: caller.id,
    actorKind: caller.kind,
    keyId: caller.keyId ?? null,
    userId: caller.userId ?? null,
    teamId: caller.teamId ?? null,
    action: change.action,
    target: change.target.slice(0, 200),
    resourceType: change.resourceType.slice(0, 40),
    requestId: requestId.slice(0, 64),
    source: "http",
    purpose: null,
    outcome: "done",
    code: null,
    status: 200,
    durationMs: 0,
    parameters: null,
    changed: change.changed === null ? null : [...change.changed],
  });
}
