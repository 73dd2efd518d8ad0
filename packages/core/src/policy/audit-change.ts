import type { Caller } from "../calls/index.js";
import { auditEntry } from "../entities/index.js";
import type { ErrorCode } from "../errors/index.js";
import { insert, type Write } from "../ports/index.js";
import type { Origin } from "../seams/index.js";
import { newId } from "../util/ids.js";
import { cutText } from "../util/well-formed.js";

/** A change that somebody made, or tried to. */
export interface AuditedChange {
  readonly caller: Caller;
  /** `route.create`, `keys.update`, … */
  readonly action: string;
  /** Name or id of what was changed. */
  readonly target: string;
  readonly resourceType?: string | undefined;
  readonly requestId?: string | undefined;
  readonly source?: Origin["source"] | undefined;
  readonly purpose?: string | null | undefined;
  /** The names of the fields that changed. */
  readonly changed?: readonly string[] | undefined;
  /** Left out: it was done. */
  readonly failure?: { readonly code: ErrorCode; readonly status: number } | undefined;
  readonly status?: number | undefined;
  readonly durationMs?: number | undefined;
}

/** The change's row in the audit: to be written in one unit with the change itself, or through the ledger. Values are never in it. */
export function auditChange(o: AuditedChange, nowMs: number): Write {
  const { caller, failure } = o;
  return insert(
    auditEntry,
    {
      id: newId("audit"),
      atMs: nowMs,
      projectId: caller.projects[0],
      callerId: cutText(caller.id, 100),
      actorKind: caller.kind,
      keyId: caller.keyId ?? null,
      userId: caller.userId ?? null,
      teamId: caller.teamId ?? null,
      action: cutText(o.action, 100),
      target: cutText(o.target, 200),
      resourceType: o.resourceType === undefined ? null : cutText(o.resourceType, 40),
      requestId: o.requestId ?? newId("req"),
      source: o.source ?? "code",
      purpose: o.purpose === undefined || o.purpose === null ? null : cutText(o.purpose, 500),
      outcome: failure === undefined ? "done" : failure.code === "cancelled" ? "aborted" : "failed",
      code: failure?.code ?? null,
      status: failure?.status ?? o.status ?? 200,
      durationMs: Math.max(0, o.durationMs ?? 0),
      parameters: null,
      changed: o.changed === undefined ? null : o.changed.slice(0, 100).map((name) => cutText(name, 100)),
    },
    "skip",
  );
}
