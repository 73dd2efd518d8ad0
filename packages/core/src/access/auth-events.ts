import type { Caller } from "../calls/index.js";
import { auditEntry, authEvent, type AuthEventKind } from "../entities/index.js";
import { insert, type Write } from "../ports/index.js";
import { newId } from "../util/ids.js";

/** Who does something, and in which request. */
export interface Actor {
  readonly caller: Caller;
  readonly requestId?: string | undefined;
  readonly address?: string | null | undefined;
  readonly source?: "http" | "code" | undefined;
}
export interface AuthChange {
  readonly kind: AuthEventKind;
  readonly targetId: string;
  /** Of what was changed. */
  readonly projectId: string;
  /** Names of fields, and of scopes; never a value that is secret. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>> | undefined;
}

/** What changed of who may do what: its rows in the ledger of sign-ins and in the audit, to be written in one unit with the change. */
export function changeWrites(change: AuthChange, actor: Actor, nowMs: number): Write[] {
  const { caller, requestId = null, address = null } = actor;
  const { kind, targetId, projectId, detail } = change;
  return [
    insert(authEvent, {
      ...{ id: newId("auth"), atMs: nowMs, projectId, kind, outcome: "ok" as const, callerId: caller.id.slice(0, 100) },
      ...{ targetId, address, requestId, detail: detail === undefined ? null : asDetail(detail) },
    }),
    insert(auditEntry, {
      ...{ id: newId("audit"), atMs: nowMs, projectId, callerId: caller.id.slice(0, 100), actorKind: caller.kind },
      ...{ keyId: caller.keyId ?? null, userId: caller.userId ?? null, teamId: caller.teamId ?? null },
      ...{ action: kind, target: targetId, resourceType: kind.slice(0, kind.indexOf(".")), source: actor.source ?? "code" },
      ...{ requestId: requestId ?? newId("req"), purpose: null, outcome: "done" as const, code: null, status: 200, durationMs: 0 },
      ...{ parameters: null, changed: detail === undefined ? null : Object.keys(detail) },
    }),
  ];
}

export interface SignInEvent {
  readonly kind: "login" | "logout";
  readonly outcome: "ok" | "failed";
  readonly projectId: string;
  /** null: nobody of that name. */
  readonly userId: string | null;
  readonly address: string | null;
  readonly requestId: string;
  readonly detail?: Readonly<Record<string, string>> | undefined;
}

export function signInWrite(e: SignInEvent, nowMs: number): Write {
  const { kind, outcome, projectId, userId, address, requestId, detail = null } = e;
  const about = { callerId: userId, targetId: userId, address, requestId, detail: detail === null ? null : { ...detail } };
  return insert(authEvent, { id: newId("auth"), atMs: nowMs, projectId, kind, outcome, ...about });
}

function asDetail(detail: NonNullable<AuthChange["detail"]>): Record<string, string | number | boolean | string[]> {
  return Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, typeof value === "object" ? [...value] : value]));
}
