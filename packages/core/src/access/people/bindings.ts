import { DEFAULT_PROJECT, type Caller } from "../../calls/index.js";
import type { RoleBindingRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { assertMayGive, assertMayLift } from "../grants/within.js";
import { assertProject } from "../keys/key-rules.js";
import type { PeopleIndex } from "./people-index.js";

export type NewBinding = Pick<RoleBindingRow, "userId" | "role" | "scope" | "scopeId">;

/** The project where a binding holds. Errors: `validation_failed` for a team that there is not. */
export function projectOfBinding({ scope, scopeId }: NewBinding, people: PeopleIndex): string {
  if (scope === "global") return DEFAULT_PROJECT;
  if (scope === "project") return scopeId;
  const found = people.team(scopeId);
  if (found === undefined) throw invalid("scope_id", "there is no such team");
  return found.projectId;
}

/**
 * Nobody gives, and nobody takes away, more than they have: the role's scopes are the caller's too, the project is one that it sees, and what holds everywhere is given by who holds it everywhere (T05).
 * Errors: `forbidden`, `validation_failed` for a role that there is not.
 */
export function assertMayBind(binding: NewBinding, caller: Caller, people: PeopleIndex): void {
  const projectId = projectOfBinding(binding, people);
  const scopes = people.scopesOf(binding.role, projectId);
  if (scopes.length === 0) throw invalid("role", "is owner, admin, developer, viewer, billing, or the id of a custom role of the project");
  if (caller.kind === "owner" || caller.kind === "system") return;
  if (binding.scope === "global") {
    if (caller.kind === "user" && people.holdsEverywhere(caller.id, scopes)) return;
    throw new GatewayError("forbidden", "A role for every project is given only by who holds it in every project.", {
      hint: "Give it in a project or a team.",
      details: { excess: "scope" },
    });
  }
  assertProject(projectId, caller);
  assertMayGive(scopes, caller);
}

/**
 * Who may withdraw a role is who could give it, and is not itself bound by a denial of it, here or in the project where it holds.
 * Errors: `forbidden`, `validation_failed`.
 */
export function assertMayWithdraw(binding: NewBinding, caller: Caller, people: PeopleIndex): void {
  assertMayBind(binding, caller, people);
  const projectId = projectOfBinding(binding, people);
  const change = { before: people.scopesOf(binding.role, projectId), after: [] };
  assertMayLift(change, caller, heldIn(projectId, caller, people));
}

/** All that the caller's own roles say in a project, which need not be the one that it acts in. */
export function heldIn(projectId: string, caller: Caller, people: PeopleIndex): readonly (readonly string[])[] {
  const id = caller.userId ?? caller.id;
  return people.user(id) === undefined ? [] : [people.grantsIn(id, projectId)];
}

function invalid(field: string, problem: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${problem}.`, { details: { field } });
}
