import { mayDo, ownUserOf, seesEveryUser } from "../access/index.js";
import type { Caller } from "../calls/index.js";
import type { SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { now, type Where } from "../ports/index.js";

/** What holds of every session that is one to the caller, within its projects. */
export function seenBy(caller: Caller): Where<SessionRow> {
  const standing = { status: "active", expiresAtMs: { gt: now } } as const;
  return seesEveryUser(caller) ? standing : { ...standing, userId: ownUserOf(caller) ?? null };
}

/** The same of a row that was read. */
export function isSeenBy(row: SessionRow, caller: Caller, nowMs: number): boolean {
  if (row.status !== "active" || row.expiresAtMs <= nowMs) return false;
  return seesEveryUser(caller) || row.userId === ownUserOf(caller);
}

export function noSuchSession(id: string): GatewayError {
  return new GatewayError("not_found", "There is no such session, or you may not see it.", {
    hint: "It may have expired: sessions.ttlSeconds says after how long without use.",
    details: { id: id.slice(0, 64) },
  });
}

/** Errors: `forbidden`. */
export function assertMayWrite(caller: Caller): void {
  if (mayDo(caller, "sessions", "write")) return;
  throw new GatewayError("forbidden", "The caller may not write sessions.", {
    hint: "Give it the scope sessions:write.",
    details: { missing: "sessions:write" },
  });
}
