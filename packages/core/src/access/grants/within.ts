import type { Caller } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { permissionOf } from "../permissions.js";
import { useScopes } from "../permissions.js";
import { excessScope, liftedDenial, problemOfScope } from "./scope-cover.js";

/** Everything that bounds what the caller may. */
function bounds(caller: Caller): readonly (readonly string[])[] {
  return [caller.grants, ...(caller.bounds ?? [])];
}

/** The first scope that the caller could not give away; null: it may give all of them. */
export function excessOf(scopes: readonly string[], caller: Caller): string | null {
  for (const held of bounds(caller)) {
    const excess = excessScope(scopes, held);
    if (excess !== null) return excess;
  }
  return excessProject(scopes, caller);
}

/** Whoever is not the owner names projects one by one, and only those that it sees. */
function excessProject(scopes: readonly string[], caller: Caller): string | null {
  if (caller.kind === "owner" || caller.kind === "system") return null;
  const named = scopes.filter((scope) => scope.startsWith("project:"));
  return named.find((scope) => !caller.projects.includes(scope.slice("project:".length))) ?? null;
}

/** Errors: `validation_failed` for a scope that is none; `forbidden` naming the scope that is more than the caller has (T05). */
export function assertMayGive(scopes: readonly string[], caller: Caller): void {
  for (const scope of scopes) {
    const problem = problemOfScope(scope);
    if (problem !== null)
      throw new GatewayError("validation_failed", `The scope "${scope}" ${problem}.`, {
        hint: "Scopes are such as models:openai/*, mcp:files__*, keys:read, admin:read, project:p1 or *.",
        details: { field: "scopes", scope },
      });
  }
  const excess = excessOf(scopes, caller);
  if (excess === null) return;
  const isDenial = excess.startsWith("!");
  throw new GatewayError(
    "forbidden",
    isDenial ? `The scopes lack the denial "${excess}", which binds their maker.` : `The scope "${excess}" is more than its maker has.`,
    {
      hint: isDenial ? `Add "${excess}".` : "Leave it out, or have it made by somebody who has it.",
      details: { excess },
    },
  );
}

/**
 * Nobody takes off a denial that binds itself: neither from a role that it may write, nor by withdrawing that role. `elsewhere`: what the caller is bound by beside its own grants.
 * Errors: `forbidden` naming the denial (T05).
 */
export function assertMayLift(
  change: { readonly before: readonly string[]; readonly after: readonly string[] },
  caller: Caller,
  elsewhere: readonly (readonly string[])[] = [],
): void {
  for (const held of [...bounds(caller), ...elsewhere]) {
    const denial = liftedDenial(change.before, change.after, held);
    if (denial === null) continue;
    throw new GatewayError("forbidden", `The denial "${denial}" binds the caller, who cannot take it off.`, {
      hint: "Have it done by somebody whom it does not bind.",
      details: { excess: denial },
    });
  }
}

/** What a credential gets that is made without scopes: its maker's rights to use the gateway, none to change it. */
export function ownUseScopes(caller: Caller): readonly string[] {
  const own = caller.grants.flatMap((scope) => (scope === "*" ? useScopes : [scope])).filter(isUse);
  return [...new Set(own)].filter((scope) => scope.startsWith("!") || excessOf([scope, ...denials(own)], caller) === null);
}

function denials(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => scope.startsWith("!"));
}

function isUse(scope: string): boolean {
  const plain = scope.startsWith("!") ? scope.slice(1) : scope;
  return scope === "!*" || permissionOf(plain.slice(0, plain.indexOf(":")))?.kind === "use";
}
