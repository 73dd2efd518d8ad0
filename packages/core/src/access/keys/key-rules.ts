import type { Caller } from "../../calls/index.js";
import type { GatewayKeyRow, KeyRateLimit } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { assertMayGive } from "../grants/within.js";
import type { KeyIndex } from "./key-index.js";

/** What of a key its maker has to have as well. */
export interface KeyPowers {
  readonly scopes: readonly string[];
  readonly projectId: string;
  readonly expiresAtMs: number | null;
  readonly rateLimit: KeyRateLimit | null;
  readonly userId: string | null;
  readonly teamId: string | null;
}

const measures = ["requestsPerMinute", "tokensPerMinute", "concurrency"] as const;

/**
 * A child never exceeds its maker: in scopes, projects, time, limits, nor by counting for somebody else (T05). What it leaves out, time and limits, its maker's bound at use.
 * Errors: `forbidden` naming what is too much, `validation_failed`.
 */
export function assertMayMake(powers: KeyPowers, caller: Caller, index: KeyIndex): void {
  assertMayGive(powers.scopes, caller);
  assertProject(powers.projectId, caller);
  assertSameParty(powers, caller);
  const own = caller.keyId === undefined || caller.kind === "owner" ? null : index.usable(caller.keyId);
  if (own === null) return;
  if (powers.expiresAtMs !== null && powers.expiresAtMs > own.untilMs)
    throw tooMuch("expires_at", "The key would outlive the one that it is made by.", "Leave its expiry out, or choose an earlier one.");
  for (const { rateLimit } of index.chain(own.row.id)) assertLimit(powers.rateLimit, rateLimit);
}

function assertLimit(wanted: KeyRateLimit | null, held: KeyRateLimit | null): void {
  for (const measure of measures) {
    const most = held?.[measure];
    const asked = wanted?.[measure];
    if (most !== undefined && asked !== undefined && asked > most)
      throw tooMuch(
        "rate_limit",
        `Its ${measure} would be more than its maker's ${most}.`,
        "Leave it out: its maker's limit holds for it too.",
      );
  }
}

export function assertProject(projectId: string, caller: Caller): void {
  if (caller.kind === "owner" || caller.kind === "system" || caller.projects.includes(projectId)) return;
  throw tooMuch("project_id", "The project is none of the caller's.", "Leave it out, or name one that the caller sees.");
}

/** Whoever counts for a user or a team makes only what counts for the same. */
function assertSameParty({ userId, teamId }: KeyPowers, caller: Caller): void {
  if (caller.kind === "owner" || caller.kind === "system") return;
  if (caller.userId !== undefined && userId !== caller.userId && caller.kind === "key")
    throw tooMuch("user_id", "The key would count for another user than its maker does.", "Leave it out.");
  if (caller.teamId !== undefined && teamId !== caller.teamId && caller.kind === "key")
    throw tooMuch("team_id", "The key would count for another team than its maker does.", "Leave it out.");
}

/**
 * Whether the caller may change or renew the key. A key does so with itself and with those that were made from it: whatever such a key leaves open, time and limits, is bound by the caller's own at use.
 * Any other key could so be had without those bounds (T05). People need the permission, and all that the key has.
 * Errors: `forbidden`; `conflict` for a key that was revoked.
 */
export function assertMayChange(row: GatewayKeyRow, caller: Caller, index: KeyIndex): void {
  if (row.kind === "owner")
    throw new GatewayError("forbidden", "The owner's key is not changed here.", {
      hint: "Use `sallyport keys rotate`, or SALLYPORT_OWNER_KEY.",
    });
  if (row.revokedAtMs !== null) throw new GatewayError("conflict", "The key was revoked, and stays so.", { hint: "Make a new one." });
  if (caller.keyId !== undefined && caller.kind !== "owner" && !isWithin(row, caller.keyId, index))
    throw tooMuch("id", "A key changes only keys that were made from it.", "Have it done by a person, or by its maker.");
  const { scopes, projectId, expiresAtMs, rateLimit } = row;
  const untilMs = index.usable(row.id)?.untilMs ?? expiresAtMs;
  const effective = untilMs === Infinity ? null : untilMs;
  assertMayMake(
    { scopes, projectId, expiresAtMs: effective, rateLimit, userId: caller.userId ?? null, teamId: caller.teamId ?? null },
    caller,
    index,
  );
}

/** Whether the key is `keyId`, or was made from it. */
function isWithin({ id, parentId }: GatewayKeyRow, keyId: string, index: KeyIndex): boolean {
  return id === keyId || (parentId !== null && index.chain(parentId).some((row) => row.id === keyId));
}

function tooMuch(field: string, message: string, hint: string): GatewayError {
  return new GatewayError("forbidden", message, { hint, details: { excess: field } });
}
